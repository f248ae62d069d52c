/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/ipc/sysv.h"

#include <linux/ipc.h>
#include <string.h>

#include "kernel/core/limits.h"
#include "kernel/ipc/mqueue.h"
#include "kernel/task/cred.h"

#define PLACE_BITS  15
#define FIRST_ROOM  16u
#define PERMISSIONS 0777u

struct sysv *sysv_world(struct kernel *k)
{
	if (!k->sysv) {
		k->sysv = limits_alloc(k, sizeof(*k->sysv));
		if (!k->sysv)
			return NULL;
		list_init(&k->sysv->undo);
		list_init(&k->sysv->attached);
		list_init(&k->sysv->mqueues);
	}
	return k->sysv;
}

static void free_table(struct kernel *k, struct sysv_table *st)
{
	for (uint32_t i = 0; i < st->room; i++)
		if (st->place[i])
			st->place[i]->destroy(k, st->place[i]);
	limits_free(k, st->place, st->room * sizeof(struct sysv_object *));
}

void sysv_fini(struct kernel *k)
{
	if (!k->sysv)
		return;
	mqueue_fini(k);
	free_table(k, &k->sysv->sem);
	free_table(k, &k->sysv->msg);
	free_table(k, &k->sysv->shm);
	limits_free(k, k->sysv, sizeof(*k->sysv));
	k->sysv = NULL;
}

struct sysv_object *sysv_find(const struct sysv_table *st, int32_t id)
{
	uint32_t at = (uint32_t)id & ((1u << PLACE_BITS) - 1);
	struct sysv_object *o;

	if (id < 0 || at >= st->room)
		return NULL;
	o = st->place[at];
	return o && o->id == id ? o : NULL;
}

struct sysv_object *sysv_named(const struct sysv_table *st, int32_t id,
                               bool by_place)
{
	if (!by_place)
		return sysv_find(st, id);
	if (id < 0 || (uint32_t)id >= st->room)
		return NULL;
	return st->place[id];
}

static struct sysv_object *find_key(const struct sysv_table *st, int32_t key)
{
	for (uint32_t i = 0; i < st->room; i++)
		if (st->place[i] && st->place[i]->key == key)
			return st->place[i];
	return NULL;
}

int sysv_access(struct task *t, const struct sysv_object *o, uint32_t want)
{
	const struct cred *c = t->cred;
	uint32_t have = o->mode;

	/* Any of the three triplets in `want` will do. */
	want = (want >> 6 | want >> 3 | want) & 7;
	if (c->euid == o->cuid || c->euid == o->uid)
		have >>= 6;
	else if (cred_in_group(c, o->cgid) || cred_in_group(c, o->gid))
		have >>= 3;
	if ((want & ~have) && !cred_capable(c, CRED_CAP_IPC_OWNER))
		return -EACCES;
	return 0;
}

int sysv_owns(struct task *t, const struct sysv_object *o)
{
	const struct cred *c = t->cred;

	if (c->euid == o->cuid || c->euid == o->uid ||
	    cred_capable(c, CRED_CAP_SYS_ADMIN))
		return 0;
	return -EPERM;
}

long sysv_get(struct task *t, const struct sysv_table *st, int32_t key,
              uint32_t flags, struct sysv_object **out)
{
	struct sysv_object *o;
	int err;

	if (key != IPC_PRIVATE) {
		o = find_key(st, key);
		if (o) {
			if ((flags & IPC_CREAT) && (flags & IPC_EXCL))
				return -EEXIST;
			err = sysv_access(t, o, flags & PERMISSIONS);
			if (err < 0)
				return err;
			*out = o;
			return 1;
		}
		if (!(flags & IPC_CREAT))
			return -ENOENT;
	}
	return st->count >= SYSV_PLACES ? -ENOSPC : 0;
}

static int grow(struct kernel *k, struct sysv_table *st)
{
	uint32_t room = st->room ? 2 * st->room : FIRST_ROOM;
	struct sysv_object **place;

	if (st->count < st->room)
		return 0;
	place = limits_alloc(k, room * sizeof(*place));
	if (!place)
		return -ENOMEM;
	if (st->room > 0)
		memcpy(place, st->place, st->room * sizeof(*place));
	limits_free(k, st->place, st->room * sizeof(*place));
	st->place = place;
	st->room = room;
	return 0;
}

long sysv_enter(struct task *t, struct sysv_table *st, struct sysv_object *o,
                int32_t key, uint32_t flags)
{
	uint32_t at = 0;

	if (grow(t->kernel, st) < 0)
		return -ENOMEM;
	while (st->place[at])
		at++;
	st->place[at] = o;
	st->count++;
	o->key = key;
	o->seq = st->seq;
	o->id = (int32_t)((uint32_t)st->seq << PLACE_BITS | at);
	st->seq = (uint16_t)((st->seq + 1) & 0x7fff);
	o->uid = o->cuid = t->cred->euid;
	o->gid = o->cgid = t->cred->egid;
	o->mode = flags & PERMISSIONS;
	return o->id;
}

void sysv_leave(struct sysv_table *st, struct sysv_object *o)
{
	uint32_t at = (uint32_t)o->id & ((1u << PLACE_BITS) - 1);

	assert(st->place[at] == o);
	st->place[at] = NULL;
	st->count--;
}

void sysv_perm(const struct sysv_object *o, struct ipc64_perm *out)
{
	*out = (struct ipc64_perm){
		.key = o->key,
		.uid = o->uid,
		.gid = o->gid,
		.cuid = o->cuid,
		.cgid = o->cgid,
		.mode = o->mode,
		.seq = o->seq,
	};
}

void sysv_set_perm(struct sysv_object *o, const struct ipc64_perm *in)
{
	o->uid = in->uid;
	o->gid = in->gid;
	o->mode = (o->mode & ~PERMISSIONS) | (in->mode & PERMISSIONS);
}
