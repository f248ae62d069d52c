/* SPDX-License-Identifier: Apache-2.0 */
/* Reading folders: everything once, seeking, and the errors. */
#include "check.h"

#include <dirent.h>

enum { FILES = 500 };

struct entry {
	uint64_t ino;
	int64_t off;
	unsigned short size;
	unsigned char type;
	char name[];
};

static void all_once(void)
{
	unsigned char seen[FILES] = {0};
	struct dirent *d;
	struct stat st;
	int dots = 0;
	DIR *dir;

	OK(mkdir("many", 0755));
	for (int i = 0; i < FILES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "many/f%03d", i);
		put_file(name, "");
	}
	dir = opendir("many");
	CHECK(dir);
	for (errno = 0; (d = readdir(dir)); errno = 0) {
		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, "..")) {
			CHECK(d->d_type == DT_DIR || d->d_type == DT_UNKNOWN);
			dots++;
			continue;
		}
		EQ(d->d_name[0], 'f');
		CHECK(d->d_type == DT_REG || d->d_type == DT_UNKNOWN);
		seen[atoi(d->d_name + 1)]++;
		if (!strcmp(d->d_name, "f007")) {
			OK(stat("many/f007", &st));
			EQ(st.st_ino, d->d_ino);
		}
	}
	EQ(errno, 0);
	EQ(dots, 2);
	for (int i = 0; i < FILES; i++)
		EQ(seen[i], 1);
	OK(closedir(dir));
}

static void seeking(void)
{
	DIR *dir = opendir("many");
	char third[256];
	struct dirent *d;
	int count = 0;
	long at = 0;

	CHECK(dir);
	for (int i = 0; i < 3; i++) {
		at = telldir(dir);
		d = readdir(dir);
		CHECK(d);
		strcpy(third, d->d_name);
	}
	while (readdir(dir))
		;
	seekdir(dir, at);
	d = readdir(dir);
	CHECK(d);
	CHECK(!strcmp(d->d_name, third));
	rewinddir(dir);
	while (readdir(dir))
		count++;
	EQ(count, FILES + 2);
	OK(closedir(dir));
}

/* Removing what has been read loses nothing of what has not. */
static void removing(void)
{
	DIR *dir = opendir("many");
	struct dirent *d;
	char path[300];
	int gone = 0;

	CHECK(dir);
	while ((d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "many/%s", d->d_name);
		OK(unlink(path));
		gone++;
	}
	EQ(gone, FILES);
	OK(closedir(dir));
	OK(rmdir("many"));
}

static void raw(void)
{
	char buf[1024];
	struct entry *e;
	long n;
	int fd;

	OK(mkdir("raw", 0755));
	put_file("raw/one", "");
	fd = open("raw", O_RDONLY | O_DIRECTORY);
	OK(fd);
	FAILS(syscall(SYS_getdents64, fd, buf, 1), EINVAL);
	n = syscall(SYS_getdents64, fd, buf, sizeof(buf));
	CHECK(n > 0);
	for (long at = 0; at < n; at += e->size) {
		e = (void *)(buf + at);
		CHECK(e->size % 8 == 0);
		CHECK(strlen(e->name) < e->size);
	}
	EQ(syscall(SYS_getdents64, fd, buf, sizeof(buf)), 0);
	OK(lseek(fd, 0, SEEK_SET));
	FAILS(syscall(SYS_getdents64, fd, NOWHERE, sizeof(buf)), EFAULT);
	OK(close(fd));
	FAILS(syscall(SYS_getdents64, -1, buf, sizeof(buf)), EBADF);
	put_file("file", "");
	fd = open("file", O_RDONLY);
	FAILS(syscall(SYS_getdents64, fd, buf, sizeof(buf)), ENOTDIR);
	OK(close(fd));
	/* A folder that has been removed is empty, or gone. */
	fd = open("raw", O_RDONLY | O_DIRECTORY);
	OK(unlink("raw/one"));
	OK(rmdir("raw"));
	FAILS(syscall(SYS_getdents64, fd, buf, sizeof(buf)), ENOENT);
	OK(close(fd));
}

int main(void)
{
	scratch();
	all_once();
	seeking();
	removing();
	raw();
	return 0;
}
