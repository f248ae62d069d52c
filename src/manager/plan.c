/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/plan.h"

#include <fcntl.h>
#include <stdio.h>

#include "manager/disk.h"
#include "manager/keyring.h"
#include "manager/property.h"
#include "manager/rootbase.h"
#include "manager/spawner.h"
#include "supervise/order.h"
#include "template/tplmount.h"
#include "volume/revision.h"

#define FDS_MAX 10u

struct plan {
	char name[QUBE_NAME_MAX + 1];
	char uuid[QUBE_UUID_SIZE];
	unsigned volumes;   /* DISK_*: of its own, or snapshots */
	bool rw[2];         /* may root, private be written to */
	uint32_t keep[2];   /* revisions of them, of which one is taken */
	const char *commit; /* what others may have snapshots of; or NULL */
	/* Whose root and private it gets snapshots of; "" for none. */
	char root_from[QUBE_UUID_SIZE];
	char private_from[QUBE_UUID_SIZE];
	char root_owner[QUBE_NAME_MAX + 1]; /* and what these are called */
	char private_owner[QUBE_NAME_MAX + 1];
	struct start start; /* without what the keeper adds */
	/* The TemplateVM whose image it has, if there is one; or "". */
	char image_of[QUBE_NAME_MAX + 1];
	struct tplmount image;
	bool image_open;
	int fd[FDS_MAX]; /* ours, to be closed */
	uint32_t fds;
};

/* Lets go of what the kernel has by now, or will never have. */
static void let_go(struct plan *p)
{
	for (uint32_t i = 0; i < p->fds; i++)
		base_close(&p->fd[i]);
	p->fds = 0;
	if (p->image_open)
		tplmount_close(&p->image);
	p->image_open = false;
}

void plan_destroy(struct plan *p)
{
	if (!p)
		return;
	let_go(p);
	free(p);
}

/* The kernel's memory and tasks, as the properties say. */
static void set_limits(struct manager *m, const struct qube *q, struct plan *p)
{
	uint64_t mib = property_number(m->ledger, q, "maxmem");

	if (mib == 0)
		mib = property_number(m->ledger, q, "memory");
	p->start.record.flags = LAUNCH_LISTEN;
	p->start.record.memory = MAX(mib, (uint64_t)16) << 20;
	p->start.record.tasks = (uint32_t)property_number(m->ledger, q, "pids");
	p->start.record.name = span_str(p->name);
}

static void follow_template(struct manager *m, const struct qube *q,
                            struct plan *p)
{
	char name[PROPERTY_VALUE_MAX];
	struct qube at = *q, next;

	if (q->class == QUBE_TemplateVM)
		memcpy(p->image_of, q->name, sizeof(p->image_of));
	/* A DispVM's template is an AppVM, whose is a TemplateVM. */
	for (int depth = 0; depth < 3; depth++) {
		property_text(m->ledger, &at, "template", name);
		if (!*name || qube_find(m->ledger, name, &next) < 0)
			return;
		if (next.class == QUBE_TemplateVM)
			memcpy(p->image_of, next.name, sizeof(p->image_of));
		if (!disk_is_used(m, next.uuid)) {
			at = next;
			continue;
		}
		if (next.class == QUBE_TemplateVM) {
			memcpy(p->root_from, next.uuid, sizeof(next.uuid));
			memcpy(p->root_owner, next.name, sizeof(next.name));
			p->volumes |= DISK_ROOT;
		} else if (q->class == QUBE_DispVM &&
		           next.class == QUBE_AppVM) {
			memcpy(p->private_from, next.uuid, sizeof(next.uuid));
			memcpy(p->private_owner, next.name, sizeof(next.name));
			p->volumes |= DISK_PRIVATE;
		}
		at = next;
	}
}

static bool may_write(struct manager *m, const struct qube *q,
                      const char *volume)
{
	char key[LEDGER_KEY_MAX], what[32], rw[16];

	(void)snprintf(what, sizeof(what), "volume/%s/", volume);
	qube_key(key, q, what, "rw");
	return !ledger_text(m->ledger, key, rw, sizeof(rw)) ||
	       strcmp(rw, "True") == 0;
}

/*
 * How many revisions the user wants of a volume of the qube's own, which is about to
 * be written to.  0: that is not said, which is no wish for one at each start.
 */
static uint32_t revisions_of(struct manager *m, const struct qube *q,
                             const char *volume)
{
	char key[LEDGER_KEY_MAX], what[32], keep[16];

	if (!(disk_volumes(q->class) & disk_volume_bit(volume)) ||
	    !may_write(m, q, volume))
		return 0;
	(void)snprintf(what, sizeof(what), "volume/%s/", volume);
	qube_key(key, q, what, "revisions_to_keep");
	return ledger_text(m->ledger, key, keep, sizeof(keep))
	               ? (uint32_t)strtoul(keep, NULL, 10)
	               : 0;
}

/* A qube's volume, which may be locked. */
static struct plan_lock lock_of(const char *uuid, const char *name,
                                const char *volume)
{
	struct plan_lock l = {.how = HEADER_OPEN};

	(void)snprintf(l.uuid, sizeof(l.uuid), "%s", uuid);
	(void)snprintf(l.qube, sizeof(l.qube), "%s", name);
	(void)snprintf(l.volume, sizeof(l.volume), "%s", volume);
	return l;
}

/* Is there a key for it, if it wants one?  Else *lock says which. */
static int check_lock(const struct manager *m, struct plan_lock l,
                      struct plan_lock *lock, struct fault *f)
{
	autoclose int home = disk_open(m, l.uuid, l.volume, f);
	autoclose int live = home < 0 ? home : revision_live(home, f);
	struct header h;
	int err = live < 0 ? live : header_load(live, &h, f);

	if (err < 0 || h.lock == HEADER_OPEN || keyring_has(m->keys, h.uuid))
		return err;
	memcpy(l.id, h.uuid, sizeof(l.id));
	l.how = h.lock;
	*lock = l;
	return fault_set(f, -EKEYREJECTED, "%s:%s is locked: its %s is wanted",
	                 l.qube, l.volume,
	                 l.how == HEADER_KEYFILE ? "key file" : "passphrase");
}

/* All that it has of its own, and all that it gets snapshots of. */
static int check_locks(const struct manager *m, const struct qube *q,
                       const struct plan *p, struct plan_lock *lock,
                       struct fault *f)
{
	unsigned own = disk_volumes(q->class);
	int err = 0;

	if (own & DISK_ROOT)
		err = check_lock(m, lock_of(q->uuid, q->name, "root"), lock, f);
	if (err == 0 && own & DISK_PRIVATE)
		err = check_lock(m, lock_of(q->uuid, q->name, "private"), lock,
		                 f);
	if (err == 0 && *p->root_from)
		err = check_lock(m,
		                 lock_of(p->root_from, p->root_owner, "root"),
		                 lock, f);
	if (err == 0 && *p->private_from)
		err = check_lock(
			m,
			lock_of(p->private_from, p->private_owner, "private"),
			lock, f);
	return err;
}

int plan_create(struct manager *m, const struct qube *q, struct plan **out,
                struct plan_lock *lock, struct fault *f)
{
	struct plan *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return fault_set(f, -ENOMEM, "out of memory");
	memcpy(p->name, q->name, sizeof(p->name));
	memcpy(p->uuid, q->uuid, sizeof(p->uuid));
	p->volumes = disk_volumes(q->class);
	p->rw[0] = may_write(m, q, "root");
	p->rw[1] = may_write(m, q, "private");
	p->keep[0] = revisions_of(m, q, "root");
	p->keep[1] = revisions_of(m, q, "private");
	set_limits(m, q, p);
	follow_template(m, q, p);
	err = check_locks(m, q, p, lock, f);
	if (err < 0) {
		free(p);
		return err;
	}
	if (!disk_is_used(m, q->uuid))
		p->commit = NULL;
	else if (q->class == QUBE_TemplateVM)
		p->commit = "root";
	else if (property_true(m->ledger, q, "template_for_dispvms"))
		p->commit = "private";
	*out = p;
	return 0;
}

static int keep_fd(struct plan *p, int fd, struct fault *f)
{
	if (fd < 0)
		return fd;
	if (p->fds == FDS_MAX) {
		close(fd);
		return fault_set(f, -E2BIG, "too many descriptors");
	}
	p->fd[p->fds++] = fd;
	return fd;
}

bool plan_needs_work(const struct plan *p)
{
	return *p->root_from || *p->private_from || p->commit || p->keep[0] ||
	       p->keep[1];
}

void plan_work(const struct plan *p, struct chore *w)
{
	*w = (struct chore){.kind = CHORE_begin};
	memcpy(w->uuid, p->uuid, sizeof(w->uuid));
	memcpy(w->keep, p->keep, sizeof(w->keep));
	memcpy(w->from, p->root_from, sizeof(w->from));
	memcpy(w->also_from, p->private_from, sizeof(w->also_from));
	if (p->commit)
		(void)snprintf(w->volume, sizeof(w->volume), "%s", p->commit);
}

void plan_discard(const struct manager *m, const struct plan *p)
{
	if (*p->root_from)
		disk_discard(m, p->uuid, "root");
	if (*p->private_from)
		disk_discard(m, p->uuid, "private");
}

static int add_volume(struct manager *m, struct plan *p, const char *name,
                      const char *at, bool writable, struct fault *f)
{
	struct launch_mount mount = {
		.kind = LAUNCH_VOLUME,
		.flags = writable ? LAUNCH_MOUNT_WRITABLE : 0,
		.fds = 1,
		.at = span_str(at),
		.from = span_str(name),
	};
	autoclose int home = disk_open(m, p->uuid, name, f);
	struct keyring_key key;
	int fd[2], err;

	if (home < 0)
		return home;
	fd[0] = keep_fd(p, revision_live(home, f), f);
	if (fd[0] < 0)
		return fd[0];
	err = keyring_find(m->keys, home, &key, f);
	if (err == 0 && key.has) {
		fd[1] = keep_fd(
			p, order_file("bento-key", key.at, sizeof(key.at), f),
			f);
		err = MIN(fd[1], 0);
		mount.fds = 2;
	}
	explicit_bzero(&key, sizeof(key));
	return err < 0 ? err : start_mount(&p->start, &mount, fd, f);
}

static int add_bind(struct plan *p, const char *at, const char *from,
                    struct fault *f)
{
	struct launch_mount mount = {
		.kind = LAUNCH_BIND,
		.at = span_str(at),
		.from = span_str(from),
	};

	return start_mount(&p->start, &mount, NULL, f);
}

/* The image below the root: what that volume keeps, or what is current. */
static int open_image(struct manager *m, struct plan *p, struct fault *f)
{
	autoclose int home = -1, live = -1;
	int err;

	if (!(p->volumes & DISK_ROOT))
		return *p->image_of ? tplmount_open(&p->image, p->image_of, f)
		                    : -ENOENT;
	home = disk_open(m, p->uuid, "root", f);
	if (home < 0)
		return home;
	live = revision_live(home, f);
	if (live < 0)
		return live;
	err = rootbase_keep(live, p->image_of, false, f);
	if (err < 0)
		return err;
	return rootbase_is_image(live) ? rootbase_open(live, &p->image, f)
	                               : -ENOENT;
}

/*
 * The template's image, if it has one; else the machine's own programs, which the
 * keeper opens.
 */
static int add_programs(struct manager *m, struct plan *p, bool *machine,
                        struct fault *f)
{
	int err = open_image(m, p, f);

	*machine = err == -ENOENT;
	if (err < 0)
		return *machine ? 0 : err;
	p->image_open = true;
	return tplmount_add(&p->image, &p->start, f);
}

/* The programs, and what lies over them; then what is kept. */
static int add_mounts(struct manager *m, struct plan *p, bool *machine,
                      struct fault *f)
{
	int err = add_programs(m, p, machine, f);

	if (err == 0 && p->volumes)
		err = disk_use(m, p->uuid, f);
	if (err == 0 && p->volumes & DISK_ROOT)
		err = add_volume(m, p, "root", "/", p->rw[0], f);
	if (err == 0 && p->volumes & DISK_PRIVATE)
		err = add_volume(m, p, "private", "/rw", p->rw[1], f);
	if (err < 0 || !(p->volumes & DISK_PRIVATE))
		return err;
	err = add_bind(p, "/home", "/rw/home", f);
	return err < 0 ? err : add_bind(p, "/usr/local", "/rw/usrlocal", f);
}

int plan_start(struct manager *m, struct plan *p, struct spawned *out,
               struct fault *f)
{
	bool machine;
	int err = add_mounts(m, p, &machine, f);

	if (err == 0)
		err = spawner_keeper(m, &p->start, machine, out, f);
	let_go(p);
	return err;
}

void plan_forget(struct manager *m, const char *name)
{
	char file[QUBE_NAME_MAX + 16];

	/* Either may not be there: it was never started. */
	(void)snprintf(file, sizeof(file), "%s.log", name);
	(void)unlinkat(m->logs, file, 0);
	(void)snprintf(file, sizeof(file), "qubes/%s.sock", name);
	(void)unlinkat(m->runtime, file, 0);
}
