/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/mem, auxv and io. */
#include "check.h"

#include <elf.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>

static char word[64] = "in memory";
static int go[2], ready[2];

static int open_of(pid_t pid, const char *name, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return open(path, flags | O_CLOEXEC);
}

static off_t at(const void *p)
{
	return (off_t)(uintptr_t)p;
}

static void own_memory(void)
{
	size_t two = 2 * 4096;
	char *edge = mmap(NULL, two, PROT_READ | PROT_WRITE,
	                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char buf[8192];
	int fd;

	CHECK(edge != MAP_FAILED);
	OK(munmap(edge + 4096, 4096));
	memset(edge, 'e', 4096);
	OK(fd = open("/proc/self/mem", O_RDWR));
	EQ(pread(fd, buf, sizeof(word), at(word)), sizeof(word));
	CHECK(!strcmp(buf, "in memory"));
	EQ(pwrite(fd, "of others", 9, at(word)), 9);
	CHECK(!strcmp(word, "of others"));
	strcpy(word, "in memory");
	if (!getenv("BENTO_FAR")) { /* there, all or nothing is fetched */
		/* As much as there is. */
		EQ(pread(fd, buf, sizeof(buf), at(edge + 100)), 3996);
		FAILS(pread(fd, buf, 1, at(edge + 4096)), EIO);
		EQ(pwrite(fd, buf, 100, at(edge + 4090)), 6);
		FAILS(pwrite(fd, buf, 1, at(edge + 4096)), EIO);
	}
	FAILS(pread(fd, buf, 1, 0), EIO);
	EQ(lseek(fd, at(word), SEEK_SET), at(word));
	EQ(read(fd, buf, 3), 3);
	EQ(lseek(fd, 0, SEEK_CUR), at(word) + 3);
	FAILS(lseek(fd, 0, SEEK_END), EINVAL);
	OK(close(fd));
	OK(munmap(edge, 4096));
}

static void other(void *arg)
{
	(void)arg;
	strcpy(word, "the child's");
	tell(ready[1]);
	await(go[0]);
	CHECK(!strcmp(word, "changed"));
	execl("/proc/self/exe", "x", "wait", NULL);
	_exit(1);
}

/* The program that ran when it was opened, and no other. */
static void of_a_child(void)
{
	char buf[64] = "";
	pid_t pid;
	int fd;

	OK(pipe(go));
	OK(pipe(ready));
	OK(dup2(go[0], 100));
	OK(dup2(ready[1], 101));
	pid = child(other, NULL);
	await(ready[0]);
	OK(fd = open_of(pid, "mem", O_RDWR));
	if (pread(fd, buf, 12, at(word)) < 0) {
		/* Where the host keeps processes apart, and we serve. */
		CHECK(errno == EIO && getenv("BENTO_FAR"));
		strcpy(word, "changed");
		OK(kill(pid, SIGKILL));
		reap(pid);
		return;
	}
	CHECK(!strcmp(buf, "the child's"));
	CHECK(!strcmp(word, "in memory"));
	EQ(pwrite(fd, "changed", 8, at(word)), 8);
	tell(go[1]);
	await(ready[0]);
	EQ(pread(fd, buf, 1, at(word)), 0);
	OK(close(fd));
	OK(fd = open_of(pid, "mem", O_RDONLY));
	OK(close(fd));
	tell(go[1]);
	passes(pid);
	FAILS(open_of(pid, "mem", O_RDONLY), ENOENT);
}

static void hidden(void *arg)
{
	(void)arg;
	OK(prctl(PR_SET_DUMPABLE, 0));
	tell(ready[1]);
	await(go[0]);
}

static void stranger(void *arg)
{
	OK(setresgid(1234, 1234, 1234));
	OK(setresuid(1234, 1234, 1234));
	FAILS(open_of(*(pid_t *)arg, "mem", O_RDONLY), EACCES);
	FAILS(open_of(*(pid_t *)arg, "auxv", O_RDONLY), EACCES);
}

static void for_those_who_may(void)
{
	pid_t me = getpid();
	pid_t pid = child(hidden, NULL);

	await(ready[0]);
	if (getuid() == 0) {
		OK(close(open_of(pid, "mem", O_RDONLY)));
		apart(stranger, &pid);
		apart(stranger, &me);
	} else {
		FAILS(open_of(pid, "mem", O_RDONLY), EACCES);
		FAILS(open_of(pid, "auxv", O_RDONLY), EACCES);
	}
	tell(go[1]);
	passes(pid);
}

static void vector_of(pid_t pid)
{
	Elf64_auxv_t v[64];
	int fd, types = 0;
	ssize_t n;

	OK(fd = open_of(pid, "auxv", O_RDONLY));
	n = read(fd, v, sizeof(v));
	CHECK(n > 0 && n % (ssize_t)sizeof(v[0]) == 0);
	n /= (ssize_t)sizeof(v[0]);
	for (int i = 0; i < n - 1; i++) {
		if (v[i].a_type != AT_PHDR && v[i].a_type != AT_RANDOM &&
		    v[i].a_type != AT_EXECFN && v[i].a_type != AT_ENTRY)
			continue;
		EQ(v[i].a_un.a_val, getauxval(v[i].a_type));
		types++;
	}
	EQ(types, 4);
	EQ(v[n - 1].a_type, AT_NULL);
	OK(close(fd));
}

static void in_child(void *arg)
{
	(void)arg;
	vector_of(getpid());
}

static unsigned long counter(const char *name)
{
	char text[512];
	const char *found;

	get_file("/proc/self/io", text, sizeof(text));
	found = strstr(text, name);
	CHECK(found);
	return strtoul(found + strlen(name), NULL, 10);
}

static void move(void *arg)
{
	char buf[1000];

	EQ(read(*(int *)arg, buf, 700), 700);
}

static void counts(void)
{
	unsigned long wchar = counter("wchar: "), syscw = counter("syscw: ");
	unsigned long rchar = counter("rchar: "), syscr;
	char buf[1000] = "";
	int ends[2];

	OK(pipe(ends));
	EQ(write(ends[1], buf, 1000), 1000);
	EQ(counter("wchar: "), wchar + 1000);
	EQ(counter("syscw: "), syscw + 1);
	rchar = counter("rchar: ");
	syscr = counter("syscr: ");
	EQ(read(ends[0], buf, 300), 300);
	CHECK(counter("rchar: ") >= rchar + 300);
	CHECK(counter("syscr: ") > syscr);
	/* And what children moved, once they were waited for. */
	rchar = counter("rchar: ");
	apart(move, ends);
	CHECK(counter("rchar: ") >= rchar + 700);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "wait")) {
		tell(101);
		await(100);
		return 0;
	}
	own_memory();
	of_a_child();
	OK(pipe(go));
	OK(pipe(ready));
	for_those_who_may();
	vector_of(getpid());
	apart(in_child, NULL);
	counts();
	return 0;
}
