/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OP_shm: the object behind a shared memory segment, for the cell to map.
 */
#include <linux/mman.h>
#include <linux/shm.h>

#include "kernel/fs/lease.h"
#include "kernel/ipc/shm.h"
#include "kernel/ops.h"

long op_shm(struct task *t)
{
	struct sysv *w = sysv_world(t->kernel);
	struct sysv_object *o = w ? sysv_find(&w->shm, (int32_t)t->req.arg[0])
	                          : NULL;
	bool read_only = t->req.arg[1] & SHM_RDONLY;
	int prot = PROT_READ | (read_only ? 0 : PROT_WRITE);
	struct file_object obj = {.host_fd = -1};
	struct shm_segment *s;
	long err;

	if (!o)
		return -EINVAL;
	err = sysv_access(t, o, read_only ? 0444 : 0666);
	if (err < 0)
		return err;
	s = container_of(o, struct shm_segment, object);
	err = s->file->ops->object(s->file, t, prot, true, &obj);
	if (err < 0)
		return err;
	if (obj.host_fd < 0)
		return -ENOMEM;
	atomic_store(&t->slot->arg[0], s->size);
	return lease_give(t, &obj);
}
