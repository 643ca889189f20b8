/* pipe.c - into a program. */
#include "local/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/words.h"

#include "base/banned.h" /* IWYU pragma: keep */

char **
pipe_words(struct arena *a, const char *command, struct fail *f)
{
	const char *fault;
	char **list = words_split(a, str_of(command), &fault);

	if (list == NULL)
		(void)fail_set(f, FAIL_PERM, STAGE_LOCAL, 0, "%s in the command of a pipe", fault);
	return list;
}

/* The output as the end of a sentence. */
static const char *
quoted(struct str output, char text[FAIL_TEXT])
{
	size_t n = 0;

	output = str_trim(output);
	for (size_t i = 0; i < output.n && n < FAIL_TEXT / 2; i++)
		text[n++] = ascii_control(output.p[i]) ? ' ' : output.p[i];
	text[n] = '\0';
	return text;
}

bool
pipe_verdict(const struct pipe_transport *t, const char *program, int status, struct str output,
    struct fail *f)
{
	char words[FAIL_TEXT];
	const char *said = quoted(t->output ? output : STR(""), words);
	const char *colon = said[0] != '\0' ? ": " : "";
	int code;

	if (WIFSIGNALED(status))
		return fail_set(f, FAIL_PERM, STAGE_LOCAL, 0,
		    "Child process of %s transport was terminated by signal %d (%s) from command: "
		    "%.200s%s%s",
		    t->name, WTERMSIG(status), strsignal(WTERMSIG(status)), program, colon, said);
	if (!WIFEXITED(status))
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0, "%s: the program got lost", program);
	code = WEXITSTATUS(status);
	if (code == 0)
		return true;
	return fail_set(f, code == EX_TEMPFAIL || code == EX_CANTCREAT ? FAIL_TEMP : FAIL_PERM,
	    STAGE_LOCAL, 0, "Child process of %s transport returned %d from command: %.200s%s%s",
	    t->name, code, program, colon, said);
}

/* The environment as Exim makes it, and nothing of ours. */
static char *const *
environment(struct arena *a, const struct letter *l, const struct pipe_transport *t)
{
	const struct local_request *rq = l->rq;
	struct mailbox m = mailbox_split(rq->recipient);
	char *const list[] = {
		arena_fmt(a, "LOCAL_PART=%.*s", S_ARG(m.local)),
		arena_fmt(a, "LOGNAME=%s", l->user->name),
		arena_fmt(a, "USER=%s", l->user->name),
		arena_fmt(a, "LOCAL_PART_PREFIX="),
		arena_fmt(a, "LOCAL_PART_SUFFIX="),
		arena_fmt(a, "DOMAIN=%.*s", S_ARG(m.domain)),
		arena_fmt(a, "HOME=%s", l->user->home),
		arena_fmt(a, "MESSAGE_ID=%s", rq->id),
		arena_fmt(a, "PATH=%s", t->path),
		arena_fmt(a, "RECIPIENT=%s", rq->recipient),
		arena_fmt(a, "QUALIFY_DOMAIN=%s", rq->qualify),
		arena_fmt(a, "SENDER=%s", rq->sender),
		arena_fmt(a, "SHELL=/bin/sh"),
		NULL,
	};

	return memcpy(arena_alloc(a, sizeof list), list, sizeof list);
}

/* A name without a slash is looked for in the transport's path. */
static const char *
find_program(struct arena *a, const char *name, const char *path)
{
	struct str rest = str_of(path);

	if (strchr(name, '/') != NULL)
		return name;
	while (rest.p != NULL) {
		struct str directory = str_cut(&rest, ':');
		const char *at = arena_fmt(a, "%.*s/%s", S_ARG(directory), name);

		if (access(at, X_OK) == 0)
			return at;
	}
	return name;
}

/* One program being fed: what it is given next, what it has said. */
struct talk {
	struct letter *l;
	struct child child;
	struct buf give; /* not written yet, from done on */
	size_t done;
	bool tail; /* the empty line behind the message is still to come */
	struct buf said;
	int ended; /* readable when the program has ended; -1: unknown to this kernel */
};

static void
close_in(struct talk *t)
{
	(void)close(t->child.in);
	t->child.in = -1;
}

/* Have something to give, or close its input at the end of the message. */
static bool
refill(struct talk *t, struct fail *f)
{
	char chunk[LETTER_CHUNK];
	size_t got = 0;

	if (t->done < t->give.n)
		return true;
	buf_reset(&t->give);
	t->done = 0;
	if (!letter_read(t->l, chunk, sizeof chunk, &got, f))
		return false;
	buf_add(&t->give, chunk, got);
	if (got == 0 && t->tail) {
		t->tail = false;
		buf_char(&t->give, '\n');
	}
	if (t->give.n == 0)
		close_in(t);
	return buf_ok(&t->give) || fail_set(f, FAIL_TEMP, STAGE_LOCAL, ENOMEM, "out of memory");
}

/* A program that wants no more is judged by its exit status. */
static bool
give(struct talk *t, struct fail *f)
{
	ssize_t n = write(t->child.in, t->give.p + t->done, t->give.n - t->done);

	if (n > 0) {
		t->done += (size_t)n;
		return refill(t, f);
	}
	if (n < 0 && errno == EPIPE)
		close_in(t);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot write to the program");
	return true;
}

/* Hear it, up to a limit; what is beyond is thrown away so that it does not block.
 * False: it has closed its output, or there is nothing now. */
static bool
hear(struct talk *t)
{
	char chunk[4096];
	ssize_t n;

	errno = 0;
	n = read(t->child.out, chunk, sizeof chunk);
	if (n <= 0)
		return false;
	if ((size_t)n > PIPE_OUTPUT_MAX - t->said.n)
		n = (ssize_t)(PIPE_OUTPUT_MAX - t->said.n);
	buf_add(&t->said, chunk, (size_t)n);
	return true;
}

/* Feed and hear it until it ends.  What it leaves running in the background is not waited for. */
static bool
converse(struct talk *t, struct fail *f)
{
	int64_t deadline = clock_ms() + PIPE_SECONDS * INT64_C(1000);
	bool open = true;

	for (;;) {
		struct pollfd p[] = { { .fd = t->child.in, .events = POLLOUT },
			{ .fd = open ? t->child.out : -1, .events = POLLIN },
			{ .fd = t->ended, .events = POLLIN } };
		int64_t left = deadline - clock_ms();

		if (left <= 0)
			return fail_set(f, FAIL_PERM, STAGE_LOCAL, 0,
			    "the program did not end within %d seconds and was killed",
			    PIPE_SECONDS);
		if (poll(p, 3, (int)left) < 0 && errno != EINTR)
			return fail_set(f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot wait");
		if (p[1].revents != 0)
			open = hear(t) || errno == EAGAIN || errno == EINTR;
		if (p[0].revents != 0 && !give(t, f))
			return false;
		if (p[2].revents != 0 || (t->ended < 0 && !open && t->child.in < 0))
			break;
	}
	while (open && hear(t))
		;
	return true;
}

static bool
feed(struct talk *t, struct fail *f)
{
	(void)fcntl(t->child.in, F_SETFL, O_NONBLOCK);
	(void)fcntl(t->child.out, F_SETFL, O_NONBLOCK);
	t->ended = fd_of_process(t->child.pid);
	if (refill(t, f) && converse(t, f))
		return true;
	child_kill(&t->child); /* before its input ends */
	return false;
}

static bool
cannot_start(const struct pipe_transport *t, struct fail *f)
{
	bool never = f->sys == ENOENT || f->sys == EACCES || f->sys == ENOEXEC ||
	    f->sys == ENOTDIR || f->sys == ELOOP;

	if (never && !t->must_exist)
		f->cls = FAIL_PERM;
	return false;
}

static bool
start(
    struct talk *t, struct arena *a, const struct pipe_transport *how, char **argv, struct fail *f)
{
	struct child_program p = { .own_session = true, .errors_too = true };
	mode_t mask;
	bool ok;

	if (chdir(t->l->user->home) != 0)
		return fail_set(
		    f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot go to the home %s", t->l->user->home);
	p.path = find_program(a, argv[0], how->path);
	p.argv = argv;
	p.envp = environment(a, t->l, how);
	mask = umask(022);
	ok = child_start(&t->child, &p, STAGE_LOCAL, f);
	(void)umask(mask);
	return ok || cannot_start(how, f);
}

bool
pipe_deliver(struct letter *l, struct arena *a, const struct pipe_transport *t, const char *command,
    struct fail *f)
{
	struct talk talk = {
		.l = l,
		.child = CHILD_NONE,
		.give = BUF_INIT(LETTER_HEAD_MAX),
		.said = BUF_INIT(PIPE_OUTPUT_MAX),
		.tail = t->from_line,
		.ended = -1,
	};
	char **argv = pipe_words(a, command, f);
	bool ok;

	if (t->from_line)
		letter_from_line(l, &talk.give);
	if (t->head)
		(void)letter_head(l, &talk.give);
	ok = argv != NULL && start(&talk, a, t, argv, f);
	if (ok) {
		int status;

		ok = feed(&talk, f);
		status = child_wait(&talk.child);
		ok = ok && pipe_verdict(t, argv[0], status, buf_get(&talk.said), f);
	}
	cleanup_fd(&talk.ended);
	buf_free(&talk.give);
	buf_free(&talk.said);
	return ok;
}
