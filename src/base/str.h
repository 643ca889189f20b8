/* str.h - a slice of bytes that somebody else owns, and ASCII without a locale.
 *
 * What is read is a struct str (may hold NUL bytes, is not terminated); what is
 * built is a struct buf (base/buf.h); C strings live at the edge to libc. */
#ifndef ONEHOP_BASE_STR_H
#define ONEHOP_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })
/* For "%.*s": S_ARG(s).  Slices longer than INT_MAX do not occur (the header limit is 1 MiB). */
#define S_ARG(s) (int)(s).n, (s).p

static inline struct str
str_of(const char *z)
{
	return (struct str){ z, strlen(z) };
}

/* The n bytes at p. */
static inline struct str
str_at(const char *p, size_t n)
{
	return (struct str){ p, n };
}

static inline bool
ascii_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

static inline bool
ascii_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
ascii_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
ascii_alnum(char c)
{
	return ascii_alpha(c) || ascii_digit(c);
}

/* C0 controls and DEL. */
static inline bool
ascii_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static inline bool
ascii_8bit(char c)
{
	return (unsigned char)c >= 0x80;
}

static inline char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static inline char
ascii_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

bool str_eq(struct str a, struct str b);           /* byte for byte */
bool str_ieq(struct str a, struct str b);          /* ASCII case folded */
bool str_starts(struct str s, struct str prefix);  /* byte for byte */
bool str_istarts(struct str s, struct str prefix); /* ASCII case folded */
bool str_iends(struct str s, struct str suffix);   /* ASCII case folded */
bool str_8bit(struct str s);                       /* any byte >= 0x80? */

/* Octets of the well-formed UTF-8 sequence at the front of s, which is not empty (RFC 3629), or 0.
 */
size_t str_utf8(struct str s);
/* The number of that character; 0: it is NUL or no UTF-8. */
unsigned str_code(struct str s);
/* The octets of the first character of s (not empty) when people may be shown it as it is.  0: it
 * is a control (C0, C1, DEL), turns or hides what stands beside it (bidirectional, zero width), or
 * is no UTF-8. */
size_t str_shown(struct str s);

/* Index of the first byte c in s, or s.n when there is none (c may be 0). */
size_t str_find(struct str s, char c);
/* s without its first n bytes (empty when n >= s.n). */
struct str str_skip(struct str s, size_t n);
/* White space (ascii_space) cut from both ends; from the left only; from the right only. */
struct str str_trim(struct str s);
struct str str_ltrim(struct str s);
struct str str_rtrim(struct str s);
/* Cut *s at the first c: returns what stands before it and leaves in *s what stands
 * behind it.  Without a c all of it is returned and *s is left with p == NULL, n == 0,
 * so "while (rest.p != NULL)" visits each piece of a list, the empty ones too. */
struct str str_cut(struct str *s, char c);
/* Cut the next word off the front of *s: what stands between white space; empty at the end. */
struct str str_word(struct str *s);
/* Tells names apart that are too long, not from those of somebody who chooses them. */
uint64_t str_hash(struct str s);
#endif
