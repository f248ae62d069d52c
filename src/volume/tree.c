/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/tree.h"

#include <linux/xattr.h>
#include <sys/stat.h>
#include <time.h>

#include "volume/object.h"

#define LINKS_MAX   65000u
#define XATTRS_MAX  131072u /* bytes of one inode's */
#define INODE_BYTES 128u    /* without the target of a link */
#define NAME_BYTES  (16u + VRECORD_NAME_MAX)
#define FIRST_POS   2 /* 0 and 1 are "." and ".." */

bool tree_later(struct vrecord_time a, struct vrecord_time b)
{
	return a.sec > b.sec || (a.sec == b.sec && a.nsec > b.nsec);
}

static struct vrecord_time clock_of(clockid_t which)
{
	struct timespec ts;

	clock_gettime(which, &ts);
	return (struct vrecord_time){ts.tv_sec, (uint32_t)ts.tv_nsec};
}

struct vrecord_time tree_now(const struct volume *v)
{
	struct vrecord_time now = clock_of(CLOCK_REALTIME_COARSE);

	/* A stamp may be between two ticks; not in the future, unless
	 * somebody has set the clock. */
	if (tree_later(v->stamped, now) &&
	    !tree_later(v->stamped, clock_of(CLOCK_REALTIME)))
		return v->stamped;
	return now;
}

/* ---- pieces of an edit ---- */

static int put_inode(struct volume *v, struct store_edit *e,
                     struct tree_node *n)
{
	struct vrecord_key key = vrecord_key_inode(n->ino);
	struct vrecord_inode r = n->r;
	uint8_t most[INODE_BYTES];
	uint8_t *bytes = most;
	int err = 0;

	if (S_ISLNK(r.mode) && !r.target.at)
		err = tree_target(v, n->ino, &r.target);
	if (err < 0)
		return err;
	if (r.target.size > 0)
		bytes = malloc(INODE_BYTES + r.target.size);
	if (!bytes)
		return -ENOMEM;
	err = store_edit_put(
		e, &key, (struct span){bytes, vrecord_put_inode(&r, bytes)});
	if (bytes != most)
		free(bytes);
	return err;
}

/* Who makes a file asks for its name first: one hash does for all. */
static struct vrecord_key name_key(struct volume *v, uint64_t dir,
                                   struct span name)
{
	struct volume_asked *a = &v->asked;
	uint8_t hash[16];

	if (a->key.size > 0 && a->dir == dir &&
	    span_eq((struct span){a->name, a->size}, name))
		return a->key;
	store_hash(v->store, name, hash);
	if (name.size > sizeof(a->name))
		return vrecord_key_name(dir, hash);
	a->dir = dir;
	a->size = name.size;
	if (name.size)
		memcpy(a->name, name.at, name.size);
	a->key = vrecord_key_name(dir, hash);
	a->absent = false;
	return a->key;
}

static int put_name(struct volume *v, struct store_edit *e, uint64_t dir,
                    struct span name, const struct tree_node *n)
{
	struct vrecord_key key = name_key(v, dir, name);
	struct vrecord_name r = {n->ino, (uint8_t)((n->r.mode & S_IFMT) >> 12),
	                         name};
	uint8_t bytes[NAME_BYTES];

	return store_edit_put(
		e, &key, (struct span){bytes, vrecord_put_name(&r, bytes)});
}

static int delete_name(struct volume *v, struct store_edit *e, uint64_t dir,
                       struct span name)
{
	struct vrecord_key key = name_key(v, dir, name);

	return store_edit_delete(e, &key);
}

/* A change to at most six inodes, undone as a whole when it fails. */
struct change {
	struct volume *v;
	struct store_edit edit;
	struct {
		struct tree_node *node;
		struct vrecord_inode before;
	} kept[6];
	size_t count;
	int err;
};

static void touch(const struct change *c, struct tree_node *n, bool contents)
{
	n->r.ctime = tree_now(c->v);
	if (contents)
		n->r.mtime = n->r.ctime;
}

/* Before a node is changed for the first time.  NULL is no node. */
static void keep(struct change *c, struct tree_node *n)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->kept[i].node == n)
			return;
	if (!n)
		return;
	assert(c->count < ARRAY_LEN(c->kept));
	c->kept[c->count].node = n;
	c->kept[c->count++].before = n->r;
}

/* Writes all nodes that were kept, or puts them back as they were. */
static int finish(struct change *c)
{
	uint64_t batch = store_batch(c->v->store);

	for (size_t i = 0; i < c->count && c->err == 0; i++)
		c->err = put_inode(c->v, &c->edit, c->kept[i].node);
	if (c->err < 0) {
		store_edit_drop(&c->edit);
		for (size_t i = 0; i < c->count; i++)
			c->kept[i].node->r = c->kept[i].before;
		return c->err;
	}
	store_edit_apply(c->v->store, &c->edit);
	c->v->asked.absent = false;
	for (size_t i = 0; i < c->count; i++) {
		c->kept[i].node->batch = batch;
		c->kept[i].node->r.target = (struct span){NULL, 0};
	}
	return 0;
}

/* ---- inodes ---- */

int tree_load(struct volume *v, uint64_t ino, struct tree_node *n)
{
	struct vrecord_key key = vrecord_key_inode(ino);
	struct vrecord_inode r;
	struct span value;
	int err = store_get(v->store, vrecord_span(&key), &value);

	if (err == 0)
		err = vrecord_get_inode(value, &r);
	if (err < 0)
		return err;
	r.target = (struct span){NULL, 0};
	*n = (struct tree_node){.ino = ino, .r = r};
	return 0;
}

int tree_target(struct volume *v, uint64_t ino, struct span *out)
{
	struct vrecord_key key = vrecord_key_inode(ino);
	struct vrecord_inode r;
	struct span value;
	int err = store_get(v->store, vrecord_span(&key), &value);

	if (err == 0)
		err = vrecord_get_inode(value, &r);
	if (err == 0 && !S_ISLNK(r.mode))
		err = -EIO;
	if (err == 0)
		*out = r.target;
	return err;
}

int tree_update(struct volume *v, struct tree_node *n)
{
	struct change c = {.v = v};

	keep(&c, n);
	return finish(&c);
}

/* ---- names ---- */

int tree_lookup(struct volume *v, uint64_t dir, struct span name, uint64_t *ino,
                uint8_t *type)
{
	struct vrecord_key key = name_key(v, dir, name);
	struct vrecord_name r;
	struct span value;
	int err;

	if (name.size > VRECORD_NAME_MAX || v->asked.absent)
		return -ENOENT;
	err = store_get(v->store, vrecord_span(&key), &value);
	v->asked.absent = err == -ENOENT;
	if (err == 0)
		err = vrecord_get_name(value, &r);
	if (err == 0 && !span_eq(r.name, name))
		err = -EIO;
	if (err < 0)
		return err;
	*ino = r.ino;
	if (type)
		*type = r.type;
	return 0;
}

int tree_empty(struct volume *v, uint64_t dir)
{
	struct vrecord_key prefix = vrecord_key_prefix('D', dir);
	struct vrecord_key key = prefix;
	struct span value;
	int err = store_next(v->store, vrecord_span(&prefix), &key, &value);

	return err == -ENOENT ? 1 : err == -EIO ? 0 : err;
}

/*
 * Names lie in the order of their hashes, whose first 62 bits are their place:
 * it stays theirs whatever comes and goes around them.
 */
static void place_key(struct vrecord_key *key, uint64_t dir, int64_t pos)
{
	uint64_t high = ((uint64_t)pos - FIRST_POS) << 2;

	*key = vrecord_key_prefix('D', dir);
	for (unsigned i = 0; i < 8; i++)
		key->at[key->size++] = (uint8_t)(high >> (56 - 8 * i));
}

int tree_name_at(struct volume *v, uint64_t dir, int64_t *pos,
                 struct vrecord_name *out)
{
	struct vrecord_key prefix = vrecord_key_prefix('D', dir);
	struct vrecord_key key;
	const uint8_t *hash;
	struct span value;
	uint64_t high = 0;
	uint64_t ino;
	char kind;
	int err;

	if (*pos > (int64_t)(1ull << 62) + FIRST_POS - 1)
		return -ENOENT;
	place_key(&key, dir, MAX(*pos, FIRST_POS));
	err = store_next(v->store, vrecord_span(&prefix), &key, &value);
	if (err == -ENOENT)
		return err;
	if (vrecord_key_parse(vrecord_span(&key), &kind, &ino, &hash) < 0)
		return -EIO;
	for (unsigned i = 0; i < 8; i++)
		high = high << 8 | hash[i];
	*pos = (int64_t)(high >> 2) + FIRST_POS;
	return err < 0 ? err : vrecord_get_name(value, out);
}

static bool is_dir(const struct tree_node *n)
{
	return S_ISDIR(n->r.mode);
}

/* One name more in `dir`. */
static void entered(const struct change *c, struct tree_node *dir,
                    struct tree_node *n)
{
	dir->r.size++;
	touch(c, dir, true);
	if (is_dir(n)) {
		dir->r.nlink++;
		n->r.parent = dir->ino;
	}
}

static void left(const struct change *c, struct tree_node *dir,
                 const struct tree_node *n)
{
	dir->r.size -= MIN(dir->r.size, 1);
	touch(c, dir, true);
	if (is_dir(n))
		dir->r.nlink--;
}

/* A name less for `n`; it has no more than one if it is a directory. */
static void unnamed(const struct change *c, struct tree_node *n)
{
	touch(c, n, false);
	n->r.nlink = is_dir(n) || n->r.nlink == 0 ? 0 : n->r.nlink - 1;
}

static int name_free(struct volume *v, const struct tree_node *dir,
                     struct span name)
{
	uint64_t ino;
	int err;

	if (!vrecord_name_ok(name))
		return -EINVAL;
	err = tree_lookup(v, dir->ino, name, &ino, NULL);
	return err == 0 ? -EEXIST : err == -ENOENT ? 0 : err;
}

int tree_object(struct volume *v, uint64_t ino)
{
	int fd = object_create(v->objects_fd, ino);

	v->created |= fd >= 0;
	return fd == -EMFILE ? -ENFILE : fd;
}

/* An empty object and its number.  A descriptor, or a negative errno. */
static int object_for(struct volume *v, struct tree_node *new)
{
	int fd = spare_take(v, &new->ino);

	new->older = fd >= 0;
	return fd >= 0 ? fd : tree_object(v, new->ino);
}

int tree_create(struct volume *v, struct tree_node *dir, struct span name,
                struct tree_node *new, int *object)
{
	struct change c = {.v = v};
	int err = dir ? name_free(v, dir, name) : 0;
	int fd = -1;

	if (err == 0)
		err = volume_charge_inode(v);
	if (err < 0)
		return err;
	new->ino = v->sums.next_ino;
	new->r.nlink = dir ? 1 + is_dir(new) : 0;
	new->r.size = new->r.target.size;
	new->r.charged = 0;
	new->r.xattr_bytes = 0;
	new->r.parent = is_dir(new) ? new->ino : 0;
	if (object && S_ISREG(new->r.mode)) {
		fd = object_for(v, new);
		if (fd < 0) {
			err = fd;
			goto uncharge;
		}
	}
	keep(&c, new);
	if (dir) {
		keep(&c, dir);
		entered(&c, dir, new);
		c.err = put_name(v, &c.edit, dir->ino, name, new);
	}
	err = finish(&c);
	if (err < 0)
		goto remove;
	v->sums.next_ino += new->ino == v->sums.next_ino;
	v->sums_changed = true;
	if (fd >= 0)
		*object = fd;
	return 0;

remove:
	if (fd >= 0) {
		close(fd);
		(void)object_remove(v->objects_fd, new->ino);
	}
uncharge:
	volume_uncharge_inode(v);
	return err;
}

int tree_link(struct volume *v, struct tree_node *dir, struct span name,
              struct tree_node *n)
{
	struct change c = {.v = v};
	int err = name_free(v, dir, name);

	if (err < 0)
		return err;
	if (v->full)
		return -ENOSPC;
	if (n->r.nlink >= LINKS_MAX)
		return -EMLINK;
	keep(&c, dir);
	keep(&c, n);
	entered(&c, dir, n);
	n->r.nlink += is_dir(n) ? 2 : 1;
	touch(&c, n, false);
	c.err = put_name(v, &c.edit, dir->ino, name, n);
	return finish(&c);
}

int tree_unlink(struct volume *v, struct tree_node *dir, struct span name,
                struct tree_node *n)
{
	struct change c = {.v = v};
	int err = is_dir(n) ? tree_empty(v, n->ino) : 1;

	if (err <= 0)
		return err < 0 ? err : -ENOTEMPTY;
	keep(&c, dir);
	keep(&c, n);
	left(&c, dir, n);
	unnamed(&c, n);
	c.err = delete_name(v, &c.edit, dir->ino, name);
	return finish(&c);
}

static void exchange(struct change *c, const struct tree_rename *m)
{
	left(c, m->from_dir, m->what);
	left(c, m->to_dir, m->over);
	entered(c, m->to_dir, m->what);
	entered(c, m->from_dir, m->over);
	touch(c, m->what, false);
	touch(c, m->over, false);
	c->err = put_name(c->v, &c->edit, m->to_dir->ino, m->to, m->what);
	if (c->err == 0)
		c->err = put_name(c->v, &c->edit, m->from_dir->ino, m->from,
		                  m->over);
}

static void move(struct change *c, const struct tree_rename *m)
{
	left(c, m->from_dir, m->what);
	if (m->over) {
		left(c, m->to_dir, m->over);
		unnamed(c, m->over);
	}
	entered(c, m->to_dir, m->what);
	touch(c, m->what, false);
	if (m->whiteout) {
		entered(c, m->from_dir, m->whiteout);
		m->whiteout->r.nlink++;
		c->err = put_name(c->v, &c->edit, m->from_dir->ino, m->from,
		                  m->whiteout);
	} else {
		c->err = delete_name(c->v, &c->edit, m->from_dir->ino, m->from);
	}
	if (c->err == 0)
		c->err = put_name(c->v, &c->edit, m->to_dir->ino, m->to,
		                  m->what);
}

int tree_rename(struct volume *v, const struct tree_rename *m)
{
	struct change c = {.v = v};
	int err = 1;

	if (!vrecord_name_ok(m->to))
		return -EINVAL;
	if (m->exchange && !m->over)
		return -ENOENT;
	if (!m->over)
		err = name_free(v, m->to_dir, m->to);
	if (err < 0)
		return err;
	err = 1;
	if (!m->exchange && m->over && is_dir(m->over))
		err = tree_empty(v, m->over->ino);
	if (err <= 0)
		return err < 0 ? err : -ENOTEMPTY;
	keep(&c, m->from_dir);
	keep(&c, m->to_dir);
	keep(&c, m->what);
	keep(&c, m->over);
	keep(&c, m->whiteout);
	if (m->exchange)
		exchange(&c, m);
	else
		move(&c, m);
	return finish(&c);
}

/* ---- the end of an inode ---- */

int tree_forget(struct volume *v, uint64_t ino, bool has_object)
{
	struct vrecord_key inode = vrecord_key_inode(ino);
	struct vrecord_key prefix = vrecord_key_prefix('X', ino);
	struct vrecord_key key = prefix;
	struct store_edit e = {0};
	struct span value;
	int err = store_edit_delete(&e, &inode);

	while (err == 0) {
		err = store_next(v->store, vrecord_span(&prefix), &key, &value);
		if (err == -ENOENT)
			break;
		if (err == 0 || err == -EIO)
			err = store_edit_delete(&e, &key);
		store_step(&key);
	}
	if (err == -ENOENT)
		err = has_object ? volume_bury(v, ino) : 0;
	if (err < 0) {
		store_edit_drop(&e);
		return err;
	}
	store_edit_apply(v->store, &e);
	return 0;
}

/* ---- extended attributes ---- */

static struct vrecord_key xattr_key(const struct volume *v, uint64_t ino,
                                    struct span name)
{
	uint8_t hash[16];

	store_hash(v->store, name, hash);
	return vrecord_key_xattr(ino, hash);
}

int tree_xattr_get(struct volume *v, uint64_t ino, struct span name,
                   struct span *out)
{
	struct vrecord_key key = xattr_key(v, ino, name);
	struct vrecord_xattr x;
	struct span value;
	int err = store_get(v->store, vrecord_span(&key), &value);

	if (err == 0)
		err = vrecord_get_xattr(value, &x);
	if (err < 0)
		return err == -ENOENT ? -ENODATA : err;
	*out = x.value;
	return 0;
}

static uint32_t xattr_size(struct span name, struct span value)
{
	return (uint32_t)(name.size + value.size);
}

/* Replaces what takes `old` bytes, if there is one, by what takes `now`. */
static int xattr_change(struct volume *v, struct tree_node *n,
                        const struct vrecord_key *key, struct span value,
                        uint32_t old, uint32_t now)
{
	struct change c = {.v = v};
	int err = now > old ? volume_charge(v, now - old) : 0;

	if (err < 0)
		return err;
	keep(&c, n);
	touch(&c, n, false);
	n->r.xattr_bytes = n->r.xattr_bytes - MIN(n->r.xattr_bytes, old) + now;
	c.err = now ? store_edit_put(&c.edit, key, value)
	            : store_edit_delete(&c.edit, key);
	err = finish(&c);
	if (err < 0 && now > old)
		volume_uncharge(v, now - old);
	if (err == 0 && now < old)
		volume_uncharge(v, old - now);
	return err;
}

int tree_xattr_set(struct volume *v, struct tree_node *n, struct span name,
                   struct span value, int flags)
{
	struct vrecord_key key = xattr_key(v, n->ino, name);
	struct vrecord_xattr x = {name, value};
	autofree uint8_t *bytes = NULL;
	uint32_t old = 0;
	struct span was;
	int err;

	if (name.size == 0 || name.size > VRECORD_NAME_MAX)
		return -ERANGE;
	if (value.size > VRECORD_VALUE_MAX)
		return -E2BIG;
	err = tree_xattr_get(v, n->ino, name, &was);
	if (err == 0 && (flags & XATTR_CREATE))
		return -EEXIST;
	if (err == -ENODATA && (flags & XATTR_REPLACE))
		return -ENODATA;
	if (err < 0 && err != -ENODATA)
		return err;
	if (err == 0)
		old = xattr_size(name, was);
	if (n->r.xattr_bytes - MIN(old, n->r.xattr_bytes) +
	            xattr_size(name, value) >
	    XATTRS_MAX)
		return -ENOSPC;
	bytes = malloc(VRECORD_MAX);
	if (!bytes)
		return -ENOMEM;
	return xattr_change(v, n, &key,
	                    (struct span){bytes, vrecord_put_xattr(&x, bytes)},
	                    old, xattr_size(name, value));
}

int tree_xattr_remove(struct volume *v, struct tree_node *n, struct span name)
{
	struct vrecord_key key = xattr_key(v, n->ino, name);
	struct span was;
	int err = tree_xattr_get(v, n->ino, name, &was);

	if (err < 0)
		return err;
	return xattr_change(v, n, &key, (struct span){NULL, 0},
	                    xattr_size(name, was), 0);
}

int tree_xattr_next(struct volume *v, uint64_t ino, struct vrecord_key *key,
                    struct vrecord_xattr *out)
{
	struct vrecord_key prefix = vrecord_key_prefix('X', ino);
	struct span value;
	int err;

	if (key->size == 0)
		*key = prefix;
	else
		store_step(key);
	err = store_next(v->store, vrecord_span(&prefix), key, &value);
	return err < 0 ? err : vrecord_get_xattr(value, out);
}
