/* message.c - a message at rest. */
#include "mail/message.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "mail/scan.h"

#include "base/banned.h" /* IWYU pragma: keep */

static void
insert(struct message *m, size_t at, struct str text)
{
	size_t n = scan_field_name(text);
	struct header h = { .text = text, .name = str_at(text.p, n != SIZE_MAX ? n : 0) };

	h.type = scan_type(h.name, &h.resent);
	m->headers = arena_grow(m->arena, m->headers, m->nheaders, sizeof h);
	memmove(m->headers + at + 1, m->headers + at, (m->nheaders++ - at) * sizeof h);
	m->headers[at] = h;
	m->resent |= h.resent;
}

void
message_append(struct message *m, struct str text)
{
	insert(m, m->nheaders, text);
}

void
message_prepend(struct message *m, struct str text)
{
	insert(m, 0, text);
}

struct header *
message_find(struct message *m, struct str name)
{
	for (size_t i = 0; i < m->nheaders; i++) {
		struct header *h = &m->headers[i];

		if (h->type != H_DELETED && str_ieq(h->name, name))
			return h;
	}
	return NULL;
}

uint64_t
message_size(const struct message *m)
{
	uint64_t n = m->body.size + 1;

	for (size_t i = 0; i < m->nheaders; i++)
		if (m->headers[i].type != H_DELETED)
			n += m->headers[i].text.n;
	return n;
}

/* str_8bit() for a lot of octets: eight at a time. */
static bool
any_8bit(struct str s)
{
	uint64_t all = 0, w;

	for (; s.n >= sizeof w; s = str_at(s.p + sizeof w, s.n - sizeof w)) {
		memcpy(&w, s.p, sizeof w);
		all |= w;
	}
	return (all & UINT64_C(0x8080808080808080)) != 0 || str_8bit(s);
}

void
body_count(struct body *b, struct str s, uint64_t *column)
{
	b->size += s.n;
	b->has_8bit = b->has_8bit || any_8bit(s);
	b->has_nul = b->has_nul || str_find(s, '\0') < s.n;
	while (s.n > 0) {
		size_t n = str_find(s, '\n');

		*column += n;
		if (*column > b->longest_line)
			b->longest_line = *column;
		if (n < s.n) {
			b->lines++;
			*column = 0;
		}
		s = str_skip(s, n + 1);
	}
}

int64_t
body_read(const struct body *b, uint64_t at, void *p, size_t n)
{
	ssize_t got;

	if (at >= b->size)
		return 0;
	if (n > b->size - at)
		n = (size_t)(b->size - at);
	if (b->fd < 0) {
		memcpy(p, b->mem + at, n);
		return (int64_t)n;
	}
	do
		got = pread(b->fd, p, n, (off_t)(b->start + at));
	while (got < 0 && errno == EINTR);
	if (got == 0) {
		errno = EIO;
		return -1;
	}
	return got;
}

void
body_close(struct body *b)
{
	if (b->fd >= 0)
		(void)close(b->fd);
	b->fd = -1;
}
