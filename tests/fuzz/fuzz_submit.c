/* fuzz_submit.c - the submission protocol from a caller who says anything: what onehop-send takes
 * has nothing in it that would become a command, a header or a line of a file. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/id.h"
#include "mail/mailbox.h"
#include "mail/scan.h"
#include "wire/control.h"
#include "wire/submit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SAID_MAX = 100000 }; /* octets that the socket takes at once */

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
one_line(const char *s)
{
	for (; s != NULL && *s != '\0'; s++)
		must(*s != '\n' && *s != '\r');
}

static void
check_envelope(const struct envelope *e)
{
	struct fail f = FAIL_INIT;

	must(e->nrcpts > 0 && e->nrcpts <= SUBMIT_RECIPIENTS_MAX);
	must(*e->sender == '\0' || mailbox_ok(mailbox_split(e->sender), &f));
	one_line(e->login);
	one_line(e->envid);
	one_line(e->protocol);
	for (size_t i = 0; i < e->nrcpts; i++) {
		must(mailbox_ok(mailbox_split(e->rcpts[i].address), &f));
		one_line(e->rcpts[i].original);
		one_line(e->rcpts[i].orcpt);
	}
}

static void
check_message(const struct message *m)
{
	for (size_t i = 0; i < m->nheaders; i++) {
		struct str h = m->headers[i].text, rest = h;

		must(h.n > 1 && h.p[h.n - 1] == '\n' && scan_field_name(h) != SIZE_MAX);
		while ((rest = str_skip(rest, str_find(rest, '\n') + 1)).n > 0)
			must(rest.p[0] == ' ' || rest.p[0] == '\t');
	}
	must(m->body.size == 0 || m->body.mem != NULL || m->body.fd >= 0);
}

static void
check_control(struct arena *a, const struct buf *payload)
{
	struct control c;
	struct fail f = FAIL_INIT;

	if (!control_read(buf_get(payload), &c, a, &f))
		return;
	must(c.verb <= CONTROL_STATUS);
	for (size_t i = 0; i < c.nids; i++)
		must(id_ok(c.ids[i]));
}

/* All that was said, then the end; a file goes along with the first octet when the first bit says
 * so. */
static bool
say(int fd, struct str said, bool with_file)
{
	AUTO_BUF struct buf octets = BUF_INIT(SAID_MAX);
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec v;
	struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1 };
	AUTO_FD int file = -1;

	buf_put(&octets, said);
	v = (struct iovec){ octets.p, octets.n };
	if (with_file) {
		file = memfd_create("body", MFD_CLOEXEC);
		must(file >= 0 && fd_write_full(file, "some text\n", 10));
		h.msg_control = control;
		h.msg_controllen = sizeof control;
		CMSG_FIRSTHDR(&h)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&h)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&h)->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&h)), &file, sizeof file);
	}
	return sendmsg(fd, &h, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)said.n &&
	    shutdown(fd, SHUT_WR) == 0;
}

static void
hear(int fd)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf payload = BUF_INIT(SUBMIT_RECORD_MAX);
	struct submit_hello hello;
	struct envelope e;
	struct message m;
	struct fail f = FAIL_INIT;

	if (!submit_accept(fd, &hello, &f))
		return;
	if (submit_is_control(fd, &payload)) {
		check_control(&a, &payload);
		return;
	}
	if (submit_receive(fd, NULL, &a, &e, &m, &f)) {
		check_envelope(&e);
		check_message(&m);
	} else {
		must(f.cls != FAIL_NONE && e.nrcpts == 0);
	}
	body_close(&m.body);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int pair[2];

	if (size < 2 || size > SAID_MAX)
		return 0;
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	if (say(pair[0], str_at((const char *)data + 1, size - 1), (data[0] & 1) != 0))
		hear(pair[1]);
	(void)close(pair[0]);
	(void)close(pair[1]);
	return 0;
}
