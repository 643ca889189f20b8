/* hostmatch.c - is a host in a list? */
#include "mail/hostmatch.h"

#include <arpa/inet.h>

#include "base/num.h"
#include "mail/hostlist.h"

#include "base/banned.h" /* IWYU pragma: keep */

struct address_bits {
	int family;
	unsigned char bytes[sizeof(struct in6_addr)];
};

/* An address with or without brackets, single or doubled colons. */
static bool
read_address(struct str s, struct address_bits *out)
{
	char z[INET6_ADDRSTRLEN];
	size_t n = 0;
	bool doubled = memmem(s.p, s.n, "::::", 4) != NULL;

	if (s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
		s = str_at(s.p + 1, s.n - 2);
	for (size_t i = 0; i < s.n && n + 1 < sizeof(z); i++) {
		z[n++] = s.p[i];
		if (doubled && s.p[i] == ':' && i + 1 < s.n && s.p[i + 1] == ':')
			i++;
	}
	z[n] = '\0';
	out->family = AF_INET;
	if (inet_pton(AF_INET, z, out->bytes) == 1)
		return true;
	out->family = AF_INET6;
	return inet_pton(AF_INET6, z, out->bytes) == 1;
}

static bool
same_bits(const struct address_bits *a, const struct address_bits *b, uint64_t n)
{
	uint64_t all = a->family == AF_INET ? 32 : 128;

	if (a->family != b->family)
		return false;
	for (uint64_t i = 0; i < n && i < all; i++)
		if (((a->bytes[i / 8] ^ b->bytes[i / 8]) >> (7 - i % 8) & 1) != 0)
			return false;
	return true;
}

static bool
item_has(struct str item, const char *configured, const char *canonical, const char *ip)
{
	struct str bits = item, tail = str_skip(item, 1);
	struct str address = str_cut(&bits, '/');
	struct address_bits net, host;
	uint64_t n = 128;

	if (item.p[0] == '*')
		return str_iends(str_of(configured), tail) || str_iends(str_of(canonical), tail);
	if (read_address(address, &net))
		return (bits.p == NULL || num_parse(bits, 128, &n)) &&
		    read_address(str_of(ip), &host) && same_bits(&net, &host, n);
	return str_ieq(item, str_of(configured)) || str_ieq(item, str_of(canonical));
}

/* Show visit() each item, without its "!", until it says that this was enough. */
static bool
each_item(const char *list, bool (*visit)(void *ctx, struct str item, bool not ), void *ctx)
{
	struct str rest = str_trim(str_of(list));
	bool own = rest.n > 1 && rest.p[0] == '<'; /* "<c" names a separator of its own */
	char separator = own ? rest.p[1] : ';';

	rest = str_skip(rest, own ? 2 : 0);
	while (rest.p != NULL) {
		struct str piece = str_trim(str_cut(&rest, separator));

		while (piece.p != NULL) {
			bool whole = own || hostlist_plain_ipv6(piece), not ;
			struct str item = whole ? str_cut(&piece, '\0') : hostlist_item(&piece);

			not = item.n > 0 && item.p[0] == '!';
			item = str_ltrim(str_skip(item, not ? 1 : 0));
			if (item.n > 0 && visit(ctx, item, not ))
				return true;
		}
	}
	return false;
}

struct wanted_host {
	const char *configured, *canonical, *ip;
	bool in;
};

static bool
decides(void *ctx, struct str item, bool not )
{
	struct wanted_host *w = ctx;
	bool fits = item_has(item, w->configured, w->canonical, w->ip);

	w->in = fits && !not ;
	return fits;
}

bool
hostmatch_has(const char *list, const char *configured, const char *canonical, const char *ip)
{
	struct wanted_host w = { configured, canonical, ip, false };

	(void)each_item(list, decides, &w);
	return w.in;
}

static bool
is_strange(void *ctx, struct str item, bool not )
{
	struct fail *f = ctx;
	struct str bits = item, address = str_cut(&bits, '/');
	struct address_bits net;
	uint64_t n;

	(void)not ;
	if (read_address(address, &net))
		return bits.p != NULL && !num_parse(bits, net.family == AF_INET ? 32 : 128, &n) &&
		    !fail_conf(f, "\"%.*s\" is no network, which is as 192.0.2.0/24", S_ARG(item));
	if (item.p[0] == '*')
		return false;
	return !hostlist_name_works(item, f);
}

bool
hostmatch_check(const char *list, struct fail *f)
{
	return !each_item(list, is_strange, f);
}
