/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System V semaphores: sets of numbers that are changed together.
 *
 * What a process is to undo when it ends is kept with it, one record for each
 * set it touched; a removed set takes its records along.
 */
#pragma once

#include "kernel/ipc/sysv.h"

struct process;

#define SEM_SET_MAX   32000u /* semaphores in a set */
#define SEM_OPS_MAX   500u   /* operations in a call */
#define SEM_VALUE_MAX 32767

struct sem {
	int32_t value;
	int32_t pid; /* who changed it last */
};

struct sem_set {
	struct sysv_object object;
	struct waitq wait;
	int64_t otime, ctime;
	uint32_t count;
	struct sem sem[];
};

struct sembuf;

/* A new set of zeros, not entered yet.  NULL: no memory. */
must_check struct sem_set *sem_create(struct kernel *k, uint32_t count);

/* Removes a set that was entered; who waits for it gets -EIDRM. */
void sem_set_destroy(struct kernel *k, struct sem_set *s);

/*
 * Does all operations or none.  0; -EAGAIN when one would have to wait, which
 * *blocker then points to; -EFBIG, -ERANGE, -ENOMEM.
 */
must_check long sem_operate(struct task *t, struct sem_set *s,
                            const struct sembuf *ops, size_t count,
                            const struct sembuf **blocker);

/* Sets a value, forgetting what was to be undone. */
void sem_set_value(struct task *t, struct sem_set *s, uint32_t n,
                   int32_t value);

/* How many tasks wait for semaphore n to grow, or (zero) to be zero. */
int32_t sem_waiters(const struct sem_set *s, uint32_t n, bool zero);

/* Notes in the task what it waits for; for sem_waiters(). */
void sem_wait(struct task *t, struct sem_set *s, const struct sembuf *op);

/* A process has ended: undoes what it asked to be undone. */
void sem_process_gone(struct process *p);
