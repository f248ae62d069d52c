/* SPDX-License-Identifier: Apache-2.0 */
/*
 * epoll(7): a set of files, and those of them that had news.
 *
 * An item stays on the queues of its file.  When one is woken the item goes
 * to the ready list, and whoever waits for the set is woken; whether the file
 * really is ready is asked when events are taken.  So waiting costs what is
 * ready, not what is watched.
 *
 * An item does not hold its file: the file's last reference takes it out of
 * all sets.  Sets may watch sets, EPOLL_NESTS deep and never in a circle.
 */
#pragma once

#include "channel/abi.h"
#include "kernel/fs/file.h"

#define EPOLL_NESTS 4

/* An empty set.  0 and a reference, or -ENOMEM. */
must_check int epoll_open(struct task *t, struct file **out);

bool epoll_is(const struct file *f);

/* How many files are in the set: no more events can be taken at once. */
size_t epoll_size(const struct file *set);

/*
 * epoll_ctl(2) of a set: `fd` is the number `target` was given by.  0,
 * -EEXIST, -ENOENT, -EPERM for a file that cannot be waited for, -EINVAL,
 * -ELOOP, -ENOMEM.
 */
must_check long epoll_add(struct task *t, struct file *set, struct file *target,
                          int32_t fd, const abi_epoll_event *event);
must_check long epoll_change(struct task *t, struct file *set,
                             struct file *target, int32_t fd,
                             const abi_epoll_event *event);
must_check long epoll_remove(struct file *set, struct file *target, int32_t fd);

/*
 * Takes up to `max` events.  Returns how many, and puts the task on the set's
 * queue if there are none.
 */
long epoll_take(struct task *t, struct file *set, abi_epoll_event *out,
                size_t max);
