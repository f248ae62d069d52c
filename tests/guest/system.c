/* SPDX-License-Identifier: Apache-2.0 */
/* The machine as calls tell it, limits, prctl, random bytes. */
#include "check.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

static void names(void)
{
	struct utsname u;
	char host[256];

	OK(uname(&u));
	CHECK(!strcmp(u.sysname, "Linux"));
	CHECK(!strcmp(u.machine, "x86_64"));
	CHECK(u.release[0] >= '5');
	OK(gethostname(host, sizeof(host)));
	CHECK(!strcmp(host, u.nodename));
	FAILS(syscall(SYS_uname, NOWHERE), EFAULT);
	if (geteuid() != 0)
		FAILS(sethostname("x", 1), EPERM);
}

static void sizes(void)
{
	struct sysinfo si;
	cpu_set_t set;
	unsigned cpu, node;

	OK(sysinfo(&si));
	CHECK(si.uptime >= 0 && si.totalram > 0 && si.mem_unit > 0);
	CHECK(si.procs >= 1);
	OK(sched_getaffinity(0, sizeof(set), &set));
	CHECK(CPU_COUNT(&set) >= 1);
	EQ(sysconf(_SC_PAGESIZE), 4096);
	CHECK(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
	OK(getcpu(&cpu, &node));
	CHECK(CPU_ISSET(cpu, &set));
	FAILS(syscall(SYS_sched_getaffinity, 0, 1, &set), EINVAL);
	FAILS(syscall(SYS_sched_getaffinity, 0x3ffffff, 128, &set), ESRCH);
	EQ(sched_getscheduler(0), SCHED_OTHER);
	EQ(sched_get_priority_max(SCHED_FIFO), 99);
	errno = 0;
	CHECK(getpriority(PRIO_PROCESS, 0) >= -20 && errno == 0);
}

static void rlimits(void)
{
	struct rlimit r, low;

	for (int i = 0; i < 16; i++) {
		OK(getrlimit((__rlimit_resource_t)i, &r));
		CHECK(r.rlim_cur <= r.rlim_max);
	}
	FAILS(getrlimit((__rlimit_resource_t)16, &r), EINVAL);
	OK(getrlimit(RLIMIT_CORE, &r));
	low = (struct rlimit){r.rlim_max, r.rlim_max};
	OK(setrlimit(RLIMIT_CORE, &low));
	low = (struct rlimit){5, 4};
	FAILS(setrlimit(RLIMIT_CORE, &low), EINVAL);
	OK(prlimit(0, RLIMIT_NOFILE, NULL, &r));
	CHECK(r.rlim_cur >= 256);
	low = (struct rlimit){0, 0};
	OK(setrlimit(RLIMIT_CORE, &low));
	low.rlim_max = 10;
	if (geteuid() != 0)
		FAILS(setrlimit(RLIMIT_CORE, &low), EPERM);
}

static void on_xfsz(int sig)
{
	(void)sig;
}

static void file_size(void *arg)
{
	struct rlimit r = {100, RLIM_INFINITY};
	int fd = open("big", O_RDWR | O_CREAT, 0600);

	(void)arg;
	OK(fd);
	r.rlim_max = 100;
	OK(setrlimit(RLIMIT_FSIZE, &r));
	signal(SIGXFSZ, on_xfsz);
	EQ(pwrite(fd, "0123456789", 10, 95), 5);
	FAILS(pwrite(fd, "x", 1, 100), EFBIG);
	FAILS(ftruncate(fd, 101), EFBIG);
	OK(ftruncate(fd, 100));
}

static void limits_inherit(void *arg)
{
	struct rlimit r;

	(void)arg;
	OK(getrlimit(RLIMIT_CORE, &r));
	EQ(r.rlim_max, 0);
}

static void controls(void)
{
	char name[16];
	int v;

	OK(prctl(PR_SET_NAME, "a-very-long-name-for-this"));
	OK(prctl(PR_GET_NAME, name));
	CHECK(!strcmp(name, "a-very-long-nam"));
	OK(prctl(PR_GET_DUMPABLE) == -1 ? -1 : 0);
	OK(prctl(PR_SET_DUMPABLE, 0));
	EQ(prctl(PR_GET_DUMPABLE), 0);
	OK(prctl(PR_SET_DUMPABLE, 1));
	EQ(prctl(PR_GET_DUMPABLE), 1);
	FAILS(prctl(PR_SET_DUMPABLE, 7), EINVAL);
	OK(prctl(PR_SET_PDEATHSIG, SIGHUP));
	OK(prctl(PR_GET_PDEATHSIG, &v));
	EQ(v, SIGHUP);
	OK(prctl(PR_SET_PDEATHSIG, 0));
	FAILS(prctl(PR_SET_PDEATHSIG, 99), EINVAL);
	OK(prctl(PR_GET_CHILD_SUBREAPER, &v));
	EQ(v, 0);
	FAILS(prctl(0x5a5a), EINVAL);
	EQ(prctl(PR_CAPBSET_READ, 0) >= 0, 1);
	FAILS(prctl(PR_CAPBSET_READ, 99), EINVAL);
}

static void randomness(void)
{
	unsigned char a[64] = {0}, b[64] = {0}, zero[64] = {0};
	int fd;

	EQ(getrandom(a, sizeof(a), 0), 64);
	EQ(getrandom(b, sizeof(b), GRND_NONBLOCK), 64);
	CHECK(memcmp(a, b, 64) != 0 && memcmp(a, zero, 64) != 0);
	FAILS(getrandom(a, 1, 0x100), EINVAL);
	FAILS(syscall(SYS_getrandom, NOWHERE, 1, 0), EFAULT);
	fd = open("/dev/urandom", O_RDONLY);
	EQ(read(fd, a, 64), 64);
	CHECK(memcmp(a, b, 64) != 0);
	OK(close(fd));
	OK(getentropy(a, 64));
}

static void devices(void)
{
	char buf[16];
	int fd = open("/dev/null", O_RDWR);

	EQ(write(fd, "x", 1), 1);
	EQ(read(fd, buf, 1), 0);
	OK(close(fd));
	fd = open("/dev/zero", O_RDWR);
	memset(buf, 1, 16);
	EQ(read(fd, buf, 16), 16);
	EQ(buf[15], 0);
	EQ(write(fd, buf, 16), 16);
	OK(close(fd));
	fd = open("/dev/full", O_RDWR);
	FAILS(write(fd, "x", 1), ENOSPC);
	EQ(read(fd, buf, 4), 4);
	OK(close(fd));
	CHECK(access("/dev/stdin", F_OK) == 0 || errno == ENOENT ||
	      errno == EACCES || errno == ENXIO);
}

/* What we do not know is refused in the usual words. */
static void unknown(void)
{
	FAILS(syscall(5000), ENOSYS);
	FAILS(syscall(-2), ENOSYS);
	EQ(syscall(SYS_personality, 0xffffffff), 0);
}

int main(void)
{
	scratch();
	names();
	sizes();
	apart(file_size, NULL);
	rlimits();
	apart(limits_inherit, NULL);
	controls();
	randomness();
	devices();
	unknown();
	return 0;
}
