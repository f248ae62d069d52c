/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel of one qube, as a process.
 *
 * It is started with descriptors and a record (channel/launch.h), and nothing
 * else.  It makes the qube's world while it still can, gives up everything in
 * the steps of kernel/jail.h, and serves until the qube ends: with its first
 * program, or, if it lasts, when it is told to.
 */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "channel/launch.h"
#include "kernel/clients.h"
#include "kernel/core/kernel.h"
#include "kernel/fs/volumefs.h"
#include "kernel/fs/world.h"
#include "kernel/halt.h"
#include "kernel/jail.h"
#include "kernel/places.h"
#include "kernel/serve.h"
#include "kernel/task/cells.h"
#include "kernel/task/memory.h"
#include "kernel/task/process.h"
#include "kernel/trace.h"
#include "volume/volume.h"

#define OURS 125 /* exit status for our own failure */

/* The descriptors behind the record, in the order they were handed over. */
struct handed {
	int cell;
	int listener;
	int tell;
	int next; /* of those not yet taken */
};

static int read_record(struct launch *l, struct fault *f)
{
	struct stat st;
	void *at;

	if (fstat(LAUNCH_FD_RECORD, &st) < 0)
		return fault_errno(f, "find the launch record");
	if (st.st_size <= 0 || (size_t)st.st_size > WIRE_SIZE_MAX)
		return fault_set(f, -EPROTO, "the launch record is no record");
	at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE,
	          LAUNCH_FD_RECORD, 0);
	if (at == MAP_FAILED)
		return fault_errno(f, "read the launch record");
	if (launch_parse((struct span){at, (size_t)st.st_size}, l) < 0)
		return fault_set(f, -EPROTO, "the launch record is damaged");
	return 0;
}

static void take_descriptors(struct handed *h, const struct launch *l)
{
	int next = LAUNCH_FD_FIRST;

	*h = (struct handed){.listener = -1, .tell = -1};
	h->cell = next++;
	if (l->flags & LAUNCH_LISTEN)
		h->listener = next++;
	if (l->flags & LAUNCH_TELL)
		h->tell = next++;
	h->next = next;
}

static void copy(char *to, size_t room, struct span from)
{
	size_t n = MIN(from.size, room - 1);

	if (n > 0)
		memcpy(to, from.at, n);
	to[n] = '\0';
}

static void plan_template(const struct launch_mount *m, struct handed *h,
                          struct world_options *o, struct places *p)
{
	struct world_template *t = &o->template[o->template_count++];

	copy(t->name, sizeof(t->name), span_from(m->at, 1));
	copy(t->link, sizeof(t->link), m->from);
	t->fd = -1;
	if (m->kind == LAUNCH_LINK)
		return;
	t->fd = h->next++;
	places_add_template(p, t->name, t->fd);
}

static void plan_share(const struct launch_mount *m, struct handed *h,
                       struct world_options *o, struct places *p)
{
	struct world_share *s = &o->share[o->share_count++];

	copy(s->at, sizeof(s->at), m->at);
	s->fd = h->next++;
	s->writable = m->flags & LAUNCH_MOUNT_WRITABLE;
	s->is_file = m->flags & LAUNCH_MOUNT_FILE;
	places_add(p, s->fd,
	           JAIL_READ | (s->writable ? JAIL_WRITE : 0) |
	                   (s->is_file ? JAIL_FILE : 0));
}

/* In this order: the image, its tree of hashes, the tree's root, [its data]. */
static int plan_image(const struct launch_mount *m, struct handed *h,
                      struct world_options *o)
{
	struct erofs_options image = {.data_fd = -1};
	autoclose int root = -1;

	if (m->at.size != 1 || m->fds < 3)
		return -EOPNOTSUPP;
	image.main_fd = h->next++;
	image.tree_fd = h->next++;
	root = h->next++;
	if (m->fds > 3)
		image.data_fd = h->next++;
	if (pread(root, image.root, sizeof(image.root), 0) !=
	    sizeof(image.root))
		return -EIO;
	o->image = image;
	return 0;
}

/* The upper side of the root, with a folder for what outgrows memory. */
static int plan_volatile(const struct launch_mount *m, struct handed *h,
                         struct world_options *o, struct places *p)
{
	if (m->at.size != 1 || m->fds > 1 || o->spill_fd > 0)
		return -EOPNOTSUPP;
	if (m->fds == 0)
		return 0;
	o->spill_fd = h->next++;
	places_add(p, o->spill_fd, JAIL_READ | JAIL_WRITE);
	return 0;
}

/* Its folder, and its key if it is encrypted. */
static int plan_volume(const struct launch_mount *m, struct handed *h,
                       struct world_options *o, struct places *p,
                       struct fault *f)
{
	struct world_volume *v = &o->volume[o->volume_count];
	uint8_t key[HEADER_KEY];
	int folder = h->next++;
	autoclose int key_fd = m->fds > 1 ? h->next++ : -1;
	int err;

	copy(v->at, sizeof(v->at), m->at);
	copy(v->name, sizeof(v->name), m->from);
	v->writable = m->flags & LAUNCH_MOUNT_WRITABLE;
	if (key_fd >= 0 && pread(key_fd, key, sizeof(key), 0) != sizeof(key))
		return fault_set(f, -EIO, "read the key of volume %s", v->name);
	places_add(p, folder, JAIL_READ | JAIL_WRITE);
	err = volume_open(folder, key_fd >= 0 ? key : NULL, &v->volume, f);
	explicit_bzero(key, sizeof(key));
	o->volume_count += err == 0;
	return err;
}

static void plan_bind(const struct launch_mount *m, struct world_options *o)
{
	struct world_bind *b = &o->bind[o->bind_count++];

	copy(b->at, sizeof(b->at), m->at);
	copy(b->from, sizeof(b->from), m->from);
}

/* Folders for the world, and rights on them for the jail. */
static int plan_world(const struct launch *l, struct handed *h,
                      struct world_options *o, struct places *p,
                      struct fault *f)
{
	*o = (struct world_options){
		.host_uid = getuid(),
		.host_gid = getgid(),
		.user_uid = 1000,
		.user_gid = 1000,
	};
	for (uint32_t i = 0; i < l->mount_count; i++) {
		const struct launch_mount *m = &l->mount[i];
		int err = 0;

		if ((m->kind == LAUNCH_TEMPLATE || m->kind == LAUNCH_LINK) &&
		    o->template_count < ARRAY_LEN(o->template))
			plan_template(m, h, o, p);
		else if (m->kind == LAUNCH_SHARE &&
		         o->share_count < ARRAY_LEN(o->share))
			plan_share(m, h, o, p);
		else if (m->kind == LAUNCH_IMAGE)
			err = plan_image(m, h, o);
		else if (m->kind == LAUNCH_VOLUME &&
		         o->volume_count < ARRAY_LEN(o->volume))
			err = plan_volume(m, h, o, p, f);
		else if (m->kind == LAUNCH_BIND &&
		         o->bind_count < ARRAY_LEN(o->bind))
			plan_bind(m, o);
		else if (m->kind == LAUNCH_VOLATILE)
			err = plan_volatile(m, h, o, p);
		else
			err = -EOPNOTSUPP;
		if (err < 0 && !f->text[0])
			return fault_set(
				f, err, "mount %.*s: %s", (int)m->at.size,
				(const char *)m->at.at, strerror(-err));
		if (err < 0)
			return err;
	}
	places_add(p, h->cell, JAIL_READ | JAIL_EXECUTE | JAIL_FILE);
	return 0;
}

static int start_trace(struct kernel *k, const struct launch *l, int fd,
                       struct fault *f)
{
	autofree char *calls = NULL;
	int err;

	k->verbose = l->flags & LAUNCH_VERBOSE;
	if (fd < 0)
		return 0;
	if (l->trace.size > 0) {
		calls = strndup((const char *)l->trace.at, l->trace.size);
		if (!calls)
			return fault_set(f, -ENOMEM, "out of memory");
	}
	err = trace_start(k, fd, l->flags & LAUNCH_TRACE ? calls : "");
	if (err < 0)
		return fault_set(f, err, "--trace=%s: no such system call",
		                 calls ? calls : "");
	return 0;
}

/* From here on there is less and less that we may do. */
static int enter_jail(struct kernel *k, const struct launch *l,
                      const struct handed *h, int plan, struct fault *f)
{
	int err = jail_files(plan, f);

	if (err < 0)
		return err;
	err = cells_create(k, h->cell);
	if (err < 0)
		return fault_set(f, err, "start the zygote: %s",
		                 strerror(-err));
	if (l->flags & LAUNCH_FAR)
		cells_go_far(k);
	/* Not even a cell without its filter could trace us. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return fault_errno(f, "forbid others to look at the kernel");
	return jail_calls(f);
}

static int set_up(struct kernel *k, const struct launch *l, struct fault *f)
{
	static struct world_options o;
	static struct places places;
	autoclose int plan = -1;
	struct path root, home;
	struct handed h;
	int err;

	/* Whatever else our owner had open is none of our business. */
	(void)syscall(SYS_close_range, LAUNCH_FD_FIRST + launch_descriptors(l),
	              ~0u, 0);
	take_descriptors(&h, l);
	err = kernel_init(k, l->memory, l->tasks);
	/* Files that fill memory are to find no space, not to be killed for. */
	k->limits.memory = l->memory / 2;
	k->lasts = l->flags & LAUNCH_LISTEN;
	copy(k->hostname, sizeof(k->hostname), l->name);
	if (err == 0)
		err = clients_begin(k, LAUNCH_FD_CONTROL, h.listener, getuid());
	if (err < 0)
		return fault_set(f, err, "make a kernel: %s", strerror(-err));
	err = plan_world(l, &h, &o, &places, f);
	if (err < 0)
		return err;
	err = jail_plan(places.place, places.count, &plan, f);
	places_fini(&places);
	if (err < 0)
		return err;
	err = process_create_init(k);
	if (err == 0)
		err = world_create(k, &o, &root, &home);
	if (err < 0)
		return fault_set(f, err, "make the qube: %s", strerror(-err));
	if (memory_create(k) < 0)
		return fault_set(f, -ENOMEM, "make the qube: no memory");
	err = start_trace(k, l, h.tell, f);
	if (err == 0)
		err = enter_jail(k, l, &h, plan, f);
	if (err == 0)
		clients_open(k, &root);
	path_put(&root);
	path_put(&home);
	return err;
}

int main(void)
{
	static struct launch l;
	struct kernel k = {0};
	struct fault f = {""};
	int err;

	(void)prctl(PR_SET_NAME, "bento-kernel", 0, 0, 0);
	/* Streams that nobody reads are errors of the program, not our end. */
	(void)signal(SIGPIPE, SIG_IGN);
	err = jail_begin(&f);
	if (err == 0)
		err = read_record(&l, &f);
	if (err == 0)
		err = set_up(&k, &l, &f);
	if (err < 0) {
		if (k.clients)
			clients_failed(&k, OURS, f.text);
		else
			(void)fprintf(stderr, "%s\n", f.text);
		_exit(OURS);
	}
	serve_run(&k);
	halt_destroy(&k);
	/* The host tidies up; nothing of ours outlives us but volumes. */
	cells_destroy(&k);
	volumefs_shutdown(&k);
	_exit(EXIT_SUCCESS);
}
