/* musl.c - the functions of glibc that Debian's libraries call and musl has not, so that a program
 * for musl can load them (tests/harness/musl).  Checked forms do what the plain ones do. */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

char __libc_single_threaded;

void *
__memcpy_chk(void *to, const void *from, size_t n, size_t size)
{
	(void)size;
	return memcpy(to, from, n);
}

void *
__memmove_chk(void *to, const void *from, size_t n, size_t size)
{
	(void)size;
	return memmove(to, from, n);
}

void *
__memset_chk(void *to, int c, size_t n, size_t size)
{
	(void)size;
	return memset(to, c, n);
}

void
__explicit_bzero_chk(void *p, size_t n, size_t size)
{
	(void)size;
	explicit_bzero(p, n);
}

char *
__strcpy_chk(char *to, const char *from, size_t size)
{
	(void)size;
	return strcpy(to, from);
}

char *
__stpcpy_chk(char *to, const char *from, size_t size)
{
	(void)size;
	return stpcpy(to, from);
}

char *
__strcat_chk(char *to, const char *from, size_t size)
{
	(void)size;
	return strcat(to, from);
}

long
__isoc23_strtol(const char *s, char **end, int base)
{
	return strtol(s, end, base);
}

unsigned long
__isoc23_strtoul(const char *s, char **end, int base)
{
	return strtoul(s, end, base);
}

_Noreturn void
__longjmp_chk(jmp_buf to, int value)
{
	longjmp(to, value);
}

int
__register_atfork(void (*before)(void), void (*parent)(void), void (*child)(void), void *library)
{
	(void)library;
	return pthread_atfork(before, parent, child);
}

int
__vprintf_chk(int flag, const char *fmt, va_list ap)
{
	(void)flag;
	return vprintf(fmt, ap);
}

int
__vfprintf_chk(FILE *f, int flag, const char *fmt, va_list ap)
{
	(void)flag;
	return vfprintf(f, fmt, ap);
}

int
__vsnprintf_chk(char *to, size_t n, int flag, size_t size, const char *fmt, va_list ap)
{
	(void)flag;
	(void)size;
	return vsnprintf(to, n, fmt, ap);
}

int
__vsprintf_chk(char *to, int flag, size_t size, const char *fmt, va_list ap)
{
	(void)flag;
	return vsnprintf(to, size, fmt, ap);
}

int
__vasprintf_chk(char **to, int flag, const char *fmt, va_list ap)
{
	(void)flag;
	return vasprintf(to, fmt, ap);
}

/* name(first arguments, ...), as with its va_list form */
#define VARIADIC(name, form, parameters, ...) \
	int name parameters \
	{ \
		va_list ap; \
		int said; \
\
		va_start(ap, fmt); \
		said = form(__VA_ARGS__, fmt, ap); \
		va_end(ap); \
		return said; \
	}

VARIADIC(__printf_chk, __vprintf_chk, (int flag, const char *fmt, ...), flag)
VARIADIC(__fprintf_chk, __vfprintf_chk, (FILE * f, int flag, const char *fmt, ...), f, flag)
VARIADIC(__snprintf_chk, __vsnprintf_chk,
    (char *to, size_t n, int flag, size_t size, const char *fmt, ...), to, n, flag, size)
VARIADIC(__sprintf_chk, __vsprintf_chk, (char *to, int flag, size_t size, const char *fmt, ...), to,
    flag, size)
VARIADIC(__asprintf_chk, __vasprintf_chk, (char **to, int flag, const char *fmt, ...), to, flag)

void
__syslog_chk(int priority, int flag, const char *fmt, ...)
{
	va_list ap;

	(void)flag;
	va_start(ap, fmt);
	vsyslog(priority, fmt, ap);
	va_end(ap);
}

int
pthread_rwlockattr_setkind_np(pthread_rwlockattr_t *attr, int kind)
{
	(void)attr;
	(void)kind;
	return 0;
}

/* libgmp's printf to an obstack and libgssglue: never called by what onehop uses. */
void
_obstack_newchunk(void *stack, int n)
{
	(void)stack;
	(void)n;
	abort();
}

int
obstack_vprintf(void *stack, const char *fmt, va_list ap)
{
	(void)stack;
	(void)fmt;
	(void)ap;
	abort();
}
