/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/lease.h"

#include <asm/resource.h>
#include <linux/fcntl.h>
#include <linux/inotify.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/fd.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/inotify.h"
#include "kernel/fs/loan.h"

/*
 * What a cell holds: key i + 1 stands for object[i].  When all keys are taken
 * they are given anew in turn; the cell closes what it had under that key.
 */
#define KEYS 255u

/* Writes of such files are more than pwrite(2). */
#define WRITES_ASK (O_APPEND | O_DSYNC | O_SYNC)

struct lease_table {
	struct kernel *kernel;
	uint32_t count;
	uint32_t next; /* to be given anew */
	uint64_t object[KEYS];
};

bool lease_may_read(const struct task *t, const struct file *f)
{
	/* One who may only write must not be able to read. */
	return f->inode && inode_is(f->inode, S_IFREG) &&
	       (f->mode & FILE_READ) && f->ops->object &&
	       !f->inode->sb->no_leases && !fd_table_mixed(t->fds) &&
	       !inotify_watches(f, IN_ACCESS);
}

bool lease_may_write(const struct task *t, const struct file *f)
{
	return (f->mode & FILE_WRITE) && f->inode->sb->host_writes &&
	       lease_may_read(t, f) && !(f->flags & WRITES_ASK) &&
	       !inotify_watches(f, IN_MODIFY) &&
	       !(f->inode->mode & (S_ISUID | S_ISGID)) &&
	       t->process->rlimit[RLIMIT_FSIZE].cur == UINT64_MAX;
}

void lease_forget(struct cell *c)
{
	loan_forget(c);
	if (c->leases)
		limits_free(c->leases->kernel, c->leases, sizeof(*c->leases));
	c->leases = NULL;
}

static struct lease_table *create(struct kernel *k)
{
	struct lease_table *table = limits_alloc(k, sizeof(*table));

	if (table)
		table->kernel = k;
	return table;
}

void lease_inherit(struct cell *child, const struct cell *parent)
{
	if (!parent->leases || child->leases)
		return;
	child->leases = create(parent->kernel);
	if (child->leases)
		*child->leases = *parent->leases;
}

/* What goes with the key when the guest's file is only a part. */
static long finish(struct task *t, const struct file_object *o, uint32_t answer)
{
	if (!o->part)
		return answer;
	atomic_store(&t->slot->arg[0], o->from);
	atomic_store(&t->slot->arg[1], o->size);
	return answer | OP_KEY_PART;
}

long lease_give(struct task *t, const struct file_object *o)
{
	struct lease_table *table;
	uint32_t i;
	long err;

	if (!t->cell)
		return -EOPNOTSUPP;
	table = t->cell->leases;
	if (!table)
		table = t->cell->leases = create(t->kernel);
	if (!table)
		return -ENOMEM;
	for (i = 0; i < table->count; i++)
		if (table->object[i] == o->key)
			return finish(t, o, i + 1);
	if (table->count == KEYS)
		i = table->next;
	err = cells_send(t, &o->host_fd, 1);
	if (err < 0)
		return err;

	/* Nothing below can fail. */
	if (i == table->count)
		table->count++;
	else
		table->next = (i + 1) % KEYS;
	table->object[i] = o->key;
	return finish(t, o, OP_KEY_SENT | (i + 1));
}
