/* intake.h - standard input to a message (EXIM-SEMANTICS 5): line ends, lone dot, limits. */
#ifndef ONEHOP_MSG_INTAKE_H
#define ONEHOP_MSG_INTAKE_H

#include "msg/message.h"

struct intake_options {
	bool dot_ends;       /* no -i: a line that is only "." ends the message */
	uint64_t size_max;   /* message_size_limit; 0: none */
	const char *tmp_dir; /* where a large body goes (O_TMPFILE); tried before /var/tmp and /tmp */
};

/* Read fd to its end (or the dot).  Fills m (headers split, not yet fixed up, type set) and, when
 * the first line is an mbox "From addr date" line, *from_line with the address (else p == NULL).
 * EOF is the only good end: any read error is TEMP/STAGE_INPUT (exit 74) and nothing is to be sent.
 * Too large: PERM/STAGE_INPUT with exit 65 and the option's name. */
bool intake_read(struct message *m, int fd, const struct intake_options *o, struct str *from_line,
    struct fail *f) NODISCARD;
/* The pure part: take bytes as they come.  intake_read() and the fuzzer drive it. */
struct intake;
struct intake *intake_new(struct message *m, const struct intake_options *o);
/* False with *f on a limit or when the temporary file cannot be written. */
bool intake_feed(struct intake *in, struct str bytes, bool *done, struct fail *f) NODISCARD;
bool intake_end(struct intake *in, struct str *from_line, struct fail *f) NODISCARD;
#endif
