/* fuzz_hostlist.c - host lists from any bytes: what is let in is a name, an address or a path, and
 * means the same when it is written out again. */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "mail/hostlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
check_host(const struct host *h)
{
	must(h->name[0] != '\0' && strlen(h->name) <= 254 && h->port <= 65535);
	must((h->name[0] == '/') == (h->kind == HOST_LMTP || h->kind == HOST_UNIX));
	for (const char *p = h->name; *p != '\0'; p++)
		must(h->name[0] == '/' || ascii_alnum(*p) || strchr("-._:%", *p) != NULL);
	if (h->kind == HOST_NAME || h->kind == HOST_SRV)
		must(strpbrk(h->name, ":%") == NULL);
}

/* As a careful person would write it. */
static void
write_host(struct buf *out, const struct host *h)
{
	static const char *const prefix[] = { "", "[", "lmtp:", "unix:", "srv:" };

	buf_str(out, prefix[h->kind]);
	for (const char *p = h->name; *p != '\0'; p++)
		buf_str(out, *p == ':' && h->kind != HOST_ADDRESS ? "::" : (char[]){ *p, '\0' });
	if (h->kind == HOST_ADDRESS)
		buf_char(out, ']');
	if (h->port != 0)
		buf_fmt(out, "::%u", h->port);
	buf_char(out, ';');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA struct arena a = { 0 };
	AUTO_BUF struct buf again = BUF_INIT(1 << 20);
	struct fail f = FAIL_INIT;
	struct host *h, *h2;
	size_t n, n2;

	if (size > 4096 ||
	    !hostlist_parse(&a, arena_strz(&a, str_at((const char *)data, size)), &h, &n, &f))
		return 0;
	must(n > 0 && n <= 64);
	for (size_t i = 0; i < n; i++) {
		check_host(&h[i]);
		write_host(&again, &h[i]);
	}
	must(hostlist_parse(&a, again.p, &h2, &n2, &f) && n2 == n);
	for (size_t i = 0; i < n; i++)
		must(h[i].kind == h2[i].kind && h[i].port == h2[i].port &&
		    strcmp(h[i].name, h2[i].name) == 0);
	return 0;
}
