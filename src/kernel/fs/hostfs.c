/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder of the host as a file system: the template, read-only, or a share.
 *
 * Shares belong to the user outside: files made inside are his, and nothing
 * made inside can lend his rights to another (no set-id bits, no devices).
 * What is changed is held by a descriptor first, so that a link put in its
 * place in between leads nowhere.
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#include "kernel/core/limits.h"
#include "kernel/fs/etc_hidden.h"
#include "kernel/fs/hostdir.h"
#include "kernel/fs/hostfile.h"
#include "kernel/fs/hostnode.h"

#define HOSTFS_MAGIC 0x484f5354u
#define BELIEVED_MS  1000u /* names and attributes of a template */

static struct hostfs *fs_of(const struct inode *i)
{
	return hostnode_of(i)->fs;
}

static void stale(struct inode *i)
{
	hostnode_of(i)->checked_ns = 0;
}

/* The directory's descriptor and the name: what most operations begin with. */
static int place(struct inode *dir, struct span name, char to[256])
{
	int err = hostnode_name(name, to);

	if (err < 0)
		return err;
	err = hostnode_dir(hostnode_of(dir));
	return err == -ESTALE ? -ENOENT : err;
}

static long find(struct inode *dir, struct span name, struct inode **out)
{
	char text[256];
	struct statx st;
	struct inode *i;
	int fd = place(dir, name, text);
	int err;

	if (fd < 0)
		return fd;
	err = hostnode_statx(fd, text, &st);
	if (err < 0)
		return err;
	i = hostnode_inode(fs_of(dir), hostnode_of(dir), name, &st);
	if (!i)
		return -ENOMEM;
	*out = i;
	return 0;
}

static long lookup(struct inode *dir, struct task *t, struct span name,
                   struct inode **out)
{
	char text[256];

	(void)t;
	if (fs_of(dir)->options.template && !(dir->mode & 01))
		return -EACCES;
	if (fs_of(dir)->options.etc && hostnode_name(name, text) == 0 &&
	    etc_hidden(hostnode_of(dir), text))
		return -ENOENT;
	return find(dir, name, out);
}

/* ---- making and removing names ---- */

static int make_file(int dir, const char *name, uint32_t mode)
{
	struct open_how how = {
		.flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		.mode = mode,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
	                   RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, dir, name, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/*
 * A new file may be written by who made it, even if its mode says otherwise
 * and another opening would fail: the descriptor goes to its node.
 */
static void keep_open(struct inode *i, int *fd)
{
	struct hostnode *n = hostnode_of(i);
	struct stat st;

	if (*fd >= 0 && n->write_fd < 0 && fstat(*fd, &st) == 0 &&
	    st.st_ino == n->ino)
		n->write_fd = take_fd(fd);
}

static int make_link(int dir, const char *name, struct span target)
{
	autofree char *text = strndup((const char *)target.at, target.size);

	if (!text)
		return -ENOMEM;
	return symlinkat(text, dir, name) < 0 ? -errno : 0;
}

static long create(struct inode *dir, struct task *t, struct span name,
                   const struct inode_new *how, struct inode **out)
{
	uint32_t mode = how->mode & 01777;
	autoclose int made = -1;
	char text[256];
	int fd = place(dir, name, text);
	int err;

	(void)t;
	if (fd < 0)
		return fd;
	switch (how->mode & S_IFMT) {
	case S_IFREG:
		made = make_file(fd, text, mode);
		err = MIN(made, 0);
		break;
	case S_IFDIR:
		err = mkdirat(fd, text, mode) < 0 ? -errno : 0;
		break;
	case S_IFLNK:
		err = make_link(fd, text, how->target);
		break;
	case S_IFIFO:
	case S_IFSOCK:
		err = mknodat(fd, text, (how->mode & S_IFMT) | mode, 0) < 0
		              ? -errno
		              : 0;
		break;
	default:
		err = -EPERM;
		break;
	}
	if (err < 0)
		return err;
	stale(dir);
	err = (int)find(dir, name, out);
	if (err == 0)
		keep_open(*out, &made);
	return err;
}

static long tmpfile_at(struct inode *dir, struct task *t,
                       const struct inode_new *how, struct inode **out)
{
	struct hostnode *d = hostnode_of(dir);
	autoclose int fd = -1;
	struct open_how flags = {
		.flags = O_RDWR | O_TMPFILE | O_CLOEXEC,
		.mode = how->mode & 0777,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
	                   RESOLVE_NO_MAGICLINKS,
	};
	struct statx st;
	struct inode *i;
	int up = hostnode_dir(d);
	int err;

	(void)t;
	if (up < 0)
		return up;
	fd = (int)syscall(SYS_openat2, up, ".", &flags, sizeof(flags));
	if (fd < 0)
		return -errno;
	err = hostnode_statx(fd, "", &st);
	if (err < 0)
		return err;
	i = hostnode_inode(d->fs, NULL, (struct span){NULL, 0}, &st);
	if (!i)
		return -ENOMEM;
	/* Its only way back is the descriptor, which goes with the inode. */
	hostnode_of(i)->write_fd = take_fd(&fd);
	*out = i;
	return 0;
}

static long link_at(struct inode *dir, struct task *t, struct span name,
                    struct inode *target)
{
	struct hostnode *n = hostnode_of(target);
	char text[256];
	char self[16];
	autoclose int held = -1;
	int fd = place(dir, name, text);

	(void)t;
	if (fd < 0)
		return fd;
	if (n->write_fd >= 0) {
		(void)snprintf(self, sizeof(self), "%d", n->write_fd);
	} else {
		held = hostnode_open(n, O_PATH);
		if (held < 0)
			return take_fd(&held);
		(void)snprintf(self, sizeof(self), "%d", held);
	}
	/* Opening the target may have cost us the directory. */
	fd = hostnode_dir(hostnode_of(dir));
	if (fd < 0)
		return fd;
	if (linkat(n->fs->kernel->world->self_fds, self, fd, text,
	           AT_SYMLINK_FOLLOW) < 0)
		return -errno;
	stale(dir);
	stale(target);
	return hostnode_place(n, hostnode_of(dir), name);
}

/* Is the name still what the guest thinks it is? */
static int check(int dir, const char *name, const struct inode *what)
{
	struct statx st;
	int err = hostnode_statx(dir, name, &st);

	if (err < 0)
		return err;
	return st.stx_ino == hostnode_of(what)->ino ? 0 : -ENOENT;
}

static long remove_name(struct inode *dir, struct span name, struct inode *what,
                        int flags)
{
	struct hostnode *n = hostnode_of(what);
	char text[256];
	int fd = place(dir, name, text);
	int err;

	if (fd < 0)
		return fd;
	err = check(fd, text, what);
	if (err < 0)
		return err;
	if (unlinkat(fd, text, flags) < 0)
		return -errno;
	stale(dir);
	/* Whoever has it open goes on; others must not find it again. */
	if (what->nlink > 0 && inode_is(what, S_IFREG))
		what->nlink--;
	else
		what->nlink = 0;
	n->checked_ns = timer_now();
	return 0;
}

static long unlink_at(struct inode *dir, struct task *t, struct span name,
                      struct inode *what)
{
	(void)t;
	return remove_name(dir, name, what, 0);
}

static long rmdir_at(struct inode *dir, struct task *t, struct span name,
                     struct inode *what)
{
	(void)t;
	return remove_name(dir, name, what, AT_REMOVEDIR);
}

/* After a rename: the node is somewhere else now. */
static void moved(struct inode *dir, struct span name)
{
	struct hostnode *d = hostnode_of(dir);
	struct hostnode *n;
	struct statx st;
	char text[256];
	int fd = place(dir, name, text);

	if (fd < 0 || hostnode_statx(fd, text, &st) < 0)
		return;
	n = hostnode_find(d->fs, &st);
	if (n) {
		/* Short of memory it is found again by the next look-up. */
		(void)hostnode_place(n, d, name);
		n->checked_ns = 0;
	}
}

static long rename_at(struct inode *dir, struct task *t, struct span name,
                      struct inode *to_dir, struct span to, uint32_t flags)
{
	char from_text[256];
	char to_text[256];
	int from_fd = place(dir, name, from_text);
	int to_fd;

	(void)t;
	if (from_fd < 0)
		return from_fd;
	to_fd = place(to_dir, to, to_text);
	if (to_fd < 0)
		return to_fd;
	/* The list of idle directories is long enough to keep both. */
	if (flags & ~(uint32_t)(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	if (renameat2(from_fd, from_text, to_fd, to_text, flags) < 0)
		return -errno;
	stale(dir);
	stale(to_dir);
	moved(to_dir, to);
	if (flags & RENAME_EXCHANGE)
		moved(dir, name);
	return 0;
}

static long readlink_of(struct inode *i, struct task *t, char *to, size_t room)
{
	struct hostnode *n = hostnode_of(i);
	ssize_t size;
	int fd;

	(void)t;
	if (!n->parent)
		return -EINVAL;
	fd = hostnode_dir(n->parent);
	if (fd < 0)
		return fd == -ESTALE ? -ENOENT : fd;
	size = readlinkat(fd, n->name, to, room);
	return size < 0 ? -errno : size;
}

/* ---- attributes ---- */

static long refresh(struct inode *i, struct task *t)
{
	struct hostnode *n = hostnode_of(i);
	uint64_t age = timer_now() - n->checked_ns;
	struct statx st;
	int err;

	(void)t;
	if (n->fs->options.template && n->checked_ns != 0 &&
	    age < (uint64_t)BELIEVED_MS * 1000000)
		return 0;
	err = hostnode_stat(n, &st);
	if (err == 0)
		hostnode_fill(n, &st);
	else if (err == -ENOENT || err == -ESTALE)
		i->nlink = 0; /* gone; what we last knew must do */
	else
		return err;
	return 0;
}

/* Owners cannot change: everything belongs to the user outside. */
static long change_owner(const struct inode *i, const struct inode_change *c)
{
	if ((c->which & INODE_SET_UID) && c->uid != i->uid)
		return -EPERM;
	if ((c->which & INODE_SET_GID) && c->gid != i->gid)
		return -EPERM;
	return 0;
}

static struct timespec time_to(uint32_t set, abi_timespec ts)
{
	if (!set)
		return (struct timespec){.tv_nsec = UTIME_OMIT};
	return (struct timespec){.tv_sec = ts.sec, .tv_nsec = ts.nsec};
}

/*
 * By an open descriptor and never by name: no other way is left to a kernel,
 * since the host's Landlock does not look at these calls.  What its owner may
 * neither read nor write cannot be changed.
 */
static long change_held(struct hostnode *n, const struct inode_change *c)
{
	bool folder = inode_is(n->inode, S_IFDIR);
	autoclose int fd = hostnode_open(n, O_RDONLY);
	struct timespec times[2];

	if (fd == -EACCES && !folder)
		fd = hostnode_open(n, O_WRONLY);
	if (fd < 0)
		return take_fd(&fd);
	if (c->which & INODE_SET_MODE &&
	    fchmod(fd, c->mode & (folder ? 03777 : 01777)) < 0)
		return -errno;
	if (c->which & (INODE_SET_ATIME | INODE_SET_MTIME)) {
		times[0] = time_to(c->which & INODE_SET_ATIME, c->atime);
		times[1] = time_to(c->which & INODE_SET_MTIME, c->mtime);
		if (futimens(fd, times) < 0)
			return -errno;
	}
	return 0;
}

static long change_size(struct hostnode *n, uint64_t size)
{
	long err = hostnode_pin(n, true);

	if (err < 0)
		return err;
	err = ftruncate(n->write_fd, (off_t)size) < 0 ? -errno : 0;
	hostnode_unpin(n);
	return err;
}

static long change(struct inode *i, struct task *t,
                   const struct inode_change *c)
{
	struct hostnode *n = hostnode_of(i);
	struct statx st;
	long err;

	(void)t;
	if (!n->fs->options.writable)
		return -EROFS;
	err = change_owner(i, c);
	if (err < 0)
		return err;
	if (c->which & INODE_SET_SIZE) {
		err = inode_is(i, S_IFREG) ? change_size(n, c->size) : -EINVAL;
		if (err < 0)
			return err;
	}
	if (inode_is(i, S_IFLNK)) {
		/*
		 * It can only be named, never opened.  Copying a tree is not
		 * to fail for that: its times stay those of its making.
		 */
		return c->which & INODE_SET_MODE ? -EOPNOTSUPP : 0;
	}
	if (c->which & (INODE_SET_MODE | INODE_SET_ATIME | INODE_SET_MTIME)) {
		err = change_held(n, c);
		if (err < 0)
			return err;
	}
	if (hostnode_stat(n, &st) == 0)
		hostnode_fill(n, &st);
	return 0;
}

/*
 * What the host keeps from some of its own people is not for a qube, even if
 * whoever started us may read it.
 */
static bool for_everyone(const struct inode *i)
{
	uint32_t want = inode_is(i, S_IFDIR) ? 05 : 04;

	return (i->mode & want) == want;
}

static long open_inode(struct inode *i, struct task *t, struct file *f)
{
	long err;

	(void)t;
	if (fs_of(i)->options.template && !for_everyone(i))
		return -EACCES;
	if (inode_is(i, S_IFDIR))
		err = hostdir_open(i, f);
	else if (inode_is(i, S_IFREG))
		err = hostfile_open(i, f);
	else
		err = -ENXIO;
	return err == -ESTALE ? -ENOENT : err;
}

static void destroy(struct inode *i)
{
	if (i->private)
		hostnode_destroy(hostnode_of(i));
}

static const struct inode_ops hostfs_ops = {
	.lookup = lookup,
	.create = create,
	.link = link_at,
	.unlink = unlink_at,
	.rmdir = rmdir_at,
	.rename = rename_at,
	.tmpfile = tmpfile_at,
	.readlink = readlink_of,
	.refresh = refresh,
	.change = change,
	.open = open_inode,
	.destroy = destroy,
};

/* ---- the whole ---- */

static long statfs_of(struct superblock *sb, struct task *t, abi_statfs *out)
{
	struct hostfs *fs = sb->private;
	struct statfs st;

	(void)t;
	if (fstatfs(fs->options.dir_fd, &st) < 0)
		return -errno;
	out->type = st.f_type;
	out->bsize = st.f_bsize;
	out->frsize = st.f_frsize;
	out->blocks = (int64_t)st.f_blocks;
	out->bfree = (int64_t)st.f_bfree;
	out->bavail = (int64_t)st.f_bavail;
	out->files = (int64_t)st.f_files;
	out->ffree = (int64_t)st.f_ffree;
	out->namelen = st.f_namelen;
	return 0;
}

static void destroy_sb(struct superblock *sb)
{
	struct hostfs *fs = sb->private;

	hashtable_fini(&fs->nodes);
	limits_free(fs->kernel, fs, sizeof(*fs));
}

static const struct superblock_ops sb_ops = {
	.name = "hostfs",
	.statfs = statfs_of,
	.destroy = destroy_sb,
};

static int open_root(struct hostfs *fs)
{
	struct hostnode *n;
	struct statx st;
	int err = hostnode_statx(fs->options.dir_fd, "", &st);

	if (err < 0)
		return err;
	fs->in_memory = hostfile_in_memory(fs->options.dir_fd);
	fs->sb->root = hostnode_inode(fs, NULL, (struct span){NULL, 0}, &st);
	if (!fs->sb->root)
		return -ENOMEM;
	n = hostnode_of(fs->sb->root);
	n->path_fd = fs->options.dir_fd;
	return 0;
}

int hostfs_create(struct kernel *k, const struct hostfs_options *o,
                  struct superblock **out)
{
	struct hostfs *fs = limits_alloc(k, sizeof(*fs));
	struct superblock *sb;
	int err;

	sb = fs ? inode_superblock_create(k, &sb_ops, HOSTFS_MAGIC) : NULL;
	if (!sb) {
		limits_free(k, fs, sizeof(*fs));
		close(o->dir_fd);
		return -ENOMEM;
	}
	fs->kernel = fs->nodes.kernel = k;
	fs->sb = sb;
	fs->ops = &hostfs_ops;
	fs->options = *o;
	list_init(&fs->idle);
	sb->private = fs;
	sb->read_only = !o->writable;
	sb->host_writes = o->writable;
	sb->cache = o->template ? BELIEVED_MS : SUPERBLOCK_NO_CACHE;
	err = open_root(fs);
	if (err < 0) {
		close(o->dir_fd);
		inode_superblock_put(sb);
		return err;
	}
	*out = sb;
	return 0;
}
