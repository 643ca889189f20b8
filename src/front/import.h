/* import.h - -Mimport DIRECTORY: mail that waits in Exim's spool is taken over. */
#ifndef ONEHOP_FRONT_IMPORT_H
#define ONEHOP_FRONT_IMPORT_H

#include "front/sendmail.h"

/* Root alone.  Exim's -H, -D and -J are copied into onehop's spool, synced and read back, and only
 * then removed; the copy is frozen until they are gone, so that a message is neither lost nor there
 * twice, wherever this is killed: called again it goes on.  What cannot be read whole, or is being
 * delivered, stays where it is, and standard error says why.  Returns the exit status: 0, 65 when a
 * message cannot be read, 75 when another stays, 77 for others than root. */
int cli_import(struct session_start *start);
#endif
