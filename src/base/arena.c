/* arena.c - memory that is freed all at once. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <sysexits.h>

#include "base/banned.h" /* IWYU pragma: keep */

enum { BLOCK = 16384, ALIGN = 16 };

struct arena_block {
	struct arena_block *next;
	size_t used; /* bytes of data[]; more than BLOCK: it is a large one */
	_Alignas(ALIGN) char data[];
};

static _Noreturn void
no_memory(void)
{
	static const char text[] = "onehop: out of memory, the message was not taken\n";

	(void)!write(STDERR_FILENO, text, sizeof text - 1);
	_exit(EX_TEMPFAIL);
}

/* A block of its own: pages that are not used are not touched. */
static void *
large(struct arena *a, size_t n)
{
	struct arena_block *b;

	if (n > SIZE_MAX - sizeof *b || (b = calloc(1, sizeof *b + n)) == NULL)
		no_memory();
	b->used = n;
	if (a->head != NULL) { /* keep filling the block that has room */
		b->next = a->head->next;
		a->head->next = b;
	} else {
		a->head = b;
	}
	return b->data;
}

static void
add_block(struct arena *a)
{
	struct arena_block *b = malloc(sizeof *b + BLOCK);

	if (b == NULL)
		no_memory();
	b->used = 0;
	b->next = a->head;
	a->head = b;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	void *p;

	if (n > SIZE_MAX - ALIGN)
		no_memory();
	n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (n > BLOCK)
		return large(a, n);
	if (a->head == NULL || a->head->used + n > BLOCK)
		add_block(a);
	p = a->head->data + a->head->used;
	a->head->used += n;
	return memset(p, 0, n);
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
	size_t n;

	if (__builtin_mul_overflow(count, size, &n))
		no_memory();
	return arena_alloc(a, n);
}

char *
arena_strz(struct arena *a, struct str s)
{
	char *p;

	if (s.n == SIZE_MAX)
		no_memory();
	p = arena_alloc(a, s.n + 1);
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

struct str
arena_str(struct arena *a, struct str s)
{
	return str_at(arena_strz(a, s), s.n);
}

char *
arena_fmt(struct arena *a, const char *fmt, ...)
{
	char usual[256], *p;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(usual, sizeof usual, fmt, ap);
	va_end(ap);
	if (n < 0)
		no_memory();
	if ((size_t)n < sizeof usual)
		return arena_strz(a, str_at(usual, (size_t)n));
	p = arena_alloc(a, (size_t)n + 1);
	va_start(ap, fmt);
	(void)vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

void *
arena_grow(struct arena *a, void *array, size_t n, size_t size)
{
	size_t cap = n == 0 ? 4 : n;
	void *p;

	if (array != NULL && (n < 4 || (n & (n - 1)) != 0))
		return array;
	if (n != 0 && __builtin_mul_overflow(n, (size_t)2, &cap))
		no_memory();
	p = arena_array(a, cap, size);
	if (array != NULL)
		memcpy(p, array, n * size);
	return p;
}

void
arena_free(struct arena *a)
{
	while (a->head != NULL) {
		struct arena_block *next = a->head->next;

		free(a->head);
		a->head = next;
	}
}
