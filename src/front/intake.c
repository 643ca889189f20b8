/* intake.c - standard input to a message. */
#include "front/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sysexits.h>

#include "base/file.h"
#include "mail/scan.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { READ_SIZE = 128 * 1024, FIRST_ROOM = 4096, HELD_MAX = 64 * 1024 };

enum state {
	HEAD_TEXT, /* within a line of a field, or where one would begin */
	HEAD_CR,   /* a CR, held back */
	HEAD_EOL,  /* a field's line has ended; a blank would continue it */
	HEAD_GLUE, /* the same behind a bare LF that ends no line */
	BODY,
};

/* Octets in the arena.  What moves when it grows stays valid where it was. */
struct area {
	char *p;
	size_t n, room;
};

struct intake {
	struct message *m;
	struct intake_options o;
	struct str from_line;
	enum state state;
	/* Where in a line that is only a dot: its octets are held back, but for the LF. */
	enum { DOT_START, DOT_DOT, DOT_CR, DOT_NONE, DOT_HELD, DOT_ENDED } dot;
	struct area held; /* DOT_HELD: that line, and the blank ones behind it so far */
	enum { FIRST_UNKNOWN, FIRST_LF, FIRST_CRLF } first; /* how the first line ended */
	bool nul;                                           /* in the field being read */
	struct area head;  /* the header section, less than HEADER_MAX octets */
	size_t field;      /* where the field being read begins in it */
	struct area stage; /* the body since the last write to the file, to BODY_MEMORY_MAX */
	uint64_t column;   /* octets of the body's last line that body_count() has seen */
	bool cr;           /* a CR of the body, held back */
	bool ends_in_lf;   /* the body so far */
};

struct intake *
intake_new(struct message *m, const struct intake_options *o)
{
	struct intake *in = arena_alloc(m->arena, sizeof *in);

	in->m = m;
	in->o = *o;
	m->body = (struct body){ .mem = "", .fd = -1 };
	return in;
}

/* Room for n more octets. */
static void
make_room(struct arena *a, struct area *r, size_t n)
{
	size_t room = r->room > 0 ? r->room : FIRST_ROOM;
	char *p;

	if (n <= r->room - r->n)
		return;
	while (room - r->n < n)
		room *= 2;
	p = arena_alloc(a, room);
	if (r->n > 0)
		memcpy(p, r->p, r->n);
	r->p = p;
	r->room = room;
}

/* An unlinked file in dir; without O_EXCL, so that linkat() can give it a name in the spool. */
static int
open_unnamed(struct arena *a, const char *dir)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char *name = arena_fmt(a, "%s/onehop.XXXXXX", dir);

	if (fd >= 0)
		return fd;
	fd = mkostemp(name, O_CLOEXEC);
	if (fd >= 0)
		(void)unlink(name);
	return fd;
}

static bool
open_body_file(struct intake *in, struct fail *f)
{
	const char *dirs[] = { in->o.tmp_dir, "/var/tmp", "/tmp" };
	int fd = -1;

	for (size_t i = 0; i < sizeof dirs / sizeof *dirs && fd < 0; i++)
		if (dirs[i] != NULL)
			fd = open_unnamed(in->m->arena, dirs[i]);
	if (fd < 0 && errno != EMFILE) /* a read-only root without /tmp */
		fd = memfd_create("onehop", MFD_CLOEXEC);
	if (fd < 0 || lseek(fd, BODY_START, SEEK_SET) < 0)
		return fail_set(f, FAIL_TEMP, STAGE_SPOOL, errno,
		    "cannot make a temporary file for the message in %s, /var/tmp or /tmp",
		    in->o.tmp_dir != NULL ? in->o.tmp_dir : "the spool");
	in->m->body.fd = fd;
	in->m->body.start = BODY_START;
	return true;
}

static bool
spill(struct intake *in, struct fail *f)
{
	struct body *b = &in->m->body;

	body_count(b, str_at(in->stage.p, in->stage.n), &in->column);
	if (b->fd < 0 && !open_body_file(in, f))
		return false;
	if (!fd_write_full(b->fd, in->stage.p, in->stage.n))
		return fail_set(f, FAIL_TEMP, STAGE_SPOOL, errno,
		    "cannot write the message to a temporary file");
	in->stage.n = 0;
	return true;
}

static bool
within_limit(const struct intake *in, size_t more, struct fail *f)
{
	uint64_t n = in->head.n + in->m->body.size + in->stage.n;

	if (in->o.size_max == 0 || (n <= in->o.size_max && more <= in->o.size_max - n))
		return true;
	(void)fail_set(f, FAIL_PERM, STAGE_INPUT, 0,
	    "message too big: it is larger than message_size_limit = %llu octets",
	    (unsigned long long)in->o.size_max);
	f->exit = EX_DATAERR;
	return false;
}

/* Add to the body what has LF line ends already. */
static bool
body_put(struct intake *in, struct str s, struct fail *f)
{
	if (s.n == 0)
		return true;
	if (!within_limit(in, s.n, f))
		return false;
	in->ends_in_lf = s.p[s.n - 1] == '\n';
	while (s.n > 0) {
		size_t room = BODY_MEMORY_MAX - in->stage.n;
		size_t n = s.n < room ? s.n : room;

		if (n == 0) {
			if (!spill(in, f))
				return false;
			continue;
		}
		make_room(in->m->arena, &in->stage, n);
		memcpy(in->stage.p + in->stage.n, s.p, n);
		in->stage.n += n;
		s = str_skip(s, n);
	}
	return true;
}

/* Add to the body, where CRLF and a bare CR are line ends too. */
static bool
body_lines(struct intake *in, struct str s, struct fail *f)
{
	while (s.n > 0) {
		size_t n;

		if (in->cr && s.p[0] != '\n' && !body_put(in, STR("\n"), f))
			return false;
		n = str_find(s, '\r');
		if (!body_put(in, str_at(s.p, n), f))
			return false;
		in->cr = n < s.n;
		s = str_skip(s, n + 1);
	}
	return true;
}

static bool
head_put(struct intake *in, char c, struct fail *f)
{
	if (in->head.n + 1 >= HEADER_MAX) {
		(void)fail_set(f, FAIL_PERM, STAGE_INPUT, 0,
		    "message header longer than %d characters received: message not accepted",
		    HEADER_MAX);
		f->exit = EX_DATAERR;
		return false;
	}
	make_room(in->m->arena, &in->head, 1);
	in->head.p[in->head.n++] = c;
	return true;
}

/* A blank line at the end of a field is legal, and looks like the end of the header section. */
static size_t
without_blank_lines(struct str text)
{
	size_t n = text.n;

	for (;;) {
		size_t at = n - 1;

		while (at > 0 && (text.p[at - 1] == ' ' || text.p[at - 1] == '\t'))
			at--;
		if (at == 0 || text.p[at - 1] != '\n')
			return n;
		n = at;
	}
}

/* A field, a From_ line or the first line of the body has been read, with its continuations. */
static bool
field_done(struct intake *in, struct fail *f)
{
	struct str text = str_at(in->head.p + in->field, in->head.n - in->field);
	struct str from = in->m->nheaders == 0 ? scan_from_line(text) : str_at(NULL, 0);

	in->state = HEAD_TEXT;
	if (from.p != NULL) {
		in->from_line = from;
	} else if (scan_field_name(text) != SIZE_MAX) {
		for (size_t i = 0; in->nul && i < text.n; i++)
			if (text.p[i] == '\0')
				in->head.p[in->field + i] = '?';
		text.n = without_blank_lines(text);
		in->head.n = in->field + text.n;
		message_append(in->m, text);
	} else {
		in->state = BODY;
		in->head.n = in->field;
		return body_put(in, text, f);
	}
	in->field = in->head.n;
	in->nul = false;
	return within_limit(in, 0, f);
}

static bool
head_line_end(struct intake *in, bool crlf, struct fail *f)
{
	bool glue = in->o.crlf_alone && !crlf && in->first == FIRST_CRLF;

	if (in->first == FIRST_UNKNOWN)
		in->first = crlf ? FIRST_CRLF : FIRST_LF;
	if (in->head.n == in->field) {
		in->state = BODY;
		return true;
	}
	in->state = glue ? HEAD_GLUE : HEAD_EOL;
	return head_put(in, '\n', f);
}

/* One octet, which the header section may end with. */
static bool
head_octet(struct intake *in, char c, struct fail *f)
{
	enum state was = in->state;

	in->state = HEAD_TEXT;
	if (was == HEAD_CR) {
		if (c == '\n')
			return head_line_end(in, true, f);
		if (!head_put(in, '\n', f) || !head_put(in, ' ', f))
			return false;
	} else if (was == HEAD_EOL && c != ' ' && c != '\t') {
		if (!field_done(in, f))
			return false;
	} else if (was == HEAD_GLUE) {
		/* Exim would take an empty line, and so the body, into the field as well. */
		bool empty = c == '\n' || c == '\r';

		if (empty ? !field_done(in, f) : !head_put(in, ' ', f))
			return false;
	}
	if (in->state == BODY)
		return body_lines(in, str_at(&c, 1), f);
	if (c == '\n')
		return head_line_end(in, false, f);
	if (c == '\r') {
		in->state = HEAD_CR;
		return true;
	}
	in->nul |= c == '\0';
	return head_put(in, c, f);
}

static bool
take(struct intake *in, struct str s, struct fail *f)
{
	for (; s.n > 0 && in->state != BODY; s = str_skip(s, 1))
		if (!head_octet(in, s.p[0], f))
			return false;
	return body_lines(in, s, f);
}

/* Up to and with the first LF that has a dot behind it, else all. */
static size_t
up_to_dot(struct str s)
{
	size_t at = 0;

	while (at < s.n) {
		at += str_find(str_skip(s, at), '\n') + 1;
		if (at < s.n && s.p[at] == '.')
			return at;
	}
	return s.n;
}

/* What was held back of a line is text. */
static bool
take_dot(struct intake *in, struct fail *f)
{
	if (in->dot != DOT_DOT && in->dot != DOT_CR)
		return true;
	return take(in, in->dot == DOT_DOT ? STR(".") : STR(".\r"), f);
}

static void
hold(struct intake *in, struct str s)
{
	make_room(in->m->arena, &in->held, s.n);
	memcpy(in->held.p + in->held.n, s.p, s.n);
	in->held.n += s.n;
}

/* A line that is only a dot has been read. */
static void
dot_line(struct intake *in)
{
	in->dot = in->o.dot == INTAKE_DOT_LAST ? DOT_HELD : DOT_ENDED;
	in->held.n = 0;
	hold(in, STR(".\n"));
}

/* Behind a dot that may have been the end: blank lines still may be behind it, all else shows that
 * it was text. */
static bool
take_behind_dot(struct intake *in, struct str s, size_t *used, struct fail *f)
{
	while (*used < s.n && ascii_space(s.p[*used]) && in->held.n + *used < HELD_MAX)
		++*used;
	hold(in, str_at(s.p, *used));
	if (*used == s.n)
		return true;
	in->m->lone_dots = true;
	in->dot = in->held.p[in->held.n - 1] == '\n' ? DOT_START : DOT_NONE;
	return take(in, str_at(in->held.p, in->held.n), f);
}

/* Some octets, with an eye on the dot that ends the message; *used is how many were taken. */
static bool
take_dotted(struct intake *in, struct str s, size_t *used, struct fail *f)
{
	char c = s.p[0];

	if (in->dot == DOT_HELD)
		return take_behind_dot(in, s, used, f);
	*used = 1;
	if (in->dot == DOT_START && c == '.') {
		in->dot = DOT_DOT;
	} else if (in->dot == DOT_DOT && c == '\r') {
		in->dot = DOT_CR;
	} else if ((in->dot == DOT_DOT || in->dot == DOT_CR) && c == '\n') {
		dot_line(in);
	} else {
		if (!take_dot(in, f))
			return false;
		*used = up_to_dot(s);
		in->dot = s.p[*used - 1] == '\n' ? DOT_START : DOT_NONE;
		return take(in, str_at(s.p, *used), f);
	}
	return true;
}

bool
intake_feed(struct intake *in, struct str bytes, bool *done, struct fail *f)
{
	size_t n = 0;

	for (; bytes.n > 0 && in->dot != DOT_ENDED; bytes = str_skip(bytes, n)) {
		n = in->o.dot == INTAKE_DOT_TEXT ? bytes.n : 0;
		if (!(n > 0 ? take(in, bytes, f) : take_dotted(in, bytes, &n, f)))
			return false;
	}
	*done = in->dot == DOT_ENDED;
	return true;
}

/* The input ended without a line end, or where one was held back. */
static bool
finish_lines(struct intake *in, struct fail *f)
{
	if (!take_dot(in, f))
		return false;
	if (in->state != BODY && in->head.n > in->field) {
		bool open = in->state == HEAD_TEXT || in->state == HEAD_CR;

		if ((open && !head_put(in, '\n', f)) || !field_done(in, f))
			return false;
	}
	if (in->cr || (in->m->body.size + in->stage.n > 0 && !in->ends_in_lf))
		return body_put(in, STR("\n"), f);
	return true;
}

bool
intake_end(struct intake *in, struct str *from_line, struct fail *f)
{
	struct body *b = &in->m->body;

	if (!finish_lines(in, f))
		return false;
	if (b->fd < 0) {
		body_count(b, str_at(in->stage.p, in->stage.n), &in->column);
		b->mem = in->stage.n > 0 ? in->stage.p : "";
	} else if (!spill(in, f)) {
		return false;
	}
	*from_line = in->from_line;
	return true;
}

/* May more text follow?  Behind a lone dot that may have been the end only INTAKE_DOT_WAIT seconds
 * are waited: the caller may in turn wait for us to end. */
static bool
may_follow(const struct intake *in, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return in->dot != DOT_HELD || poll(&p, 1, INTAKE_DOT_WAIT * 1000) != 0;
}

static bool
read_all(struct intake *in, int fd, struct fail *f)
{
	char *p = arena_alloc(in->m->arena, READ_SIZE);
	bool done = false;

	while (!done && may_follow(in, fd)) {
		ssize_t n = fd_read(fd, p, READ_SIZE);

		if (n < 0)
			return fail_set(f, FAIL_TEMP, STAGE_INPUT, errno,
			    "cannot read all of the message from standard input");
		if (n == 0)
			return true;
		if (!intake_feed(in, str_at(p, (size_t)n), &done, f))
			return false;
	}
	return true;
}

bool
intake_read(struct message *m, int fd, const struct intake_options *o, struct str *from_line,
    struct fail *f)
{
	struct intake *in = intake_new(m, o);

	if (read_all(in, fd, f) && intake_end(in, from_line, f))
		return true;
	body_close(&m->body);
	return false;
}
