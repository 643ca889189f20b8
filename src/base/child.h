/* child.h - a program at the other end of two pipes; a part of ourselves at the end of a socket. */
#ifndef ONEHOP_BASE_CHILD_H
#define ONEHOP_BASE_CHILD_H

#include <sys/types.h>

#include "base/fail.h"

struct child {
	pid_t pid;   /* 0: none */
	int in, out; /* write to its standard input, read its standard output; -1 when closed */
};

#define CHILD_NONE \
	{ \
		0, -1, -1 \
	}

struct child_program {
	const char *path; /* absolute */
	char *const *argv;
	char *const *envp; /* NULL: ours */
	bool own_session;  /* so that child_kill() reaches what it starts */
	bool errors_too;   /* its standard error goes where its output goes */
};

/* Start it, with no signal held back.  False: TEMP at that stage (the path is in the text), f->sys
 * says why: ENOENT ... */
bool child_start(
    struct child *c, const struct child_program *p, enum fail_stage at, struct fail *f) NODISCARD;
/* Go on as serve(ctx, fd) in a process of its own, which ends with the status that it returns, and
 * is killed when we are; the other end of its fd, a stream socket, is c->in.  False: TEMP at that
 * stage. */
bool child_serve(struct child *c, int (*serve)(void *ctx, int fd), void *ctx, enum fail_stage at,
    struct fail *f) NODISCARD;
/* Close what is open and wait for it: its wait(2) status, or -1. */
int child_wait(struct child *c);
/* SIGKILL to it, and to its session when it has its own. */
void child_kill(const struct child *c);
#endif
