/* control.h - the queue's part of the submission protocol (wire/submit.h): what onehop asks of
 * onehop-send with -q, -M..., -bp, status, and what comes back.
 *
 *   to onehop-send: V as for a submission, then one record Q: verb, then ids
 *   from it:        T  transcript and log;  O  bytes for standard output;
 *                   R  recipients of the message whose M follows (repeated);
 *                   M  one message of a list;  S  the summary for status;
 *                   Z  the end, a fail if any */
#ifndef ONEHOP_WIRE_CONTROL_H
#define ONEHOP_WIRE_CONTROL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/fail.h"
#include "base/trace.h"
#include "wire/submit.h"

enum control_verb {
	CONTROL_RUN,        /* -q: due messages */
	CONTROL_RUN_ALL,    /* -qf */
	CONTROL_RUN_FROZEN, /* -qff */
	CONTROL_TRY,        /* -M */
	CONTROL_FREEZE,     /* -Mf */
	CONTROL_THAW,       /* -Mt */
	CONTROL_REMOVE,     /* -Mrm */
	CONTROL_GIVE_UP,    /* -Mg */
	CONTROL_HEADER,     /* -Mvh */
	CONTROL_BODY,       /* -Mvb */
	CONTROL_LOG,        /* -Mvl */
	CONTROL_LIST,       /* -bp, -bpc, -bpj: one M each, oldest first, bad files too; ids: only
			     * those */
	CONTROL_STATUS,     /* S */
};

struct control {
	enum control_verb verb;
	const char **ids;
	size_t nids;
};

/* One line of a list: what is said of a waiting message. */
struct control_message {
	const char *id; /* or the file's name in bad/ */
	const char *sender, *login;
	const char
	    *error;    /* its last error, its host list's, or what is wrong with a bad one; "" */
	uint64_t size; /* of header and body */
	int64_t received, next_try, frozen_at; /* wall clock; next_try 0: the next run */
	bool frozen, bad;
	const char **rcpts; /* in its order: "D x@y", who has it, or "  x@y", who waits */
	size_t nrcpts;
};

struct control_status {
	uint64_t messages, frozen, bad;
	int64_t oldest;  /* received, wall clock; 0: the queue is empty */
	uint64_t waited; /* of the oldest, in seconds */
	int64_t last_success, last_failure;
	const char *error; /* "" */
	uint64_t alarm_after;
};

/* --- onehop --- */
/* False: USER: more ids than one record holds; TEMP: the other side went away. */
bool control_ask(int fd, const struct control *c, struct fail *f) NODISCARD;
struct control_answer {
	void (*bytes)(void *ctx, struct str s);
	/* what it points to lasts until it returns */
	void (*message)(void *ctx, const struct control_message *m);
	void (*status)(void *ctx, const struct control_status *s);
	void *ctx;
	const struct trace *trace;
};
/* Hear all until Z.  False: *f is what the other side said, or TEMP: it went away. */
bool control_hear(
    struct submit_talk *talk, const struct control_answer *a, struct fail *f) NODISCARD;

/* --- onehop-send --- */
/* Every id has passed id_ok().  False: USER: a broken request. */
bool control_read(struct str payload, struct control *c, struct arena *a, struct fail *f) NODISCARD;
/* False in the next three: TEMP: the other side went away. */
bool control_say(int fd, struct str bytes, struct fail *f) NODISCARD;
bool control_put_message(int fd, const struct control_message *m, struct fail *f) NODISCARD;
bool control_put_status(int fd, const struct control_status *s, struct fail *f) NODISCARD;
#endif
