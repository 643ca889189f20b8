/* fuzz_num.c - numbers, times, sizes and base64 from any bytes; what is written reads back. */
#include <stdlib.h>

#include "base/b64.h"
#include "base/num.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = str_at((const char *)data, size);
	AUTO_BUF struct buf bytes = BUF_INIT(1 << 20);
	AUTO_BUF struct buf again = BUF_INIT(1 << 21);
	uint64_t v, back;
	char text[48];

	if (num_parse(s, 1000, &v))
		must(v <= 1000);
	if (num_parse_size(s, &v))
		must(size > 0);
	if (num_parse_seconds(s, &v)) {
		must(num_parse_seconds(str_of(num_format_seconds(v, text)), &back));
		must(back == v);
	}
	if (b64_decode(&bytes, s) && buf_ok(&bytes)) {
		b64_encode(&again, buf_get(&bytes));
		must(str_eq(buf_get(&again), s));
	}
	return 0;
}
