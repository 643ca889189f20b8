/* secret.c - a login and its password, in locked memory. */
#include "conf/secret.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/banned.h" /* IWYU pragma: keep */

void *
secret_lock(size_t size, struct fail *f)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		(void)fail_set(f, FAIL_TEMP, STAGE_CONFIG, errno, "no memory for a password");
		return NULL;
	}
	/* Where the limit on locked memory is too small the page may be swapped; that is all. */
	(void)mlock(p, size);
	(void)madvise(p, size, MADV_DONTDUMP);
	return p;
}

void
secret_unlock(void *p, size_t size)
{
	if (p == NULL)
		return;
	explicit_bzero(p, size);
	(void)munmap(p, size);
}

void
secret_wipe(struct secret *s)
{
	secret_unlock(s->page, s->page_size);
	buf_wipe(&s->left);
	buf_free(&s->left);
	*s = (struct secret){ .login = { 0 } };
}

static struct str
copy(char *to, struct str from)
{
	memcpy(to, from.p, from.n);
	return str_at(to, from.n);
}

bool
secret_copy(struct secret *s, struct str login, struct str password, struct fail *f)
{
	char *page;

	if (login.n > SECRET_MAX || password.n > SECRET_MAX)
		return fail_set(f, FAIL_TEMP, STAGE_CONFIG, 0, "the password is too long");
	s->page_size = (size_t)2 * SECRET_MAX;
	s->page = page = secret_lock(s->page_size, f);
	if (page == NULL)
		return false;
	s->login = copy(page, login);
	s->password = copy(page + SECRET_MAX, password);
	return true;
}
