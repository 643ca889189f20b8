/* fuzz_smtpd.c - a session of -bs with any client: it ends, each reply is one, and what is handed
 * on may be used.  The door is this file's: nothing is started. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "front/handover.h"
#include "front/smtpd.h"
#include "wire/submit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* The linker gives these to who calls door_open() and so on (Makefile.am). */
#define INSTEAD_OF(name) __asm__("__wrap_" #name)
bool own_door_open(struct door *d, struct arena *a, const struct door_caller *who, struct fail *f)
    INSTEAD_OF(door_open);
bool own_hello(int fd, const struct submit_hello *h, struct fail *f) INSTEAD_OF(submit_hello);
bool own_message(int fd, const struct envelope *e, struct message *m, struct fail *f)
    INSTEAD_OF(submit_message);
bool own_result(struct submit_talk *talk, struct envelope *e, struct arena *a,
    const struct trace *t, struct fail *f) INSTEAD_OF(submit_result);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

bool
own_door_open(struct door *d, struct arena *a, const struct door_caller *who, struct fail *f)
{
	(void)a, (void)who, (void)f;
	d->fd = memfd_create("door", MFD_CLOEXEC);
	d->pid = 0;
	return d->fd >= 0;
}

bool
own_hello(int fd, const struct submit_hello *h, struct fail *f)
{
	(void)fd, (void)h, (void)f;
	return true;
}

bool
own_message(int fd, const struct envelope *e, struct message *m, struct fail *f)
{
	(void)fd;
	must(e->nrcpts > 0 && m->nheaders > 0);
	must(*e->sender == '\0' || mailbox_ok(mailbox_split(e->sender), f));
	for (size_t i = 0; i < e->nrcpts; i++)
		must(mailbox_ok(mailbox_split(e->rcpts[i].address), f));
	return true;
}

bool
own_result(struct submit_talk *talk, struct envelope *e, struct arena *a, const struct trace *t,
    struct fail *f)
{
	(void)a, (void)t, (void)f;
	for (size_t i = 0; i < e->nrcpts; i++)
		e->rcpts[i].state = RCPT_SENT;
	talk->ended = true;
	return true;
}

/* Lines of three digits, a blank or a hyphen, and printable octets, each ended by CRLF. */
static void
check_replies(int fd)
{
	AUTO_BUF struct buf all = BUF_INIT(1 << 26);
	char piece[4096];
	ssize_t n;

	must(lseek(fd, 0, SEEK_SET) == 0);
	while ((n = fd_read_full(fd, piece, sizeof piece)) > 0)
		buf_put(&all, str_at(piece, (size_t)n));
	must(buf_ok(&all) && all.n > 0);
	for (struct str rest = buf_get(&all), line; rest.n > 0;) {
		size_t end = str_find(rest, '\n');

		must(end < rest.n && end > 4 && rest.p[end - 1] == '\r');
		line = str_at(rest.p, end - 1);
		must(
		    line.p[0] >= '2' && line.p[0] <= '5' && (line.p[3] == ' ' || line.p[3] == '-'));
		for (size_t i = 0; i < line.n; i++)
			must(line.p[i] >= ' ' && line.p[i] <= '~');
		rest = str_skip(rest, end + 1);
	}
}

static void
serve(struct arena *a)
{
	struct cmdline cmd = { .delivery = -1 };
	struct session_start s = { .cmd = &cmd, .arena = a };

	conf_init(&s.conf, a);
	s.conf.primary_hostname = s.conf.qualify_domain = "debian";
	s.conf.recipients_max = 20;
	s.conf.message_size_limit = 4096;
	s.caller.uid = 1000;
	s.caller.login = "alice";
	s.caller.gecos = "Alice";
	s.caller.home = "/";
	(void)cli_smtpd(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_FD int in = memfd_create("in", MFD_CLOEXEC), out = memfd_create("out", MFD_CLOEXEC);
	AUTO_FD int null = open("/dev/null", O_WRONLY | O_CLOEXEC), words = dup(STDERR_FILENO);

	must(in >= 0 && out >= 0 && null >= 0 && words >= 0);
	must(fd_write_full(in, (const char *)data, size) && lseek(in, 0, SEEK_SET) == 0);
	must(dup2(in, STDIN_FILENO) == STDIN_FILENO);
	{
		AUTO_FD int said = dup(STDOUT_FILENO);

		must(said >= 0 && dup2(out, STDOUT_FILENO) >= 0 && dup2(null, STDERR_FILENO) >= 0);
		serve(&a);
		must(dup2(words, STDERR_FILENO) >= 0 && dup2(said, STDOUT_FILENO) >= 0);
	}
	check_replies(out);
	return 0;
}
