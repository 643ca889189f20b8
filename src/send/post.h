/* post.h - the word that onehop-post gives onehop-send: its caller started it, whose limits and
 * control group it keeps.  It does his mail alone, and takes no lock that other mail waits for. */
#ifndef ONEHOP_SEND_POST_H
#define ONEHOP_SEND_POST_H

#define POST_WORD "post"
#endif
