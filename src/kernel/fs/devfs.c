/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /dev: a tmpfs that starts with the devices of devices.def.
 */
#include <sys/stat.h>

#include "kernel/fs/device.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/fs/world.h"

static const struct {
	const char *name;
	uint32_t mode;
	uint64_t rdev;
	uint32_t gid;
	const char *target;
} nodes[] = {
#define DEVICE(name, major, minor, mode, group, ops) \
	{name, S_IFCHR | (mode), DEVICE_MAKE(major, minor), group, NULL},
#define TERMINAL(name, major, minor, mode, group) \
	DEVICE(name, major, minor, mode, group, NULL)
#include "kernel/fs/devices.def"
	{"fd", S_IFLNK | 0777, 0, 0, "/proc/self/fd"},
	{"stdin", S_IFLNK | 0777, 0, 0, "/proc/self/fd/0"},
	{"stdout", S_IFLNK | 0777, 0, 0, "/proc/self/fd/1"},
	{"stderr", S_IFLNK | 0777, 0, 0, "/proc/self/fd/2"},
	{"ptmx", S_IFLNK | 0777, 0, 0, "pts/ptmx"},
	{"pts", S_IFDIR | 0755, 0, 0, NULL},
	{"shm", S_IFDIR | 01777, 0, 0, NULL},
	{"mqueue", S_IFDIR | 01777, 0, 0, NULL},
};

int devfs_create(struct kernel *k, struct superblock **out)
{
	struct superblock *sb;
	int err = tmpfs_create_dev(k, &sb);

	if (err < 0)
		return err;
	for (size_t i = 0; i < ARRAY_LEN(nodes) && err == 0; i++) {
		struct inode_new how = {
			.mode = nodes[i].mode,
			.gid = nodes[i].gid,
			.rdev = nodes[i].rdev,
		};
		struct inode *node;

		if (nodes[i].target)
			how.target = span_str(nodes[i].target);
		node = tmpfs_inode(sb, &how);
		err = node ? tmpfs_enter(sb->root, span_str(nodes[i].name),
		                         node)
		           : -ENOMEM;
		inode_put(node);
	}
	if (err < 0) {
		inode_superblock_put(sb);
		return err;
	}
	*out = sb;
	return 0;
}
