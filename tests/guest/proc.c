/* SPDX-License-Identifier: Apache-2.0 */
/* /proc as programs read it. */
#include "check.h"

#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/sysinfo.h>

static char text[1 << 16];

static const char *slurp(const char *path)
{
	get_file(path, text, sizeof(text));
	return text;
}

static long field(const char *path, const char *name)
{
	const char *at = strstr(slurp(path), name);

	if (!at)
		fprintf(stderr, "%s: no %s\n", path, name);
	CHECK(at);
	return strtol(at + strlen(name), NULL, 10);
}

static void me(void)
{
	char buf[PATH_MAX], path[64], *end;
	ssize_t n = readlink("/proc/self", buf, sizeof(buf) - 1);

	CHECK(n > 0);
	buf[n] = 0;
	EQ(atoi(buf), getpid());
	/* stat: the name is in brackets and may hold anything. */
	OK(prctl(PR_SET_NAME, "a) b (c"));
	CHECK(strstr(slurp("/proc/self/stat"), "(a) b (c) R "));
	EQ(atoi(text), getpid());
	end = strrchr(text, ')');
	EQ(atoi(end + 4), getppid());
	CHECK(!strcmp(slurp("/proc/self/comm"), "a) b (c\n"));
	EQ(field("/proc/self/status", "\nPid:\t"), getpid());
	EQ(field("/proc/self/status", "\nPPid:\t"), getppid());
	EQ(field("/proc/self/status", "\nUid:\t"), getuid());
	EQ(field("/proc/self/status", "\nThreads:\t"), 1);
	CHECK(field("/proc/self/status", "\nVmRSS:") > 0);
	CHECK(strtol(slurp("/proc/self/statm"), NULL, 10) > 0);
	n = get_file("/proc/self/cmdline", text, sizeof(text));
	CHECK(n > 1 && text[n - 1] == 0);
	CHECK(strstr(text, "proc"));
	n = readlink("/proc/self/exe", buf, sizeof(buf));
	CHECK(n > 5 && !memcmp(buf + n - 5, "/proc", 5));
	n = readlink("/proc/self/root", buf, sizeof(buf));
	CHECK(n == 1 && buf[0] == '/');
	snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", getpid(),
	         getpid());
	CHECK(!strcmp(slurp(path), "a) b (c\n"));
	CHECK(strstr(slurp("/proc/self/limits"), "Max open files"));
	slurp("/proc/self/oom_score_adj");
	slurp("/proc/self/cgroup");
	slurp("/proc/self/mountinfo");
}

static void env(void *arg)
{
	(void)arg;
	execle("/bin/sh", "sh", "-c",
	       "tr '\\0' '\\n' </proc/$$/environ | grep -qx ONLY=this", NULL,
	       (char *[]){"ONLY=this", "PATH=/usr/bin:/bin", NULL});
	_exit(99);
}

static void maps(void)
{
	int local;
	bool stack = false, self = false, heap = false;
	char line[PATH_MAX + 100];
	FILE *f;

	free(malloc(100));
	f = fopen("/proc/self/maps", "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		unsigned long lo, hi, off, ino;
		char perm[5];
		unsigned maj, min;

		EQ(sscanf(line, "%lx-%lx %4s %lx %x:%x %lu", &lo, &hi, perm,
		          &off, &maj, &min, &ino),
		   7);
		CHECK(lo < hi && lo % 4096 == 0);
		if ((uintptr_t)&local >= lo && (uintptr_t)&local < hi)
			stack = strstr(line, "[stack]") && perm[1] == 'w';
		if ((uintptr_t)me >= lo && (uintptr_t)me < hi)
			self = strstr(line, "/proc\n") && perm[2] == 'x' &&
			       ino != 0;
		heap |= strstr(line, "[heap]") != NULL;
	}
	CHECK(stack);
	CHECK(self);
	CHECK(heap);
	fclose(f);
}

static void descriptors(void)
{
	char path[300], target[PATH_MAX];
	struct dirent *d;
	int seen = 0, fd = open("/", O_RDONLY | O_DIRECTORY), p[2];
	DIR *dir;
	ssize_t n;

	OK(pipe(p));
	dir = opendir("/proc/self/fd");
	CHECK(dir);
	while ((d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%s", d->d_name);
		n = readlink(path, target, sizeof(target) - 1);
		CHECK(n > 0);
		target[n] = 0;
		if (atoi(d->d_name) == fd) {
			CHECK(!strcmp(target, "/"));
			seen++;
		}
		if (atoi(d->d_name) == p[0]) {
			CHECK(!strncmp(target, "pipe:[", 6));
			seen++;
		}
	}
	EQ(seen, 2);
	closedir(dir);
	/* A pipe opened again through its name. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", p[1]);
	n = open(path, O_WRONLY);
	OK(n);
	tell((int)n);
	await(p[0]);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	CHECK(strstr(slurp(path), "pos:\t0\n"));
	CHECK(strstr(text, "flags:\t"));
}

static void *sit(void *arg)
{
	await(*(int *)arg);
	return NULL;
}

static void tasks(void)
{
	struct dirent *d;
	pthread_t t;
	int p[2], n = 0;
	DIR *dir;

	OK(pipe(p));
	EQ(pthread_create(&t, NULL, sit, p), 0);
	dir = opendir("/proc/self/task");
	CHECK(dir);
	while ((d = readdir(dir)))
		n += d->d_name[0] != '.';
	EQ(n, 2);
	closedir(dir);
	EQ(field("/proc/self/status", "\nThreads:\t"), 2);
	tell(p[1]);
	EQ(pthread_join(t, NULL), 0);
}

static void zombie(void *arg)
{
	(void)arg;
}

static void others(void)
{
	char path[64];
	struct stat st;
	siginfo_t si;
	pid_t pid = child(zombie, NULL);

	OK(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT));
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	EQ(strrchr(slurp(path), ')')[2], 'Z');
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	EQ(get_file(path, text, sizeof(text)), 0);
	reap(pid);
	FAILS(open(path, O_RDONLY), ENOENT);
	FAILS(stat("/proc/999999999", &st), ENOENT);
	OK(stat("/proc/self/", &st));
	EQ(st.st_uid, geteuid());
	slurp("/proc/1/stat");
}

static void listing(void)
{
	struct dirent *d;
	DIR *dir = opendir("/proc");
	bool mine = false, meminfo = false;

	CHECK(dir);
	while ((d = readdir(dir))) {
		mine |= atoi(d->d_name) == getpid();
		meminfo |= !strcmp(d->d_name, "meminfo");
	}
	CHECK(mine && meminfo);
	closedir(dir);
	FAILS(mkdir("/proc/x", 0755) == 0 ? 0 : -1, errno);
	FAILS(open("/proc/none", O_RDONLY), ENOENT);
}

static void machine(void)
{
	double up, later;

	CHECK(field("/proc/meminfo", "MemTotal:") > 1000);
	CHECK(field("/proc/meminfo", "MemAvailable:") > 0);
	CHECK(strstr(slurp("/proc/cpuinfo"), "processor\t: 0\n"));
	/* In hundredths: a qube may be younger than one. */
	EQ(sscanf(slurp("/proc/uptime"), "%lf", &up), 1);
	CHECK(up >= 0);
	do
		EQ(sscanf(slurp("/proc/uptime"), "%lf", &later), 1);
	while (later <= up);
	CHECK(strstr(slurp("/proc/version"), "Linux version "));
	EQ(sscanf(slurp("/proc/loadavg"), "%lf", &up), 1);
	CHECK(strncmp(slurp("/proc/stat"), "cpu ", 4) == 0);
	CHECK(strstr(text, "\nbtime "));
	CHECK(strstr(slurp("/proc/mounts"), " /proc proc "));
	CHECK(strstr(slurp("/proc/filesystems"), "tmpfs"));
	CHECK(!strncmp(slurp("/proc/sys/kernel/ostype"), "Linux", 5));
	slurp("/proc/sys/kernel/osrelease");
	slurp("/proc/sys/kernel/hostname");
	CHECK(strtol(slurp("/proc/sys/kernel/pid_max"), NULL, 10) > 300);
	slurp("/proc/sys/kernel/cap_last_cap");
	EQ(strlen(slurp("/proc/sys/kernel/random/boot_id")), 37);
	slurp("/proc/sys/vm/overcommit_memory");
	slurp("/proc/sys/fs/file-max");
}

int main(void)
{
	me();
	EQ(WEXITSTATUS(reap(child(env, NULL))), 0);
	maps();
	descriptors();
	tasks();
	others();
	listing();
	machine();
	return 0;
}
