/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files a qube starts with: which file systems exist and how the first
 * mounts are made from what the launcher handed over.
 */
#pragma once

#include "base/fault.h"
#include "kernel/core/kernel.h"
#include "kernel/fs/path.h"

#define WORLD_DEVS    32
#define WORLD_FOLDERS 96

/* How much of the disk the volatile side of / may take: as Qubes' root. */
#define WORLD_SPILL_MAX ((uint64_t)10 << 30)

/* What the file systems need besides their objects: k->world. */
struct world {
	int self_fds; /* the host's /proc/self/fd, opened at start; or -1 */
	int fd_limit; /* descriptors from here on are for others */
	uint64_t next_key;  /* for file_object.key */
	uint64_t boot_time; /* CLOCK_REALTIME in seconds when we started */
	char *cpuinfo;      /* the host's, read at start; or NULL */
	size_t cpuinfo_size;
	char boot_id[37];
	char machine_id[33];
	struct list mapped;  /* filedata_name.in_world */
	struct list volumes; /* volumefs.in_world */
	struct list images;  /* erofs.in_world */
	struct {
		char *outside; /* path of a host folder, malloc'ed */
		char inside[256];
	} folder[WORLD_FOLDERS];
	size_t folder_count;
	uint64_t host_dev[WORLD_DEVS]; /* of host folders; see hostnode.c */
	struct superblock *memfds;     /* of memfd_create(2); NULL: none yet */
	int spill_fd;                  /* see world_spill(); or -1 */
};

/*
 * Makes k->world, with the host's files opened that must be opened before the
 * jail.  world_create() calls it; unit tests of one file system do so by
 * themselves.  0 or a negative errno.
 */
must_check int world_open(struct kernel *k);

/*
 * Gives the kernel a folder for what does not fit into memory: files without
 * a name, gone when they are closed.  Takes over the descriptor.
 */
void world_spill(struct kernel *k, int dir_fd);

/* A new file there: a descriptor, or a negative errno. */
must_check int world_spill_open(struct kernel *k);

/*
 * Remembers that the host's file or folder behind `fd` appears as `inside` ("":
 * as the root).
 * And back: the name inside of a host's path, which is cut to `room`; false if
 * it lies in none of these.
 */
void world_note_folder(struct kernel *k, int fd, const char *inside);
bool world_inside(struct kernel *k, const char *outside, char *to, size_t room);

/* A random number as text. */
void world_uuid(char to[37]);

/*
 * Keeps a new descriptor of a file system's: returns it; or closes it and
 * returns -ENFILE when too few would be left for cells and messages.  Negative
 * ones, which are errors, are returned as they are.
 */
must_check int world_keep(struct kernel *k, int fd);

/*
 * A second description of what the descriptor `fd` of ours holds, even if its
 * name is gone, with other O_* flags.  -ENFILE, -ENODEV (no /proc), -EACCES...
 */
must_check int world_reopen(struct kernel *k, int fd, int flags);

/* A tmpfs may hold at most so much on a disk (and as much in memory). */
void tmpfs_use_disk(struct superblock *sb, uint64_t max_bytes);

/* Makes file systems out of what they need.  Each returns 0 and a reference. */
must_check int tmpfs_create(struct kernel *k, uint64_t max_bytes,
                            uint32_t root_mode, struct superblock **out);
/*
 * A folder of the host.  `dir_fd` is an O_PATH directory; taken over.  Files
 * appear with the owner they have; `owner_map`: host uid -> guest uid.
 */
struct hostfs_options {
	int dir_fd;
	bool writable;
	bool template; /* host's programs: believed for a second */
	bool of_root;  /* all of it is root's inside */
	bool etc;      /* the template's /etc: without etc_hidden.def's names */
	uint32_t host_uid, host_gid;   /* appear inside ... */
	uint32_t guest_uid, guest_gid; /* ... as these */
};
must_check int hostfs_create(struct kernel *k, const struct hostfs_options *o,
                             struct superblock **out);
/*
 * A template image: src/image has the format.  The descriptors are taken over
 * whatever happens.  0; -EIO, -EOPNOTSUPP, -ENOMEM, and why.
 */
struct erofs_options {
	int main_fd;
	int data_fd; /* -1: it has none */
	int tree_fd;
	uint8_t root[32]; /* of the tree of hashes */
};
must_check int erofs_create(struct kernel *k, const struct erofs_options *o,
                            struct superblock **out, struct fault *f);
/* `lower` read-only under `upper`, a tmpfs or a volume.  Takes references. */
must_check int overlay_create(struct kernel *k, struct superblock *lower,
                              struct superblock *upper,
                              struct superblock **out);
/*
 * Two read-only ones as one: what both have as directories has the names of
 * both, anything else is `upper`'s or else `lower`'s own, as it is there.  Only
 * an overlay may be made of it.  Takes references.
 */
must_check int overlay_join(struct kernel *k, struct superblock *lower,
                            struct superblock *upper, struct superblock **out);
/* These two are missing where their folders are left out. */
__attribute__((weak)) must_check int procfs_create(struct kernel *k,
                                                   struct superblock **out);
__attribute__((weak)) must_check int sysfs_create(struct kernel *k,
                                                  struct superblock **out);
must_check int devfs_create(struct kernel *k, struct superblock **out);
must_check int devpts_create(struct kernel *k, struct superblock **out);

/*
 * mount.c: puts `sb` over `at`; the first mount has `at` or at->dentry NULL.
 * Takes a reference of its own to `sb`.  *root (may be NULL) gets references.
 */
#define MOUNT_RDONLY 1u
#define MOUNT_NOSUID 2u
#define MOUNT_NODEV  4u
#define MOUNT_NOEXEC 8u
must_check long mount_add(struct kernel *k, struct superblock *sb,
                          const struct path *at, uint32_t flags,
                          const char *source, struct path *root);

/* One folder of the host to appear inside; descriptors are taken over. */
struct world_share {
	int fd;
	char at[256]; /* absolute path inside */
	bool writable;
	bool is_file;
};

/* A template folder: its name below / and an O_PATH descriptor. */
struct world_template {
	char name[32];
	int fd; /* -1: a symbolic link to `link` instead */
	char link[64];
};

struct volume;

/* A volume, opened before the jail; taken over.  At "/": see world_stay.h. */
struct world_volume {
	struct volume *volume;
	char at[256];
	char name[32];
	bool writable;
};

struct world_bind {
	char at[256], from[256];
};

struct world_options {
	struct world_template template[32];
	size_t template_count;
	/* Or one image, if its main_fd is not 0; taken over. */
	struct erofs_options image;
	/* Our own programs for qubes, if tools_fd is not 0; taken over. */
	int tools_fd;
	/* A folder for what grows, if spill_fd is not 0; taken over. */
	int spill_fd;
	uint64_t spill_max; /* bytes there; 0: WORLD_SPILL_MAX */
	struct world_share share[64];
	size_t share_count;
	struct world_volume volume[8];
	size_t volume_count;
	struct world_bind bind[32];
	size_t bind_count;
	uint32_t host_uid, host_gid;
	uint32_t user_uid, user_gid; /* `user` inside: 1000 */
};

/*
 * Makes the root: the template below, with our tools under it, our own files of world.def in a volatile
 * tmpfs over it, and over that a volume if one is for the root.  Then come the
 * kernel's own file systems, volumes, binds, and shares.  k->fs is set.  *root
 * and *home get references.
 */
must_check int world_create(struct kernel *k, const struct world_options *o,
                            struct path *root, struct path *home);
void world_destroy(struct kernel *k);
