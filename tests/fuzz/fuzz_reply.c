/* fuzz_reply.c - replies from any bytes: codes and limits hold. */
#include <stdint.h>
#include <stdlib.h>

#include "net/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = str_at((const char *)data, size);
	struct reply r = { 0 };

	while (rest.p != NULL) {
		enum reply_step step = reply_feed(&r, str_cut(&rest, '\n'));

		if (step == REPLY_BAD)
			break;
		if (r.code < 200 || r.code > 599 || r.lines > REPLY_LINES_MAX ||
		    r.bytes > REPLY_MAX || r.enh[0] > 5 || r.enh[1] > 999 || r.enh[2] > 999)
			abort();
		if (step == REPLY_DONE)
			r = (struct reply){ 0 };
	}
	return 0;
}
