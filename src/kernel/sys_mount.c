/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount(2) and umount2(2), for root inside the qube: bind mounts, moves,
 * remounts, and the file systems that need nothing from the host.
 */
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/dentry.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/world.h"
#include "kernel/syscall.h"
#include "kernel/task/cred.h"

#define MNT_FORCE       1
#define MNT_DETACH      2
#define MNT_EXPIRE      4
#define UMOUNT_NOFOLLOW 8

#define MAGIC      0xc0ed0000ull /* what old programs put into the flags */
#define MAGIC_MASK 0xffff0000ull

#define PROPAGATION (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)

static uint32_t flags_of(uint64_t ms)
{
	static const struct {
		uint64_t theirs;
		uint32_t ours;
	} flags[] = {
		{MS_RDONLY, MOUNT_RDONLY},
		{MS_NOSUID, MOUNT_NOSUID},
		{MS_NODEV, MOUNT_NODEV},
		{MS_NOEXEC, MOUNT_NOEXEC},
		{MS_NOATIME, MOUNT_NOATIME},
		{MS_NODIRATIME, MOUNT_NODIRATIME},
		{MS_RELATIME, MOUNT_RELATIME},
	};
	uint32_t out = 0;

	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (ms & flags[i].theirs)
			out |= flags[i].ours;
	return out;
}

/* The value of "name=" in a list of options, or NULL. */
static const char *option(const char *options, const char *name)
{
	size_t n = strlen(name);

	while (options && *options) {
		if (strncmp(options, name, n) == 0 && options[n] == '=')
			return options + n + 1;
		options = strchr(options, ',');
		if (options)
			options++;
	}
	return NULL;
}

/* "size=10M", "size=50%" of what the qube may have. */
static uint64_t size_option(struct kernel *k, const char *options)
{
	const char *text = option(options, "size");
	char *end;
	uint64_t n;

	if (!text)
		return k->limits.memory / 2;
	n = strtoull(text, &end, 0);
	switch (*end) {
	case 'k':
	case 'K':
		return n > UINT64_MAX >> 10 ? 0 : n << 10;
	case 'm':
	case 'M':
		return n > UINT64_MAX >> 20 ? 0 : n << 20;
	case 'g':
	case 'G':
		return n > UINT64_MAX >> 30 ? 0 : n << 30;
	case '%':
		return k->limits.memory / 100 * MIN(n, 100);
	default:
		return n;
	}
}

static int make_tmpfs(struct kernel *k, const char *options,
                      struct superblock **out)
{
	const char *mode = option(options, "mode");
	const char *uid = option(options, "uid"), *gid = option(options, "gid");
	uint32_t bits = mode ? (uint32_t)strtoul(mode, NULL, 8) & 07777 : 01777;
	int err = tmpfs_create(k, size_option(k, options), bits, out);

	if (err < 0)
		return err;
	if (uid)
		(*out)->root->uid = (uint32_t)strtoul(uid, NULL, 10);
	if (gid)
		(*out)->root->gid = (uint32_t)strtoul(gid, NULL, 10);
	return 0;
}

static int make_procfs(struct kernel *k, const char *options,
                       struct superblock **out)
{
	(void)options;
	return procfs_create ? procfs_create(k, out) : -ENODEV;
}

static int make_sysfs(struct kernel *k, const char *options,
                      struct superblock **out)
{
	(void)options;
	return sysfs_create ? sysfs_create(k, out) : -ENODEV;
}

static int make_devfs(struct kernel *k, const char *options,
                      struct superblock **out)
{
	(void)options;
	return devfs_create(k, out);
}

static const struct {
	const char *type;
	int (*make)(struct kernel *k, const char *options,
	            struct superblock **out);
} makers[] = {
	{"tmpfs", make_tmpfs}, {"ramfs", make_tmpfs},    {"proc", make_procfs},
	{"sysfs", make_sysfs}, {"devtmpfs", make_devfs},
};

/* A guest's strings, each of which may be missing. */
struct words {
	char source[LIMIT_PATH];
	char type[64];
	char options[LIMIT_PATH];
};

static long mount_new(struct kernel *k, const struct words *w,
                      const struct path *at, uint64_t ms)
{
	struct superblock *sb;
	long err;

	for (size_t i = 0; i < ARRAY_LEN(makers); i++) {
		if (strcmp(w->type, makers[i].type) != 0)
			continue;
		err = makers[i].make(k, w->options, &sb);
		if (err < 0)
			return err;
		err = mount_add(k, sb, at, flags_of(ms),
		                *w->source ? w->source : "none", NULL);
		inode_superblock_put(sb);
		return err;
	}
	return -ENODEV;
}

static long remount(const struct path *at, uint64_t ms)
{
	if (!mount_is_root(at))
		return -EINVAL;
	/* A file system that only reads stays so: superblock.read_only. */
	at->mount->flags = flags_of(ms);
	at->mount->kernel->fs->mounts_changed++;
	return 0;
}

static long act(struct task *t, const struct words *w, const struct path *at,
                uint64_t ms)
{
	struct path from;
	long err;

	if (ms & MS_REMOUNT)
		return remount(at, ms);
	if (ms & PROPAGATION)
		return mount_is_root(at) ? 0 : -EINVAL;
	if (!(ms & (MS_BIND | MS_MOVE)))
		return mount_new(t->kernel, w, at, ms);
	err = path_lookup(t, AT_FDCWD, w->source, PATH_FOLLOW, &from);
	if (err < 0)
		return err;
	err = ms & MS_BIND ? mount_bind(t->kernel, &from, at, ms & MS_REC)
	                   : mount_move(&from, at);
	path_put(&from);
	return err;
}

static long fetch(struct task *t, uaddr_t from, char *to, size_t room)
{
	long n;

	*to = 0;
	if (!from.raw)
		return 0;
	n = user_string(t, from, to, room);
	return n == -ENAMETOOLONG && room < LIMIT_PATH ? -EINVAL : n;
}

long sys_mount(struct task *t, const struct args_mount *a)
{
	autofree struct words *w = malloc(sizeof(*w));
	uint64_t ms = (uint64_t)a->flags;
	struct path at;
	long err;

	if (!w)
		return -ENOMEM;
	if ((ms & MAGIC_MASK) == MAGIC)
		ms &= ~MAGIC_MASK;
	err = fetch(t, a->source, w->source, sizeof(w->source));
	if (err >= 0)
		err = fetch(t, a->type, w->type, sizeof(w->type));
	/* Options of other file systems are not strings; then there are none. */
	if (err >= 0 && fetch(t, a->data, w->options, sizeof(w->options)) < 0)
		w->options[0] = 0;
	if (err < 0)
		return err;
	err = path_at(t, AT_FDCWD, a->target, PATH_FOLLOW, &at);
	if (err < 0)
		return err;
	err = cred_capable(t->cred, CRED_CAP_SYS_ADMIN) ? act(t, w, &at, ms)
	                                                : -EPERM;
	path_put(&at);
	return err;
}

long sys_umount2(struct task *t, const struct args_umount2 *a)
{
	uint32_t how = a->flags & UMOUNT_NOFOLLOW ? 0 : PATH_FOLLOW;
	struct path at;
	long err;

	if (a->flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW))
		return -EINVAL;
	if (!cred_capable(t->cred, CRED_CAP_SYS_ADMIN))
		return -EPERM;
	err = path_at(t, AT_FDCWD, a->target, how, &at);
	if (err < 0)
		return err;
	err = mount_remove(&at, a->flags & MNT_DETACH);
	path_put(&at);
	return err;
}
