/* socks.c - asking a SOCKS5 proxy for a connection (RFC 1928), without authentication. */
#include "net/socks.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { VERSION = 5, NO_AUTH = 0, CONNECT = 1, ATYP_V4 = 1, ATYP_NAME = 3, ATYP_V6 = 4 };

/* Not a byte more than asked for: what follows is the server's. */
static bool
read_exactly(struct stream *s, unsigned char *p, size_t n)
{
	while (n > 0) {
		ptrdiff_t r = s->ops->read(s, p, n);

		if (r <= 0)
			return false;
		p += r;
		n -= (size_t)r;
	}
	return true;
}

static size_t
put_request(unsigned char *p, const struct endpoint *to)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&to->addr;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&to->addr;
	bool is_v4 = to->addr.ss_family == AF_INET;
	size_t n = is_v4 ? 4 : 16;

	p[0] = VERSION;
	p[1] = CONNECT;
	p[2] = 0;
	p[3] = is_v4 ? ATYP_V4 : ATYP_V6;
	memcpy(p + 4, is_v4 ? (const void *)&v4->sin_addr : (const void *)&v6->sin6_addr, n);
	memcpy(p + 4 + n, is_v4 ? &v4->sin_port : &v6->sin6_port, 2);
	return 4 + n + 2;
}

/* Read the bound address behind a reply's fixed part; nobody needs it. */
static bool
skip_address(struct stream *s, unsigned char type)
{
	unsigned char p[255 + 2];
	unsigned char n = type == ATYP_V6 ? 16 : 4;

	if (type == ATYP_NAME && !read_exactly(s, &n, 1))
		return false;
	return read_exactly(s, p, (size_t)n + 2);
}

static const char *
reply_text(unsigned char code)
{
	static const char *const text[] = { "", "the proxy failed", "the proxy's rules forbid it",
		"Network is unreachable", "No route to host", "Connection refused", "TTL expired",
		"the proxy cannot connect", "the proxy does not know this kind of address" };

	return code < sizeof(text) / sizeof(text[0]) ? text[code] : "the proxy refused";
}

bool
socks_connect(struct stream *s, const struct endpoint *to, const char **why)
{
	static const unsigned char hello[] = { VERSION, 1, NO_AUTH };
	unsigned char p[32];

	*why = "the proxy closed the connection or did not answer in time";
	if (s->ops->write(s, hello, sizeof(hello)) < 0 || !read_exactly(s, p, 2))
		return false;
	*why = "the proxy wants a login or is no SOCKS5 proxy";
	if (p[0] != VERSION || p[1] != NO_AUTH)
		return false;
	*why = "the proxy closed the connection or did not answer in time";
	if (s->ops->write(s, p, put_request(p, to)) < 0 || !read_exactly(s, p, 4))
		return false;
	*why = reply_text(p[1]);
	if (p[0] != VERSION || p[1] != 0)
		return false;
	*why = "the proxy broke off its answer";
	return skip_address(s, p[3]);
}
