/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/volumefs_lent.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/volumefs_file.h"
#include "kernel/fs/volumefs_flush.h"
#include "kernel/fs/volumefs_node.h"
#include "kernel/task/process.h"
#include "volume/object.h"

void volumefs_lent_init(struct volumefs *fs)
{
	list_init(&fs->lent.files);
}

static void drop(struct volumefs *fs, struct volumefs_lent_file *l)
{
	if (l->node)
		l->node->lent = NULL;
	if (l->nameless)
		volume_uncharge(fs->volume, l->held);
	list_del(&l->link);
	fs->lent.count--;
	base_close(&l->fd);
	limits_free(fs->kernel, l, sizeof(*l));
}

long volumefs_lent_begin(struct volumefs_node *n, struct task *t)
{
	struct volumefs *fs = n->fs;
	struct volumefs_lent_file *l = n->lent;

	if (!l) {
		if (fs->lent.count >= VOLUMEFS_LENT_MAX)
			volumefs_lent_look(fs);
		if (fs->lent.count >= VOLUMEFS_LENT_MAX)
			return -ENOMEM;
		l = limits_alloc(fs->kernel, sizeof(*l));
		if (!l)
			return -ENOMEM;
		l->fd = world_keep(fs->kernel,
		                   object_open(fs->volume->objects_fd,
		                               n->tree.ino, O_RDONLY));
		if (l->fd < 0) {
			long err = l->fd;

			limits_free(fs->kernel, l, sizeof(*l));
			return err;
		}
		l->node = n;
		l->ino = n->tree.ino;
		n->lent = l;
		list_add_tail(&fs->lent.files, &l->link);
		fs->lent.count++;
	}
	l->pid = t->process->pid;
	return 0;
}

static uint64_t held_by(const struct volumefs_lent_file *l)
{
	struct stat st;

	return fstat(l->fd, &st) < 0 ? 0 : object_held(&st);
}

void volumefs_lent_forget(struct volumefs_node *n)
{
	struct volumefs_lent_file *l = n->lent;

	if (!l)
		return;
	n->lent = NULL;
	l->node = NULL;
	l->held = MIN(held_by(l), n->tree.r.charged);
	/* Its charge goes with the name; its blocks do not. */
	if (n->fs->volume && n->tree.r.nlink == 0)
		l->nameless = volume_charge(n->fs->volume, l->held) == 0;
}

void volumefs_lent_find(struct volumefs_node *n)
{
	list_for_each (at, &n->fs->lent.files) {
		struct volumefs_lent_file *l = list_entry(
			at, struct volumefs_lent_file, link);

		if (l->ino != n->tree.ino)
			continue;
		l->node = n;
		n->lent = l;
		n->mapped = true;
	}
}

/* Can nobody write to it any more? */
static bool is_back(const struct volumefs_lent_file *l)
{
	if (l->node && !volumefs_node_close(l->node))
		return false;
	return fcntl(l->fd, F_SETLEASE, F_RDLCK) == 0 &&
	       fcntl(l->fd, F_SETLEASE, F_UNLCK) == 0;
}

/* It holds more than the limit allows, and more than before. */
static void strike(struct volumefs *fs, struct volumefs_lent_file *l)
{
	struct process *p = process_find(fs->kernel, l->pid);

	if (++l->strikes >= VOLUMEFS_LENT_STRIKES) {
		(void)fprintf(stderr, "bento-kernel: volume: a program writes "
		                      "past its limit: the qube ends\n");
		fs->kernel->loop.stop = true;
	} else if (p) {
		(void)fprintf(stderr,
		              "bento-kernel: volume: process %d has filled a "
		              "mapping past its limit: killed\n",
		              l->pid);
		process_kill(p, SIGKILL);
	}
}

/* Charges so much more: to its record, or without a name to itself. */
static int charge(struct volumefs *fs, struct volumefs_lent_file *l,
                  uint64_t bytes)
{
	struct inode *i;
	int err;

	if (l->nameless) {
		err = volume_charge(fs->volume, bytes);
		l->held += err == 0 ? bytes : 0;
		return err;
	}
	err = volumefs_node_get(fs, l->ino, &i);
	if (err < 0)
		return err;
	err = volumefs_file_charge(volumefs_node_of(i), bytes);
	volumefs_flush_later(fs);
	inode_put(i);
	return err;
}

static void look_at(struct volumefs *fs, struct volumefs_lent_file *l)
{
	uint64_t held = held_by(l);
	uint64_t may = l->node ? l->node->tree.r.charged : l->held;
	uint64_t beyond = held > may ? held - may : 0;

	if (beyond > 0 && charge(fs, l, beyond) == 0)
		beyond = 0;
	if (beyond > l->beyond)
		strike(fs, l);
	l->beyond = beyond;
}

void volumefs_lent_look(struct volumefs *fs)
{
	list_for_each_safe (at, &fs->lent.files) {
		struct volumefs_lent_file *l = list_entry(
			at, struct volumefs_lent_file, link);

		look_at(fs, l);
		if (is_back(l))
			drop(fs, l);
	}
}

void volumefs_lent_note(struct volumefs *fs)
{
	list_for_each (at, &fs->lent.files) {
		const struct volumefs_lent_file *l = list_entry(
			at, struct volumefs_lent_file, link);

		if (!l->nameless)
			volumefs_sync_add(fs, l->ino, l->fd);
	}
}

void volumefs_lent_end(struct volumefs *fs)
{
	list_for_each_safe (at, &fs->lent.files)
		drop(fs, list_entry(at, struct volumefs_lent_file, link));
}
