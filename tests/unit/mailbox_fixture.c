/* mailbox_fixture.c - one message on a pipe and a home to deliver it in. */
#include "mailbox_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"

#include "base/banned.h" /* IWYU pragma: keep */

static const char *envelope_to[] = { "fax@debian", "ali@debian" };

int
fixture_make(void **state)
{
	struct fixture *x = calloc(1, sizeof *x);
	char path[] = "/tmp/onehop-test-XXXXXX";

	*state = x;
	if (x == NULL || mkdtemp(path) == NULL || chdir(path) != 0)
		return 1;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)setenv("TZ", "UTC0", 1);
	(void)umask(077);
	x->user =
	    (struct user){ "fax", arena_fmt(&x->arena, "%s", path), "/bin/sh", getuid(), getgid() };
	x->rq = (struct local_request){
		.path = "",
		.maildir = "$home/Maildir",
		.host = "debian",
		.qualify = "debian",
		.id = "1abcde-000001-2f",
		.sender = "alice@debian",
		.recipient = "fax@debian",
		.envelope_to = envelope_to,
		.nenvelope_to = 2,
		.now = 1000,
	};
	x->letter = (struct letter){ .fd = -1, .rq = &x->rq, .user = &x->user, .sec = 1000 };
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int
fixture_remove(void **state)
{
	struct fixture *x = *state;

	(void)!chdir("/");
	(void)nftw(x->user.home, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	cleanup_fd(&x->letter.fd);
	arena_free(&x->arena);
	free(x);
	return 0;
}

void
fixture_message(struct fixture *x, const char *text, uint64_t size)
{
	cleanup_fd(&x->letter.fd);
	x->letter.fd = open("message", O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
	assert_true(x->letter.fd >= 0);
	assert_int_equal(unlink("message"), 0);
	assert_true(fd_write_full(x->letter.fd, text, strlen(text)));
	assert_int_equal(lseek(x->letter.fd, 0, SEEK_SET), 0);
	x->letter.left = size;
}

char *
fixture_read(struct fixture *x, const char *path)
{
	struct fail f = FAIL_INIT;
	struct str text;

	if (!file_read(&x->arena, path, &text, &f))
		return NULL;
	return arena_strz(&x->arena, text);
}

char *
fixture_list(struct fixture *x, const char *path)
{
	AUTO_BUF struct buf out = BUF_INIT(65536);
	struct dirent **names;
	int n = scandir(path, &names, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.')
			buf_fmt(&out, "%s%s", out.n > 0 ? " " : "", names[i]->d_name);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return arena_strz(&x->arena, buf_get(&out));
}
