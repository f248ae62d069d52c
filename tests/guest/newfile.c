/* SPDX-License-Identifier: Apache-2.0 */
/* What is true of a file that was just made, and stays so when it is synced. */
#include "check.h"

#include <sys/mman.h>
#include <sys/sendfile.h>
#include <time.h>

#define MANY 700

static int make(const char *name, const char *text)
{
	int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0700);

	OK(fd);
	EQ(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

/* All of the file, by a descriptor of its own. */
static void holds(const char *name, const char *text)
{
	char bytes[64] = "";
	int fd = open(name, O_RDONLY);

	OK(fd);
	EQ(read(fd, bytes, sizeof(bytes)), strlen(text));
	CHECK(!memcmp(bytes, text, strlen(text)));
	EQ(read(fd, bytes, 1), 0);
	OK(close(fd));
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* Until whatever is written gets another time. */
static void pass_a_tick(void)
{
	struct timespec was, now;

	OK(clock_gettime(CLOCK_REALTIME_COARSE, &was));
	do {
		OK(clock_gettime(CLOCK_REALTIME_COARSE, &now));
	} while (same_time(now, was));
}

static void sync_changes_nothing(void)
{
	struct stat st, was;
	int fd = make("f", "");

	OK(fstat(fd, &st));
	EQ(st.st_size, 0);
	EQ(st.st_blocks, 0);
	CHECK(same_time(st.st_mtim, st.st_ctim));
	pass_a_tick();
	EQ(write(fd, "text", 4), 4);
	OK(fstat(fd, &was));
	EQ(was.st_size, 4);
	EQ(was.st_ino, st.st_ino);
	CHECK(!same_time(was.st_mtim, st.st_mtim));
	CHECK(same_time(was.st_mtim, was.st_ctim));
	CHECK(same_time(was.st_atim, st.st_atim));
	pass_a_tick();
	OK(fsync(fd));
	OK(fstat(fd, &st));
	CHECK(same_time(st.st_mtim, was.st_mtim));
	CHECK(same_time(st.st_ctim, was.st_ctim));
	OK(close(fd));
	sync();
	OK(stat("f", &st));
	CHECK(same_time(st.st_mtim, was.st_mtim));
	CHECK(same_time(st.st_ctim, was.st_ctim));
	EQ(st.st_size, 4);
	holds("f", "text");
	OK(unlink("f"));
}

static void writes(void)
{
	char bytes[8192];
	struct stat st;
	int fd = make("f", "0123456789");

	EQ(pwrite(fd, "ab", 2, 4), 2);
	EQ(write(fd, "end", 3), 3);
	holds("f", "0123ab6789end");
	OK(ftruncate(fd, 3));
	EQ(lseek(fd, 0, SEEK_END), 3);
	EQ(write(fd, "+", 1), 1);
	holds("f", "012+");
	OK(ftruncate(fd, 6));
	EQ(pread(fd, bytes, 8, 0), 6);
	CHECK(!memcmp(bytes, "012+\0\0", 6));
	OK(close(fd));
	fd = open("f", O_WRONLY | O_APPEND);
	EQ(write(fd, "x", 1), 1);
	OK(close(fd));
	fd = open("f", O_RDWR | O_TRUNC);
	OK(fstat(fd, &st));
	EQ(st.st_size, 0);
	/* Behind the end, and beyond what is small. */
	EQ(pwrite(fd, "far", 3, 6000), 3);
	EQ(pread(fd, bytes, sizeof(bytes), 0), 6003);
	CHECK(bytes[0] == 0 && bytes[5999] == 0 && bytes[6000] == 'f');
	OK(close(fd));
	OK(unlink("f"));
	fd = make("f", "");
	memset(bytes, 'b', sizeof(bytes));
	for (int i = 0; i < 100; i++)
		EQ(write(fd, bytes, 1000 + i), 1000 + i);
	OK(fstat(fd, &st));
	EQ(st.st_size, 104950);
	EQ(pread(fd, bytes, 4, 104948), 2);
	OK(close(fd));
	OK(unlink("f"));
}

static void names(void)
{
	char bytes[8] = "";
	struct stat st;
	int fd = make("one", "one"), old = make("two", "old");

	OK(rename("one", "two"));
	holds("two", "one");
	EQ(pread(old, bytes, 8, 0), 3);
	CHECK(!memcmp(bytes, "old", 3));
	EQ(write(old, "er", 2), 2);
	EQ(pread(old, bytes, 8, 0), 5);
	OK(fsync(old));
	OK(fstat(old, &st));
	EQ(st.st_nlink, 0);
	EQ(st.st_size, 5);
	OK(close(old));
	OK(link("two", "three"));
	OK(unlink("two"));
	holds("three", "one");
	EQ(write(fd, "+", 1), 1);
	OK(unlink("three"));
	EQ(pread(fd, bytes, 8, 0), 4);
	CHECK(!memcmp(bytes, "one+", 4));
	OK(close(fd));
}

static void mappings(void)
{
	int fd = make("f", "mapped");
	char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	CHECK(at != MAP_FAILED);
	CHECK(!memcmp(at, "mapped\0", 7));
	at[0] = 'M';
	holds("f", "Mapped");
	EQ(pwrite(fd, "P", 1, 2), 1);
	EQ(at[2], 'P');
	OK(munmap(at, 4096));
	OK(close(fd));
	OK(unlink("f"));
}

static void programs(void)
{
	int status;
	pid_t pid;

	OK(close(make("f", "#!/bin/sh\nexit 7\n")));
	pid = fork();
	OK(pid);
	if (pid == 0) {
		execl("./f", "f", NULL);
		_exit(1);
	}
	EQ(waitpid(pid, &status, 0), pid);
	EQ(WEXITSTATUS(status), 7);
	OK(unlink("f"));
}

static void copies(void)
{
	off_t at = 0;
	int from = make("from", "copied"), to = make("to", "");

	EQ(sendfile(to, from, &at, 100), 6);
	holds("to", "copied");
	EQ(lseek(from, 0, SEEK_HOLE), 6);
	EQ(lseek(from, 2, SEEK_DATA), 2);
	FAILS(lseek(from, 6, SEEK_DATA), ENXIO);
	OK(close(from));
	OK(close(to));
	OK(unlink("from"));
	OK(unlink("to"));
}

static void many(void)
{
	char name[16];
	int dir = open(".", O_RDONLY | O_DIRECTORY);
	int fd;

	OK(dir);
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "many%d", i);
		OK(close(make(name, name)));
	}
	for (int i = 0; i < MANY; i += 7) {
		(void)snprintf(name, sizeof(name), "many%d", i);
		OK(unlink(name));
	}
	fd = make("last", "last");
	OK(fsync(fd));
	OK(close(fd));
	OK(syncfs(dir));
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "many%d", i);
		if (i % 7 == 0) {
			FAILS(open(name, O_RDONLY), ENOENT);
			continue;
		}
		holds(name, name);
		OK(unlink(name));
	}
	holds("last", "last");
	OK(unlink("last"));
	OK(close(dir));
}

int main(void)
{
	scratch();
	sync_changes_nothing();
	writes();
	names();
	mappings();
	programs();
	copies();
	many();
	return 0;
}
