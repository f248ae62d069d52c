/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System V shared memory: segments are files in memory, which cells map.
 *
 * The cell maps a segment by itself (OP_shm hands it the object) and then says
 * where with shmat(2), so that who has what attached is counted here.  A cell
 * that lies about it hurts only the count.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/ipc/sysv.h"

struct process;

#define SHM_MODE_DEST   01000u /* gone when nobody has it attached */
#define SHM_MODE_LOCKED 02000u

struct shm_segment {
	struct sysv_object object;
	struct file *file;
	uint64_t size; /* as asked for */
	int64_t atime, dtime, ctime;
	int32_t creator, last; /* processes */
	uint64_t attached;
};

/* A new segment, not entered yet.  0, -ENOMEM, -ENOSPC. */
must_check int shm_create(struct task *t, uint64_t size,
                          struct shm_segment **out);
/* One that never was entered. */
void shm_discard(struct kernel *k, struct shm_segment *s);

/* IPC_RMID: goes now, or with its last user. */
void shm_remove(struct kernel *k, struct shm_segment *s);

/* The process has it at `addr` now.  0 or -ENOMEM. */
must_check int shm_attach(struct process *p, struct shm_segment *s,
                          uint64_t addr);

/* It has not any more.  The size of what was there, or -EINVAL. */
must_check long shm_detach(struct process *p, uint64_t addr);

/* A new process has what its parent has.  Best effort. */
void shm_inherit(struct process *child, struct process *parent);

/* A process ended or runs another program. */
void shm_process_gone(struct process *p);
