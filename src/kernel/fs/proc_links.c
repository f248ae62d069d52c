/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/proc_links.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "kernel/core/limits.h"
#include "kernel/fs/fd.h"
#include "kernel/fs/loan.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/proc_process.h"

#define CLOEXEC 02000000

static long text_of(const char *s, char *to, size_t room)
{
	size_t size = MIN(room, strlen(s));

	memcpy(to, s, size);
	return (long)size;
}

/* The name of a place as the one who asks sees it. */
static long name_of(const struct pseudo_ctx *c, const struct path *p, char *to,
                    size_t room)
{
	autofree char *name = malloc(LIMIT_PATH);
	long size;

	if (!name)
		return -ENOMEM;
	size = path_name(c->task, p, name, LIMIT_PATH, NULL);
	if (size < 0)
		return size;
	size = (long)MIN((size_t)size, room);
	memcpy(to, name, (size_t)size);
	return size;
}

/* Each finder below fills in a path without taking references. */
typedef long finder(const struct pseudo_ctx *c, struct path *at);

static long find_cwd(const struct pseudo_ctx *c, struct path *at)
{
	const struct task *t = proc_process_task(c);

	if (!t || !t->fs)
		return -ENOENT;
	*at = t->fs->cwd;
	return 0;
}

static long find_root(const struct pseudo_ctx *c, struct path *at)
{
	const struct task *t = proc_process_task(c);

	if (!t || !t->fs)
		return -ENOENT;
	*at = t->fs->root;
	return 0;
}

static long find_exe(const struct pseudo_ctx *c, struct path *at)
{
	const struct process *p = proc_process_of(c);

	if (!p || !p->exe || !p->exe->path.dentry)
		return -ENOENT;
	*at = p->exe->path;
	return 0;
}

static struct file *file_of(const struct pseudo_ctx *c)
{
	const struct task *t = proc_process_task(c);

	return t && t->fds ? fd_peek(t->fds, c->number) : NULL;
}

static long find_fd(const struct pseudo_ctx *c, struct path *at)
{
	const struct file *f = file_of(c);

	if (!f || !f->path.dentry)
		return -ENOENT;
	*at = f->path;
	return 0;
}

static long read_link(const struct pseudo_ctx *c, finder *find, char *to,
                      size_t room)
{
	struct path at;
	long err = proc_process_inspect(c);

	if (err == 0)
		err = find(c, &at);
	return err < 0 ? err : name_of(c, &at, to, room);
}

static long go(const struct pseudo_ctx *c, finder *find, struct path *out)
{
	struct path at = {0};
	long err = proc_process_inspect(c);

	if (err == 0)
		err = find(c, &at);
	if (err < 0)
		return err;
	path_get(&at);
	*out = at;
	return 0;
}

#define LINK(name)                                                   \
	long proc_links_##name(const struct pseudo_ctx *c, char *to, \
	                       size_t room)                          \
	{                                                            \
		return read_link(c, find_##name, to, room);          \
	}                                                            \
	long proc_links_to_##name(const struct pseudo_ctx *c,        \
	                          struct path *out)                  \
	{                                                            \
		return go(c, find_##name, out);                      \
	}
LINK(cwd)
LINK(exe)
LINK(root)
#undef LINK

/* Files without a path are named by what they are. */
long proc_links_fd(const struct pseudo_ctx *c, char *to, size_t room)
{
	const struct file *f = file_of(c);
	long err = proc_process_inspect(c);
	char text[128];

	if (err < 0)
		return err;
	if (!f)
		return -ENOENT;
	if (f->path.dentry)
		return name_of(c, &f->path, to, room);
	(void)snprintf(text, sizeof(text), "%s", f->label);
	return text_of(text, to, room);
}

long proc_links_to_fd(const struct pseudo_ctx *c, struct path *out)
{
	return go(c, find_fd, out);
}

/* ---- namespaces: there is one of each kind ---- */

#define NAMESPACE(kind, number)                                         \
	long proc_links_ns_##kind(const struct pseudo_ctx *c, char *to, \
	                          size_t room)                          \
	{                                                               \
		(void)c;                                                \
		return text_of(#kind ":[" #number "]", to, room);       \
	}
NAMESPACE(cgroup, 4026531835)
NAMESPACE(ipc, 4026531839)
NAMESPACE(mnt, 4026531841)
NAMESPACE(net, 4026531840)
NAMESPACE(pid, 4026531836)
NAMESPACE(time, 4026531834)
NAMESPACE(user, 4026531837)
NAMESPACE(uts, 4026531838)
#undef NAMESPACE

/* ---- self ---- */

long proc_links_self(const struct pseudo_ctx *c, char *to, size_t room)
{
	char text[32];

	if (!c->task)
		return -ENOENT;
	(void)snprintf(text, sizeof(text), "%d", c->task->process->pid);
	return text_of(text, to, room);
}

long proc_links_thread_self(const struct pseudo_ctx *c, char *to, size_t room)
{
	char text[32];

	if (!c->task)
		return -ENOENT;
	(void)snprintf(text, sizeof(text), "%d/task/%d", c->task->process->pid,
	               c->task->tid);
	return text_of(text, to, room);
}

/* ---- descriptors ---- */

bool proc_links_find_fd(const struct pseudo_ctx *c, int32_t number,
                        struct pseudo_ctx *child)
{
	(void)c;
	child->number = number;
	return file_of(child) != NULL;
}

static int32_t next_fd(const struct pseudo_ctx *c, int32_t from)
{
	const struct task *t = proc_process_task(c);

	return t && t->fds ? fd_next(t->fds, from) : -1;
}

static long show_fdinfo(const struct pseudo_ctx *c, struct text *out)
{
	struct file *f = file_of(c);
	long err = proc_process_inspect(c);

	if (err < 0)
		return err;
	if (!f)
		return -ENOENT;
	loan_take(f);
	text_add(out, "pos:\t%lld\nflags:\t0%o\nmnt_id:\t%u\nino:\t%llu\n",
	         (long long)f->pos, f->flags & ~(uint32_t)CLOEXEC,
	         f->path.mount ? f->path.mount->id : 0,
	         (unsigned long long)(f->inode ? f->inode->ino : 0));
	return 0;
}

/* How it is open shows in the link's permissions. */
static uint32_t fd_mode(const struct pseudo_ctx *c)
{
	const struct file *f = file_of(c);
	uint32_t mode = 0120100;

	if (f && f->mode & FILE_READ)
		mode |= 0400;
	if (f && f->mode & FILE_WRITE)
		mode |= 0200;
	return mode;
}

static const struct pseudo_row fd_row = {
	.path = "fd",
	.mode = 0120700,
	.mode_now = fd_mode,
	.link = proc_links_fd,
	.jump = proc_links_to_fd,
};

static const struct pseudo_row fdinfo_row = {
	.path = "fdinfo",
	.mode = 0100400,
	.show = show_fdinfo,
};

const struct pseudo_numbers proc_links_fds = {
	.find = proc_links_find_fd,
	.next = next_fd,
	.row = &fd_row,
};

const struct pseudo_numbers proc_links_fdinfos = {
	.find = proc_links_find_fd,
	.next = next_fd,
	.row = &fdinfo_row,
};
