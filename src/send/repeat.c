/* repeat.c - fold_duplicates. */
#include "send/repeat.h"

#include <inttypes.h>
#include <string.h>

#include "base/digest.h"
#include "base/num.h"
#include "spool/note.h"

#include "base/banned.h" /* IWYU pragma: keep */

static const struct str field = { "X-Folded", 8 };

static bool
differs_by_nature(const struct header *h)
{
	return h->type == H_DELETED || h->type == H_ID || h->type == H_RECEIVED ||
	    str_ieq(h->name, STR("Date")) || str_ieq(h->name, STR("Resent-Date"));
}

/* With its NUL, so that no two lists of strings look the same. */
static void
add(struct digest *g, const char *s)
{
	digest_update(g, str_at(s, strlen(s) + 1));
}

static bool
add_body(struct digest *g, const struct body *b)
{
	char piece[8192];

	for (uint64_t at = 0; at < b->size;) {
		int64_t n = body_read(b, at, piece, sizeof piece);

		if (n <= 0)
			return false;
		digest_update(g, str_at(piece, (size_t)n));
		at += (uint64_t)n;
	}
	return true;
}

const char *
repeat_key(const struct delivery *d, const struct queued *q)
{
	struct fail ignored;
	struct digest g;
	char hex[DIGEST_HEX];

	if (!d->conf->fold_duplicates || !digest_init(&g, &ignored))
		return NULL;
	add(&g, arena_fmt(q->arena, "%u", q->uid));
	add(&g, q->e.sender);
	for (size_t i = 0; i < q->e.nrcpts; i++)
		add(&g, q->e.rcpts[i].address);
	for (size_t i = 0; i < q->m.nheaders; i++)
		if (!differs_by_nature(&q->m.headers[i]))
			digest_update(&g, q->m.headers[i].text);
	add(&g, "");
	return add_body(&g, &q->m.body) ? arena_fmt(q->arena, "same.%s", digest_hex(&g, hex)) :
					  NULL;
}

/* The message that the note of this key names, locked. */
static bool
take(const struct delivery *d, const char *key, struct queued *q)
{
	AUTO_BUF struct buf b = BUF_INIT(ID_MAX);
	struct fail ignored;

	return note_read(&d->spool, key, &b) &&
	    spool_take(&d->spool, arena_strz(q->arena, buf_get(&b)), true, q, &ignored) ==
	    SPOOL_TAKEN;
}

static uint64_t
count(struct queued *q)
{
	struct header *h = message_find(&q->m, field);
	uint64_t n = 1;

	if (h == NULL)
		message_append(&q->m, STR("X-Folded: \n"));
	else if (num_parse(str_trim(str_skip(h->text, field.n + 1)), UINT32_MAX, &n))
		n++;
	h = message_find(&q->m, field);
	if (h != NULL)
		h->text = str_of(arena_fmt(q->arena, "X-Folded: %" PRIu64 "\n", n));
	if (h != NULL)
		h->name.p = h->text.p;
	return n;
}

bool
repeat_fold(struct delivery *d, struct queued *q, const char *key)
{
	AUTO_ARENA struct arena a = { NULL };
	struct queued same = { .arena = &a, .m = { .arena = &a, .body = { .fd = -1 } } };
	struct fail f = FAIL_INIT;
	bool ok = false;

	if (key == NULL || !delivery_spool(d, true, &f))
		return false;
	if (take(d, key, &same) && same.ndone == 0 && !same.frozen) {
		q->trouble.error = arena_fmt(q->arena,
		    "folded into %s, which waits and is the same; X-Folded: %" PRIu64
		    " (fold_duplicates)",
		    same.e.id, count(&same));
		ok = spool_rewrite(&d->spool, &same, &f);
	}
	spool_release(&same);
	if (ok)
		trace_line(d->trace, TRACE_TAKEN, "1");
	return ok;
}

void
repeat_note(const struct delivery *d, const struct queued *q, const char *key)
{
	AUTO_BUF struct buf b = BUF_INIT(ID_MAX);

	buf_str(&b, q->e.id);
	if (key != NULL)
		note_write(&d->spool, key, &b);
}
