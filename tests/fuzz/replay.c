/* replay.c - a main() for fuzz targets without libFuzzer: seeds and finds as a regression test.
 *
 * fuzz_NOUN reads each file of tests/fuzz/NOUN.in and NOUN.repro (below $top_srcdir), or the
 * files named as arguments, and prints TAP.  A crash fails the test by ending it early. */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 20 };

static void
run_file(const char *path, unsigned number)
{
	AUTO_FILE FILE *f = fopen(path, "rbe");
	uint8_t *data, *exact;
	size_t n;

	if (f == NULL || (data = malloc(INPUT_MAX)) == NULL)
		err(99, "%s", path);
	n = fread(data, 1, INPUT_MAX, f);
	/* As large as the input, so that a sanitizer sees a read past its end. */
	if ((exact = malloc(n > 0 ? n : 1)) == NULL)
		err(99, "%s", path);
	memcpy(exact, data, n);
	free(data);
	(void)LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	printf("ok %u - %s\n", number, path);
	(void)fflush(stdout);
}

static unsigned
run_directory(const char *path, unsigned number)
{
	struct dirent **files;
	int n = scandir(path, &files, NULL, alphasort);

	if (n < 0 && errno == ENOENT)
		return number;
	if (n < 0)
		err(99, "%s", path);
	for (int i = 0; i < n; i++) {
		char name[4096];

		(void)snprintf(name, sizeof name, "%s/%s", path, files[i]->d_name);
		if (files[i]->d_name[0] != '.')
			run_file(name, ++number);
		free(files[i]);
	}
	free((void *)files);
	return number;
}

int
main(int argc, char **argv)
{
	const char *top = getenv("top_srcdir");
	const char *noun = strrchr(program_invocation_name, '_');
	unsigned number = 0;

	for (int i = 1; i < argc; i++)
		run_file(argv[i], ++number);
	for (int i = 0; i < 2 && argc == 1 && noun != NULL; i++) {
		char dir[2048];

		(void)snprintf(dir, sizeof dir, "%s/tests/fuzz/%s.%s", top != NULL ? top : ".",
		    noun + 1, i == 0 ? "in" : "repro");
		number = run_directory(dir, number);
	}
	printf("1..%u%s\n", number, number == 0 ? " # SKIP no inputs" : "");
	return 0;
}
