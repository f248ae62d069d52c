/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An open file description: what open(2) makes, dup(2) and fork(2) share, and
 * SCM_RIGHTS passes on.
 *
 * No operation blocks.  What would have to wait returns -EAGAIN; file_wait()
 * turns that into waiting through poll().  Operations that need the host's
 * slow side return -EWAIT themselves, with the task's job under way.
 */
#pragma once

#include "kernel/fs/path.h"
#include "kernel/fs/poller.h"
#include "kernel/task/uio.h"

struct dirsink;
struct file;
struct inode_ops;
struct sigio;

/*
 * A host descriptor for the cell: to map, or to read and write directly.  The
 * guest's file may be a part of it, at a multiple of the page size; that cells
 * keep to the part is no protection, and what is beside it must be for all.
 */
struct file_object {
	int host_fd;  /* borrowed; valid until the file is released */
	uint64_t key; /* the same for the same object and rights; not 0 */
	bool writable;
	bool part; /* only these bytes of it, and it is not writable: */
	uint64_t from, size;
};

struct file_ops {
	/*
	 * Transfer at *pos and move it on; `pos` is &file->pos or a private
	 * offset of pread.  Return bytes (0 at the end), or a negative errno;
	 * -EAGAIN when it would have to wait.  Not NULL-able by themselves: a
	 * missing one is -EINVAL.  Who calls write() sends the SIGPIPE that
	 * goes with its -EPIPE.
	 */
	long (*read)(struct file *f, struct uio *u, int64_t *pos);
	long (*write)(struct file *f, struct uio *u, int64_t *pos);

	/* POLL* that hold now; puts `p` (may be NULL) on the queues. */
	uint32_t (*poll)(struct file *f, struct poller *p);

	long (*ioctl)(struct file *f, struct task *t, uint32_t cmd,
	              uint64_t arg);
	int64_t (*seek)(struct file *f, int64_t offset, int whence);
	/* Entries from f->pos on into the sink until it is full. */
	long (*readdir)(struct file *f, struct task *t, struct dirsink *sink);
	/*
	 * The object behind a regular file: `prot` is PROT_* as mmap wants it
	 * and `shared` says MAP_SHARED; for leases PROT_READ [| PROT_WRITE]
	 * and shared.  0, -ENODEV, -EACCES, -EWAIT...
	 */
	long (*object)(struct file *f, struct task *t, int prot, bool shared,
	               struct file_object *out);
	long (*fsync)(struct file *f, struct task *t, bool data_only);
	long (*truncate)(struct file *f, struct task *t, uint64_t size);
	long (*fallocate)(struct file *f, struct task *t, int mode,
	                  uint64_t offset, uint64_t size);
	/* fcntl(2) commands that are the object's: F_GETPIPE_SZ, F_SETPIPE_SZ,
	 * F_ADD_SEALS, F_GET_SEALS.  Missing: -EINVAL (-EBADF for pipes'). */
	long (*fcntl)(struct file *f, struct task *t, int cmd, uint64_t arg);
	/* One descriptor of the file was closed; locks and the like. */
	void (*flush)(struct file *f, struct task *t);
	/* The last reference has gone. */
	void (*release)(struct file *f);
};

#define FILE_READ     1u
#define FILE_WRITE    2u
#define FILE_SEEKABLE 4u  /* has a position; pread works */
#define FILE_PATH     8u  /* O_PATH */
#define FILE_WHOLE    16u /* a blocking write goes on until all is taken */

struct file {
	const struct file_ops *ops;
	struct kernel *kernel;
	struct path path; /* where it was opened; empty for anonymous files */
	struct inode *inode; /* NULL only for O_PATH-less anonymous files */
	struct cred *cred;   /* of the opener */
	uint32_t refs;
	uint32_t mode;  /* FILE_* */
	uint32_t flags; /* O_APPEND, O_NONBLOCK, O_DIRECT, ... and O_ACCMODE */
	int64_t pos;    /* but if there is a `holder`; kernel/fs/loan.h */
	void *private;  /* the implementation's */
	const char *label;  /* "pipe:", "socket:", "anon_inode:[eventpoll]" */
	struct list epolls; /* epoll items that watch it; kernel/fs/epoll.c */
	int32_t owner;      /* F_SETOWN: pid, or -pgrp */
	int32_t owner_signal;
	bool owner_is_task; /* F_SETOWN_EX with F_OWNER_TID */
	uint32_t owner_uid; /* of who said so */
	uint32_t owner_euid;
	struct sigio *sigio; /* O_ASYNC; kernel/fs/sigio.c */
	bool counts_writer;  /* it is one of inode->writers */
	bool leased_write;   /* a cell writes by itself; kernel/fs/lease.c */
	uint8_t reads;       /* kernel/fs/loan.c, like all from here on: */
	uint8_t vain;        /* loans that brought nothing, in a row */
	uint16_t loan;       /* its number */
	uint16_t holder_fd;  /* there */
	struct cell *holder; /* has the position; or NULL */
};

/*
 * A description with no inode, for sockets, epoll and the like.  `flags` hold
 * O_ACCMODE and O_NONBLOCK.  NULL when there is no memory.
 */
must_check struct file *file_create(struct kernel *k,
                                    const struct file_ops *ops, void *private,
                                    uint32_t flags);

/*
 * Gives a new anonymous file an inode and a path without a name, so that it
 * can be fstat'ed and opened again through /proc/PID/fd (pipes, sockets,
 * memory files).  `label` is "pipe:", "socket:" (followed by [ino] in names)
 * or a whole name; it lives as long as the kernel.  `i` may be one made by
 * file_anonymous_inode(); takes over the reference.  0 or -ENOMEM.
 */
must_check int file_name(struct file *f, struct inode *i, const char *label);

/* An inode of no file system one could mount.  NULL: no memory. */
must_check struct inode *file_anonymous_inode(struct kernel *k,
                                              const struct inode_ops *ops,
                                              uint32_t mode);

/*
 * Opens what `p` leads to, with O_* flags, and checks no permission: for
 * open(2) after its checks, and for exec.  Does FIFOs, devices and ETXTBSY; not
 * O_CREAT, O_TRUNC, O_NOFOLLOW.  0 and a new reference, or a negative errno,
 * -EWAIT among them.
 */
must_check long file_open(struct task *t, const struct path *p, uint32_t flags,
                          struct file **out);

struct file *file_get(struct file *f);
void file_put(struct file *f); /* accepts NULL */

/*
 * Waits until one of `events` (POLL*) holds: puts the task on the queues and
 * returns -EWAIT, or -ERESTARTSYS, or -EAGAIN when the file is O_NONBLOCK.
 * For the answer to a -EAGAIN of read or write.
 */
must_check long file_wait(struct file *f, struct task *t, uint32_t events);

/*
 * lseek(2) with SEEK_SET, SEEK_CUR or SEEK_END in a file of that size: moves
 * f->pos and returns it, or -EINVAL.
 */
must_check int64_t file_seek(struct file *f, int64_t size, int64_t offset,
                             int whence);

/* What poll(2) says; files without poll() are always ready. */
uint32_t file_poll(struct file *f, struct poller *p);

/* kernel/fs/epoll.c: a file that is watched by some (f->epolls) goes. */
void epoll_file_gone(struct file *f);

static inline bool file_nonblock(const struct file *f)
{
	return f->flags & 04000; /* O_NONBLOCK */
}
