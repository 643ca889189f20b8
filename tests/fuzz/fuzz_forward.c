/* fuzz_forward.c - a .forward, a command and the talk with onehop-local from any bytes: what was
 * understood can be said, and reads back as it was. */
#include <stdlib.h>

#include "local/forward.h"
#include "local/pipe.h"
#include "wire/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

/* The files of :include: are not this target's. */
static bool
includes(struct str s)
{
	for (; s.n > 0; s = str_skip(s, 1))
		if (str_starts(s, STR(":include:")))
			return true;
	return false;
}

static void
check_probe(struct arena *a, struct str text)
{
	AUTO_BUF struct buf said = BUF_INIT(FRAME_MAX + FRAME_LENGTH);
	struct probe p, heard;
	struct fail f = FAIL_INIT;

	if (includes(text) || !forward_parse(a, text, "x", &p, &f))
		return;
	reply_ok(&said, &p);
	must(buf_ok(&said));
	for (size_t i = 0; i < said.n; i++) /* frame_read() takes it */
		must(said.p[i] == '\0' || said.p[i] == '\t' || !ascii_control(said.p[i]));
	must(reply_read(str_skip(buf_get(&said), FRAME_LENGTH), a, &heard, &f));
	must(heard.found == p.found && heard.discard == p.discard && heard.nitems == p.nitems);
	for (size_t i = 0; i < p.nitems; i++)
		must(heard.items[i].transport == p.items[i].transport &&
		    strcmp(heard.items[i].text, p.items[i].text) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA struct arena a = { NULL };
	struct str text = str_at((const char *)data, size);
	struct probe p;
	struct fail f = FAIL_INIT;
	char **words;

	check_probe(&a, text);
	if (reply_read(text, &a, &p, &f))
		must(size >= 2);
	words = pipe_words(&a, arena_strz(&a, text), &f);
	must(words == NULL || words[0] != NULL);
	return 0;
}
