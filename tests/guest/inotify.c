/* SPDX-License-Identifier: Apache-2.0 */
/* inotify(7): what is told about files and folders. */
#include "check.h"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>

static int in;
static char buf[4096];
static size_t at, have;

static struct inotify_event *next(void)
{
	struct inotify_event *e;
	ssize_t n;

	if (at == have) {
		n = read(in, buf, sizeof(buf));
		if (n < 0)
			return NULL;
		have = (size_t)n;
		at = 0;
	}
	e = (void *)(buf + at);
	at += sizeof(*e) + e->len;
	return e;
}

static uint32_t expect(int wd, uint32_t mask, const char *name)
{
	struct inotify_event *e = next();

	CHECK(e);
	if (e->wd != wd || e->mask != mask)
		fprintf(stderr, "event wd %d mask %x name %s\n", e->wd, e->mask,
		        e->len ? e->name : "");
	EQ(e->wd, wd);
	EQ(e->mask, mask);
	if (name)
		CHECK(e->len && !strcmp(e->name, name));
	return e->cookie;
}

static void folder(void)
{
	int wd, fd, sub;
	uint32_t cookie;

	OK(mkdir("d", 0755));
	wd = inotify_add_watch(in, "d", IN_ALL_EVENTS & ~(uint32_t)IN_ACCESS);
	CHECK(wd > 0);
	fd = open("d/f", O_CREAT | O_WRONLY, 0600);
	expect(wd, IN_CREATE, "f");
	expect(wd, IN_OPEN, "f");
	EQ(write(fd, "x", 1), 1);
	expect(wd, IN_MODIFY, "f");
	OK(close(fd));
	expect(wd, IN_CLOSE_WRITE, "f");
	OK(chmod("d/f", 0640));
	expect(wd, IN_ATTRIB, "f");
	OK(close(open("d/f", O_RDONLY)));
	expect(wd, IN_OPEN, "f");
	expect(wd, IN_CLOSE_NOWRITE, "f");
	OK(rename("d/f", "d/g"));
	cookie = expect(wd, IN_MOVED_FROM, "f");
	CHECK(cookie != 0);
	EQ(expect(wd, IN_MOVED_TO, "g"), cookie);
	OK(rename("d/g", "g"));
	expect(wd, IN_MOVED_FROM, "g");
	OK(rename("g", "d/h"));
	expect(wd, IN_MOVED_TO, "h");
	OK(mkdir("d/s", 0755));
	expect(wd, IN_CREATE | IN_ISDIR, "s");
	OK(rmdir("d/s"));
	expect(wd, IN_DELETE | IN_ISDIR, "s");
	/* The same again changes the mask, and adding adds. */
	sub = inotify_add_watch(in, "d", IN_DELETE);
	EQ(sub, wd);
	put_file("d/n", "");
	OK(unlink("d/n"));
	expect(wd, IN_DELETE, "n");
	EQ(inotify_add_watch(in, "d", IN_CREATE | IN_MASK_ADD), wd);
	FAILS(inotify_add_watch(in, "d", IN_CREATE | IN_MASK_CREATE), EEXIST);
	OK(unlink("d/h"));
	expect(wd, IN_DELETE, "h");
	EQ(inotify_add_watch(in, "d", IN_DELETE_SELF), wd);
	OK(rmdir("d"));
	expect(wd, IN_DELETE_SELF, NULL);
	expect(wd, IN_IGNORED, NULL);
	FAILS(inotify_rm_watch(in, wd), EINVAL);
}

static void file(void)
{
	int wd, fd, n;

	put_file("f", "abc");
	wd = inotify_add_watch(
		in, "f", IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF);
	FAILS(next() ? 0 : -1, EAGAIN);
	fd = open("f", O_RDWR);
	OK(ftruncate(fd, 1));
	expect(wd, IN_MODIFY, NULL);
	EQ(pwrite(fd, "y", 1, 0), 1);
	EQ(pwrite(fd, "z", 1, 0), 1);
	OK(ioctl(in, FIONREAD, &n));
	EQ(n, sizeof(struct inotify_event)); /* equal ones are one */
	expect(wd, IN_MODIFY, NULL);
	OK(rename("f", "f2"));
	expect(wd, IN_MOVE_SELF, NULL);
	OK(unlink("f2"));
	expect(wd, IN_ATTRIB, NULL); /* the link count */
	OK(close(fd));
	expect(wd, IN_DELETE_SELF, NULL);
	expect(wd, IN_IGNORED, NULL);
}

static void limits(void)
{
	struct pollfd pf = {in, POLLIN, 0};
	char tiny[4];
	int wd;

	EQ(poll(&pf, 1, 0), 0);
	put_file("o", "");
	wd = inotify_add_watch(in, "o", IN_OPEN | IN_ONESHOT);
	OK(close(open("o", O_RDONLY)));
	EQ(poll(&pf, 1, 0), 1);
	FAILS(read(in, tiny, sizeof(tiny)), EINVAL);
	expect(wd, IN_OPEN, NULL);
	expect(wd, IN_IGNORED, NULL);
	wd = inotify_add_watch(in, ".", IN_CREATE);
	OK(inotify_rm_watch(in, wd));
	expect(wd, IN_IGNORED, NULL);
	FAILS(inotify_add_watch(in, "none", IN_OPEN), ENOENT);
	FAILS(inotify_add_watch(in, "o", 0), EINVAL);
	FAILS(inotify_add_watch(in, "o", IN_OPEN | IN_ONLYDIR), ENOTDIR);
	FAILS(inotify_add_watch(-1, "o", IN_OPEN), EBADF);
	FAILS(inotify_add_watch(open("o", O_RDONLY), "o", IN_OPEN), EINVAL);
	FAILS(inotify_init1(1), EINVAL);
}

int main(void)
{
	scratch();
	in = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	OK(in);
	folder();
	file();
	limits();
	return 0;
}
