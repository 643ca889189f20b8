/* queued.c - a message in the spool: its -H file written, and what is done. */
#include "spool/queued.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/digest.h"
#include "base/id.h"
#include "mail/mailbox.h"
#include "mail/scan.h"
#include "spool/option.h"
#include "spool/spool.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { TREE_DEPTH = 64 };

const struct option onehop_options[ONEHOP_OPTIONS] = {
	{ "onehop_arrived", OPTION_COUNT, offsetof(struct queued, arrived) },
	{ "onehop_parent", OPTION_STRING, offsetof(struct queued, parent) },
	{ "onehop_frozen", OPTION_COUNT, offsetof(struct queued, frozen_counted) },
	{ "onehop_tries", OPTION_UINT, offsetof(struct queued, trouble.tries) },
	{ "onehop_first_failed", OPTION_COUNT, offsetof(struct queued, trouble.first_failed) },
	{ "onehop_last_try", OPTION_TIME, offsetof(struct queued, trouble.last_try) },
	{ "onehop_next_try", OPTION_TIME, offsetof(struct queued, trouble.next_try) },
	{ "onehop_hosts", OPTION_STRING, offsetof(struct queued, trouble.hosts) },
	{ "onehop_error", OPTION_STRING, offsetof(struct queued, trouble.error) },
	{ "onehop_auth_parameter", OPTION_FLAG, offsetof(struct queued, e.auth_parameter) },
	{ "onehop_body_declared", OPTION_UINT, offsetof(struct queued, e.body_declared) },
	{ "onehop_body_8bit", OPTION_FLAG, offsetof(struct queued, m.body.has_8bit) },
};

bool
option_sum(struct str before, struct str behind, char out[65], struct fail *f)
{
	struct digest d;

	if (!digest_init(&d, f))
		return false;
	digest_update(&d, before);
	digest_update(&d, behind);
	(void)digest_hex(&d, out);
	return true;
}

bool
option_address_ok(const char *address, bool empty_ok, struct fail *f)
{
	return (empty_ok && *address == '\0') || mailbox_ok(mailbox_split(address), f);
}

bool
option_header_ok(struct str text)
{
	if (text.n == 0 || text.p[text.n - 1] != '\n' || scan_field_name(text) == SIZE_MAX ||
	    str_find(text, '\0') < text.n || str_find(text, '\r') < text.n)
		return false;
	for (size_t i = str_find(text, '\n'); i + 1 < text.n;) {
		if (text.p[i + 1] != ' ' && text.p[i + 1] != '\t')
			return false;
		i += 1 + str_find(str_skip(text, i + 1), '\n');
	}
	return true;
}

static bool
one_line(const char *s)
{
	return s == NULL || strchr(s, '\n') == NULL;
}

static bool
recipients_ok(const struct envelope *e, struct fail *f)
{
	if (e->nrcpts == 0 || e->nrcpts > QUEUED_RECIPIENTS_MAX)
		return fail_set(f, FAIL_PERM, STAGE_SPOOL, 0,
		    "%zu recipients; the queue takes 1 to %d", e->nrcpts, QUEUED_RECIPIENTS_MAX);
	for (size_t i = 0; i < e->nrcpts; i++) {
		const struct rcpt *r = &e->rcpts[i];

		if (!option_address_ok(r->address, false, f)) {
			f->cls = FAIL_PERM;
			f->stage = STAGE_SPOOL;
			return false;
		}
		if (r->orcpt != NULL && (!one_line(r->orcpt) || *r->orcpt == '\0'))
			return fail_set(f, FAIL_PERM, STAGE_SPOOL, 0,
			    "the original recipient of %s cannot be kept in the queue", r->address);
	}
	return true;
}

static bool
headers_ok(const struct message *m, struct fail *f)
{
	size_t all = 0;

	for (size_t i = 0; i < m->nheaders; i++) {
		all += m->headers[i].text.n;
		if (!option_header_ok(m->headers[i].text))
			return fail_set(f, FAIL_PERM, STAGE_SPOOL, 0,
			    "header field %zu (%.*s) cannot be kept in the queue", i + 1,
			    S_ARG(m->headers[i].name));
	}
	if (all > QUEUED_HEADERS_MAX)
		return fail_set(f, FAIL_PERM, STAGE_SPOOL, 0,
		    "a header of %zu octets; the queue takes %d", all, QUEUED_HEADERS_MAX);
	return true;
}

static bool
can_be_written(const struct queued *q, struct fail *f)
{
	bool ok = id_ok(q->e.id) && one_line(q->e.login) && one_line(q->e.envid) &&
	    one_line(q->e.protocol) && one_line(q->protocol);

	if (!option_address_ok(q->e.sender, true, f)) {
		f->cls = FAIL_PERM;
		f->stage = STAGE_SPOOL;
		return false;
	}
	for (size_t i = 0; i < q->ndone; i++)
		ok = ok && one_line(q->done[i]) && *q->done[i] != '\0';
	if (!ok)
		return fail_set(f, FAIL_PERM, STAGE_SPOOL, 0,
		    "a line break in the envelope of message %.*s", ID_MAX, q->e.id);
	return recipients_ok(&q->e, f) && headers_ok(&q->m, f);
}

/* The escaped form has no control character, and a backslash only in front of two digits. */
static void
put_escaped(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (ascii_control(*s) || *s == '\\')
			buf_fmt(out, "\\%02x", (unsigned)(unsigned char)*s);
		else
			buf_char(out, *s);
	}
	buf_char(out, '\n');
}

static void
put_option(const struct queued *q, const struct option *o, struct buf *out)
{
	const void *field = (const char *)q + o->at;
	const char *const *string = field;
	const uint64_t *count = field;
	const unsigned *number = field;
	const int64_t *moment = field;
	const bool *flag = field;

	if (o->kind == OPTION_FLAG && *flag)
		buf_fmt(out, "-%s\n", o->name);
	else if (o->kind == OPTION_UINT && *number != 0)
		buf_fmt(out, "-%s %u\n", o->name, *number);
	else if (o->kind == OPTION_COUNT && *count != 0)
		buf_fmt(out, "-%s %" PRIu64 "\n", o->name, *count);
	else if (o->kind == OPTION_TIME && *moment != 0)
		buf_fmt(out, "-%s %" PRId64 "\n", o->name, *moment);
	else if (o->kind == OPTION_STRING && *string != NULL) {
		buf_fmt(out, "-%s ", o->name);
		put_escaped(out, *string);
	}
}

/* Exim's own, in its order: what it and exipick know of the message.  To Exim, whom it trusts and
 * who names a sender is not its author, nor -local.  -auth_sender is login at the host's mail name,
 * of which this file knows only when the sender is that. */
static void
put_exim_options(const struct queued *q, struct buf *out)
{
	const struct envelope *e = &q->e;
	const char *protocol = q->protocol != NULL ? q->protocol : e->protocol;

	buf_fmt(out, "-received_time_usec .%06" PRIu32 "\n", q->received_usec);
	buf_fmt(out, "-received_time_complete %" PRId64 ".%06" PRIu32 "\n", q->received,
	    q->received_usec);
	buf_fmt(out, "-ident %s\n-received_protocol %s\n", e->login,
	    protocol != NULL ? protocol : "local");
	buf_fmt(out, "-body_linecount %" PRIu64 "\n-max_received_linelength %" PRIu64 "\n",
	    q->m.body.lines, q->m.body.longest_line);
	if (q->m.body.has_nul)
		buf_str(out, "-body_zerocount 1\n");
	if (e->auth_parameter)
		buf_fmt(out, "-auth_id %s\n", e->login);
	if (e->auth_parameter && str_eq(mailbox_split(e->sender).local, str_of(e->login)))
		buf_fmt(out, "-auth_sender %s\n", e->sender);
	buf_str(out, "-allow_unqualified_recipient\n-allow_unqualified_sender\n");
	if (q->trouble.tries == 0 && q->trouble.last_try == 0 && q->ndone == 0)
		buf_str(out, "-deliver_firsttime\n");
	if (q->frozen)
		buf_fmt(out, "-frozen %" PRId64 "\n", q->frozen_at);
	if (e->auth_parameter)
		buf_str(out, "-local\n");
	if (q->parent != NULL)
		buf_str(out, "-localerror\n");
	if (q->manual_thaw)
		buf_str(out, "-manual_thaw\n");
	buf_str(out, "-tls_resumption A\n");
	if (e->envid != NULL)
		buf_fmt(out, "-dsn_envid %s\n", e->envid);
	if (e->ret != RET_UNSET)
		buf_fmt(out, "-dsn_ret %d\n", e->ret == RET_FULL ? 1 : 2);
}

static void
put_onehop_options(const struct queued *q, const struct queued_body *body, struct buf *out)
{
	for (size_t i = 0; i < ONEHOP_OPTIONS; i++)
		put_option(q, &onehop_options[i], out);
	for (size_t i = 0; i < q->e.nrcpts; i++) {
		const struct rcpt *r = &q->e.rcpts[i];
		const char *original = r->original != NULL ? r->original : r->address;

		if (!r->unqualified && strcmp(original, r->address) == 0)
			continue;
		buf_fmt(out, "-onehop_recipient %zu %d ", i, r->unqualified);
		put_escaped(out, original);
	}
	buf_fmt(out, "-onehop_body %" PRIu64 " %.64s\n", body->size, body->sha256);
}

static int
compare(const void *x, const void *y)
{
	const char *const *a = x, *const *b = y;

	return strcmp(*a, *b);
}

/* Put keys in order, each once; how many they are then. */
static size_t
sort_keys(const char **keys, size_t n)
{
	size_t kept = 0;

	if (n > 0)
		qsort(keys, n, sizeof *keys, compare);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || strcmp(keys[kept - 1], keys[i]) != 0)
			keys[kept++] = keys[i];
	return kept;
}

/* A balanced binary tree, each node before its left and its right branch. */
static void
put_tree(const struct queued *q, struct buf *out)
{
	AUTO_ARENA struct arena a = { NULL };
	const char **keys = arena_array(&a, q->ndone + 1, sizeof *keys);
	struct {
		const char **keys;
		size_t n;
	} stack[TREE_DEPTH] = { { keys, 0 } };
	size_t depth = 1;

	if (q->ndone == 0) {
		buf_str(out, "XX\n");
		return;
	}
	memcpy(keys, q->done, q->ndone * sizeof *keys);
	stack[0].n = sort_keys(keys, q->ndone);
	while (depth > 0) {
		const char **these = stack[--depth].keys;
		size_t left = stack[depth].n / 2, right = stack[depth].n - left - 1;

		buf_fmt(out, "%c%c %s\n", left > 0 ? 'Y' : 'N', right > 0 ? 'Y' : 'N', these[left]);
		if (right > 0) {
			stack[depth].keys = these + left + 1;
			stack[depth++].n = right;
		}
		if (left > 0) {
			stack[depth].keys = these;
			stack[depth++].n = left;
		}
	}
}

static void
put_recipients(const struct envelope *e, struct buf *out)
{
	buf_fmt(out, "%zu\n", e->nrcpts);
	for (size_t i = 0; i < e->nrcpts; i++) {
		const struct rcpt *r = &e->rcpts[i];
		const char *orcpt = r->orcpt != NULL ? r->orcpt : "";

		buf_str(out, r->address);
		/* Exim's flags have one more bit in front of ours */
		if (r->notify != 0 || *orcpt != '\0')
			buf_fmt(
			    out, " %s %zu,%u" RECIPIENT_END, orcpt, strlen(orcpt), r->notify << 1);
		buf_char(out, '\n');
	}
	buf_char(out, '\n');
}

bool
queued_write(
    const struct queued *q, const struct queued_body *body, struct buf *out, struct fail *f)
{
	size_t start = out->n, at, behind;
	char sum[DIGEST_HEX];

	if (!can_be_written(q, f))
		return false;
	buf_fmt(out, "%s-H\n%s %u %u\n<%s>\n%" PRId64 " %u\n", q->e.id, q->e.login, q->uid, q->gid,
	    q->e.sender, q->received, q->warnings);
	put_exim_options(q, out);
	put_onehop_options(q, body, out);
	at = out->n;
	buf_fmt(out, SUM_OPTION "%064d\n", 0);
	behind = out->n;
	put_tree(q, out);
	put_recipients(&q->e, out);
	for (size_t i = 0; i < q->m.nheaders; i++) {
		const struct header *h = &q->m.headers[i];

		buf_fmt(out, "%03zu%c ", h->text.n, (char)h->type);
		buf_put(out, h->text);
	}
	if (!buf_ok(out) || out->n - start > SPOOL_HEADER_MAX)
		return fail_set(f, FAIL_PERM, STAGE_SPOOL, 0,
		    "envelope and header are larger than the queue takes (%d octets)",
		    SPOOL_HEADER_MAX);
	if (!option_sum(str_at(out->p + start, at - start),
		str_at(out->p + behind, out->n - behind), sum, f))
		return false;
	memcpy(out->p + behind - DIGEST_HEX, sum, DIGEST_HEX - 1);
	return true;
}

void
queued_settle(struct queued *q)
{
	q->ndone = q->nsorted = sort_keys(q->done, q->ndone);
	for (size_t i = 0; i < q->e.nrcpts; i++)
		if (queued_is_done(q, q->e.rcpts[i].address))
			q->e.rcpts[i].state = RCPT_SENT;
}

bool
queued_is_done(const struct queued *q, const char *key)
{
	if (q->nsorted > 0 && bsearch(&key, q->done, q->nsorted, sizeof *q->done, compare) != NULL)
		return true;
	for (size_t i = q->nsorted; i < q->ndone; i++)
		if (strcmp(q->done[i], key) == 0)
			return true;
	return false;
}
