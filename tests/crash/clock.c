/* clock.c - preloaded into every program of a sandbox: its clocks are off by what /etc/clock says,
 * two numbers of seconds, one for the wall clock and one for the time since the boot. */
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long long
off(clockid_t id)
{
	long long wall = 0, boot = 0;
	FILE *f = fopen("/etc/clock", "re");

	if (f != NULL) {
		if (fscanf(f, "%lld %lld", &wall, &boot) != 2)
			wall = boot = 0;
		(void)fclose(f);
	}
	if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
		return wall;
	return id == CLOCK_BOOTTIME || id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_COARSE ?
	    boot :
	    0;
}

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
