/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What System V's semaphores, message queues and shared memory have in common:
 * objects under keys and numbers, and who may do what with them.
 *
 * A number is the object's place in its table and, above that, a count that
 * tells it from earlier objects of that place.
 */
#pragma once

#include "kernel/task/task.h"

#define SYSV_PLACES 32000u /* objects of one kind */

struct sysv_object {
	int32_t key;
	int32_t id;
	uint32_t uid, gid;   /* owner */
	uint32_t cuid, cgid; /* creator */
	uint32_t mode;
	uint16_t seq;
	void (*destroy)(struct kernel *k, struct sysv_object *o);
};

struct sysv_table {
	struct sysv_object **place;
	uint32_t room;  /* places there are */
	uint32_t count; /* places taken */
	uint16_t seq;
};

/* k->sysv */
struct sysv {
	struct sysv_table sem;
	struct sysv_table msg;
	struct sysv_table shm;
	struct list undo;     /* of processes; kernel/ipc/sem.c */
	struct list attached; /* kernel/ipc/shm.c */
	struct list mqueues;  /* not System V's: kernel/ipc/mqueue.c */
	uint32_t mqueue_count;
};

/* k->sysv, made when first wanted.  NULL: no memory. */
must_check struct sysv *sysv_world(struct kernel *k);

/* Frees it with all objects. */
void sysv_fini(struct kernel *k);

/* The object of that number, or NULL. */
struct sysv_object *sysv_find(const struct sysv_table *st, int32_t id);

/*
 * What semctl(2), msgctl(2) and shmctl(2) are about: the object of that number;
 * or, `by_place`, in that place of the table, as *_STAT and *_STAT_ANY want it.
 */
struct sysv_object *sysv_named(const struct sysv_table *st, int32_t id,
                               bool by_place);

/*
 * What semget(2) and msgget(2) have in common.  Returns 1 and *out when there
 * is such an object that may be used; 0 when one is to be made; -EACCES,
 * -EEXIST, -ENOENT, -ENOSPC.
 */
must_check long sysv_get(struct task *t, const struct sysv_table *st,
                         int32_t key, uint32_t flags, struct sysv_object **out);

/* Gives a new object a number and an owner.  The number, or -ENOMEM. */
must_check long sysv_enter(struct task *t, struct sysv_table *st,
                           struct sysv_object *o, int32_t key, uint32_t flags);

/* Its number means nothing any more. */
void sysv_leave(struct sysv_table *st, struct sysv_object *o);

/* May the task do what `want` (0400 and 0200) says?  0 or -EACCES. */
must_check int sysv_access(struct task *t, const struct sysv_object *o,
                           uint32_t want);

/* May it change or remove the object?  0 or -EPERM. */
must_check int sysv_owns(struct task *t, const struct sysv_object *o);

/* struct ipc64_perm, to and from the guest. */
struct ipc64_perm;
void sysv_perm(const struct sysv_object *o, struct ipc64_perm *out);
void sysv_set_perm(struct sysv_object *o, const struct ipc64_perm *in);
