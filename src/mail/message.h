/* message.h - a message at rest: header fields apart from the body, LF line ends.
 *
 * The header section is in memory (at most HEADER_MAX); the body is in memory while it is
 * small, else in an unlinked temporary file that can be linked into the spool. */
#ifndef ONEHOP_MAIL_MESSAGE_H
#define ONEHOP_MAIL_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/fail.h"

enum {
	HEADER_MAX = 1 << 20,      /* octets of the header section, Exim's limit */
	BODY_MEMORY_MAX = 1 << 20, /* octets of body kept in memory; more goes to a file */
	BODY_START = 19 /* octets that such a file has free in front, for the spool's "ID-D" line */
};

/* Exim's header types, as in the -H file: the letter behind the length. */
enum header_type {
	H_OTHER = ' ',
	H_DELETED = '*', /* kept out of everything that is sent */
	H_BCC = 'B',
	H_CC = 'C',
	H_FROM = 'F',
	H_ID = 'I',
	H_RECEIVED = 'P',
	H_REPLYTO = 'R',
	H_SENDER = 'S',
	H_TO = 'T',
};

struct header {
	struct str text; /* "Name: value\n", continuation lines included, ends in LF */
	struct str name; /* the part of text before the colon, without blanks */
	enum header_type type;
	bool resent; /* a Resent- form */
};

struct body {
	const char *mem; /* all of it, when fd is -1 */
	int fd;          /* regular file, read with pread from start; owned by the body */
	uint64_t start;  /* octets of the file in front of the body */
	uint64_t size;   /* octets, LF line ends, ends in LF unless empty */
	uint64_t lines;
	uint64_t longest_line; /* octets without LF */
	bool has_8bit, has_nul;
};

struct message {
	struct arena *arena;
	struct header *headers; /* in order */
	size_t nheaders;
	bool resent;    /* any Resent- field exists */
	bool lone_dots; /* a line that is only "." was taken for text: see front/intake.h */
	struct body body;
};

/* Append / prepend a field (text as in struct header; type and resent are found from its name). */
void message_append(struct message *m, struct str text);
void message_prepend(struct message *m, struct str text);
/* First live field of this name (without case), or NULL. */
struct header *message_find(struct message *m, struct str name);
/* Octets of the live header fields and of the whole message (header, empty line, body). */
uint64_t message_size(const struct message *m);
/* Count s, the body's next octets (LF line ends), into b's size, lines, longest_line, has_8bit and
 * has_nul.  *column (0 at first) carries the length of an unfinished line from call to call. */
void body_count(struct body *b, struct str s, uint64_t *column);
/* Up to n octets of the body at offset at; 0 at the end; -1 with errno. */
int64_t body_read(const struct body *b, uint64_t at, void *p, size_t n);
/* Close the temporary file, if there is one. */
void body_close(struct body *b);
#endif
