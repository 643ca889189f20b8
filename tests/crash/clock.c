/* clock.c - preloaded into every program of a sandbox: its clocks are off by what /etc/clock says,
 * two numbers of seconds, one for the wall clock and one for the time since the boot. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long long
off(clockid_t id)
{
	char line[64] = "", *second = line;
	FILE *f = fopen("/etc/clock", "re");
	long long wall, boot;

	if (f != NULL) {
		if (fgets(line, sizeof line, f) == NULL)
			line[0] = '\0';
		(void)fclose(f);
	}
	wall = strtoll(line, &second, 10);
	boot = strtoll(second, NULL, 10);
	if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
		return wall;
	return id == CLOCK_BOOTTIME || id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_COARSE ?
	    boot :
	    0;
}

/* glibc's names of the arguments are reserved. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
int
clock_gettime(clockid_t id, struct timespec *t)
{
	long r = syscall(SYS_clock_gettime, id, t);

	if (r == 0)
		t->tv_sec += off(id);
	return (int)r;
}

time_t
time(time_t *out)
{
	struct timespec t = { 0, 0 };

	(void)clock_gettime(CLOCK_REALTIME, &t);
	if (out != NULL)
		*out = t.tv_sec;
	return t.tv_sec;
}

int
gettimeofday(struct timeval *out, void *zone)
{
	struct timespec t = { 0, 0 };

	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &t);
	out->tv_sec = t.tv_sec;
	out->tv_usec = t.tv_nsec / 1000;
	return 0;
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
