/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POSIX message queues: mq_overview(7).
 *
 * Queues have names of their own, beside the files'.  One lives while it has
 * its name or is open; a description of it is an ordinary open file.
 */
#pragma once

#include "channel/abi.h"
#include "kernel/fs/file.h"

#define MQUEUE_COUNT_DEFAULT 10
#define MQUEUE_SIZE_DEFAULT  8192
#define MQUEUE_COUNT_MAX     65536 /* for those who may raise limits */
#define MQUEUE_SIZE_MAX      (16 << 20)
#define MQUEUE_PRIORITIES    32768u
#define MQUEUE_NAMES         256u /* queues of a qube */

struct mqueue;

/* struct mq_attr */
struct mqueue_attr {
	int64_t flags;
	int64_t count_max;
	int64_t size_max;
	int64_t count;
	int64_t reserved[4];
};

/* The queue of that name, borrowed, or NULL. */
struct mqueue *mqueue_find(struct kernel *k, const char *name);

/*
 * A new one of that name, owned by the task.  0 and *out borrowed, -ENOSPC,
 * -ENOMEM.
 */
must_check int mqueue_create(struct task *t, const char *name, uint32_t mode,
                             const struct mqueue_attr *a, struct mqueue **out);

/* Takes its name away. */
void mqueue_unlink(struct mqueue *q);

struct inode *mqueue_inode(struct mqueue *q);

/* A description of it: O_ACCMODE and O_NONBLOCK of `flags`. */
must_check int mqueue_open(struct mqueue *q, uint32_t flags, struct file **out);

/* The queue behind a file, or NULL. */
struct mqueue *mqueue_of(struct file *f);

void mqueue_attr(const struct mqueue *q, struct mqueue_attr *out);

/* 0; -EAGAIN when it is full; -EMSGSIZE, -ENOMEM, -EFAULT. */
must_check long mqueue_send(struct mqueue *q, struct task *t, uaddr_t data,
                            size_t size, uint32_t priority);

/* The size of the message; -EAGAIN when there is none, -EMSGSIZE, -EFAULT. */
must_check long mqueue_receive(struct mqueue *q, struct task *t, uaddr_t to,
                               size_t room, uint32_t *priority);

/* mq_notify(3); `event` may be NULL.  0, -EBUSY, -EINVAL. */
must_check long mqueue_notify(struct mqueue *q, struct task *t,
                              const abi_sigevent *event);

/* Frees what is left of a kernel's queues. */
void mqueue_fini(struct kernel *k);
