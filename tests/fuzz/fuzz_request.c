/* fuzz_request.c - what onehop-local hears, and what it may answer: what is read can be said again,
 * and is then the same. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "wire/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static int
file_of(struct str s)
{
	int fd = memfd_create("said", MFD_CLOEXEC);

	must(fd >= 0 && fd_write_full(fd, s.p, s.n) && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static void
check_request(struct str said)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf first = BUF_INIT(FRAME_MAX + FRAME_LENGTH), second = first;
	AUTO_FD int fd = file_of(said), again = -1;
	struct local_request r;
	struct fail f = FAIL_INIT;

	if (!request_read(fd, &a, &r, &f)) {
		must(f.cls == FAIL_TEMP && f.text[0] != '\0');
		return;
	}
	must(request_write(&r, &first, &f));
	again = file_of(buf_get(&first));
	must(request_read(again, &a, &r, &f) && request_write(&r, &second, &f));
	must(str_eq(buf_get(&first), buf_get(&second)));
}

static void
check_reply(struct str said)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_FD int fd = file_of(said);
	struct str fields;
	struct probe p;
	struct fail f = FAIL_INIT;

	if (!frame_read(fd, &a, &fields))
		return;
	if (!reply_read(fields, &a, &p, &f))
		must(f.cls != FAIL_NONE);
	else
		for (size_t i = 0; i < p.nitems; i++)
			must(p.items[i].text[0] != '\0');
}

static void
check_opening(struct str said)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_FD int fd = file_of(said);
	const char *verb, *user;

	if (opening_read(fd, &a, &verb, &user))
		for (const char *s = user; *s != '\0'; s++)
			must(*s != '\n' && *s != '\r');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str said = str_at((const char *)data, size);

	check_request(said);
	check_reply(said);
	check_opening(said);
	return 0;
}
