/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/tarball.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "volume/cipher.h"
#include "volume/object.h"
#include "volume/tree.h"

#define PIECE     ((size_t)64 * 1024)
#define PATH_MOST 4096
#define PAGE      4096u
#define MUCH      ((size_t)4 << 20) /* changes that wait, at most */

struct tarball {
	struct volume *v;
	struct archive *a;
	struct cipher *cipher; /* NULL: not encrypted */
	uint8_t *piece;
	struct fault *f;
};

static int out_of_archive(struct tarball *t, const char *what)
{
	const char *why = archive_error_string(t->a);
	int err = archive_errno(t->a);

	return fault_set(t->f, err > 0 && err < 4096 ? -err : -EIO, "%s: %s",
	                 what, why ? why : "damaged");
}

static int begin(struct tarball *t)
{
	t->piece = malloc(PIECE);
	if (t->v->encrypted)
		t->cipher = cipher_create(t->v->objects_key);
	if (!t->piece || !t->a || (t->v->encrypted && !t->cipher))
		return fault_set(t->f, -ENOMEM, "out of memory");
	return 0;
}

static void end(struct tarball *t)
{
	cipher_destroy(t->cipher);
	free(t->piece);
}

/* ---- out ---- */

/* Directories whose names are still to be written. */
struct todo {
	struct todo *next;
	uint64_t ino;
	char path[]; /* "" or with a slash at the end */
};

static int push(struct todo **list, uint64_t ino, const char *path)
{
	size_t size = strlen(path);
	struct todo *d = malloc(sizeof(*d) + size + 2);

	if (!d)
		return -ENOMEM;
	d->ino = ino;
	d->next = *list;
	memcpy(d->path, path, size + 1);
	if (size > 0) /* what is in it follows a slash */
		memcpy(d->path + size, "/", 2);
	*list = d;
	return 0;
}

static int put_contents(struct tarball *t, const struct tree_node *n, int fd,
                        uint64_t size)
{
	struct cipher_file c = {fd, n->ino, size};
	uint64_t at = 0;

	while (at < size) {
		size_t want = (size_t)MIN((uint64_t)PIECE, size - at);
		long got = t->cipher ? cipher_read(t->cipher, &c, t->piece,
		                                   want, at)
		                     : pread(fd, t->piece, want, (off_t)at);

		if (got <= 0)
			return fault_set(t->f, -EIO,
			                 "inode %llu: its contents cannot be "
			                 "read",
			                 (unsigned long long)n->ino);
		if (archive_write_data(t->a, t->piece, (size_t)got) != got)
			return out_of_archive(t, "write the archive");
		at += (uint64_t)got;
	}
	return 0;
}

static int add_xattrs(struct tarball *t, const struct tree_node *n,
                      struct archive_entry *e)
{
	struct vrecord_key key = {0};
	struct vrecord_xattr x;
	int err;

	while ((err = tree_xattr_next(t->v, n->ino, &key, &x)) == 0) {
		char name[VRECORD_NAME_MAX + 1];

		memcpy(name, x.name.at, x.name.size);
		name[x.name.size] = '\0';
		archive_entry_xattr_add_entry(e, name, x.value.at,
		                              x.value.size);
	}
	return err == -ENOENT ? 0 : err;
}

/* The entry's attributes; *fd is the object of a regular file. */
static int describe(struct tarball *t, const struct tree_node *n,
                    struct archive_entry *e, int *fd)
{
	const struct vrecord_inode *r = &n->r;
	struct stat st;
	int err;

	archive_entry_set_mode(e, r->mode);
	archive_entry_set_uid(e, r->uid);
	archive_entry_set_gid(e, r->gid);
	archive_entry_set_ino64(e, (int64_t)n->ino);
	archive_entry_set_dev(e, 1);
	archive_entry_set_nlink(e, r->nlink);
	archive_entry_set_rdev(e, r->rdev);
	archive_entry_set_mtime(e, r->mtime.sec, (long)r->mtime.nsec);
	archive_entry_set_size(e, 0);
	if (S_ISLNK(r->mode)) {
		struct span to;

		err = tree_target(t->v, n->ino, &to);
		if (err < 0)
			return err;
		memcpy(t->piece, to.at, to.size);
		t->piece[to.size] = '\0';
		archive_entry_set_symlink(e, (char *)t->piece);
	}
	if (S_ISREG(r->mode)) {
		*fd = object_open(t->v->objects_fd, n->ino, O_RDONLY);
		if (*fd < 0)
			return *fd;
		if (fstat(*fd, &st) < 0)
			return -errno;
		archive_entry_set_size(e, t->cipher ? (int64_t)r->size
		                                    : st.st_size);
		if (!t->cipher)
			archive_entry_set_mtime(e, st.st_mtim.tv_sec,
			                        st.st_mtim.tv_nsec);
	}
	return add_xattrs(t, n, e);
}

static int put_entry(struct tarball *t,
                     struct archive_entry_linkresolver *links, const char *path,
                     uint64_t ino)
{
	struct archive_entry *e = archive_entry_new();
	struct archive_entry *later = NULL;
	autoclose int fd = -1;
	struct tree_node n;
	int err = tree_load(t->v, ino, &n);

	if (err == 0 && S_ISSOCK(n.r.mode)) {
		archive_entry_free(e);
		return 0; /* tar has none of these */
	}
	archive_entry_set_pathname(e, path);
	if (err == 0)
		err = describe(t, &n, e, &fd);
	if (err < 0) {
		archive_entry_free(e);
		return fault_set(t->f, err, "%s: %s", path, strerror(-err));
	}
	archive_entry_linkify(links, &e, &later);
	if (archive_write_header(t->a, e) != ARCHIVE_OK)
		err = out_of_archive(t, path);
	else if (archive_entry_size(e) > 0)
		err = put_contents(t, &n, fd, (uint64_t)archive_entry_size(e));
	archive_entry_free(e);
	archive_entry_free(later);
	return err;
}

/* One name of a directory; one that is a directory itself joins the list. */
static int put_name(struct tarball *t, struct archive_entry_linkresolver *links,
                    const struct todo *d, const struct vrecord_name *n,
                    struct todo **list)
{
	bool dir = n->type == S_IFDIR >> 12;
	uint64_t ino = n->ino;
	autofree char *path = NULL;
	int err;

	if (asprintf(&path, "%s%.*s", d->path, (int)n->name.size,
	             (const char *)n->name.at) < 0)
		return fault_set(t->f, -ENOMEM, "out of memory");
	if (strlen(path) >= PATH_MOST)
		return fault_set(t->f, -ENAMETOOLONG,
		                 "a path is too long for an archive");
	err = put_entry(t, links, path, ino);
	if (err == 0 && dir && push(list, ino, path) < 0)
		err = fault_set(t->f, -ENOMEM, "out of memory");
	return err;
}

static int put_names(struct tarball *t,
                     struct archive_entry_linkresolver *links,
                     const struct todo *d, struct todo **list)
{
	struct vrecord_name n;
	int64_t pos = 0;
	int err;

	while ((err = tree_name_at(t->v, d->ino, &pos, &n)) == 0) {
		err = put_name(t, links, d, &n, list);
		if (err < 0)
			return err;
		pos++;
	}
	return err == -ENOENT ? 0
	                      : fault_set(t->f, err,
	                                  "%s: a name in it is "
	                                  "damaged",
	                                  d->path);
}

int tarball_export(struct volume *v, int fd, struct fault *f)
{
	struct tarball t = {.v = v, .a = archive_write_new(), .f = f};
	struct archive_entry_linkresolver
		*links = archive_entry_linkresolver_new();
	struct todo *list = NULL;
	int err = begin(&t);

	if (err == 0 && push(&list, VRECORD_ROOT, "") < 0)
		err = fault_set(f, -ENOMEM, "out of memory");
	if (err == 0 && (archive_write_set_format_pax_restricted(t.a) != 0 ||
	                 archive_write_open_fd(t.a, fd) != 0))
		err = out_of_archive(&t, "write the archive");
	archive_entry_linkresolver_set_strategy(
		links, ARCHIVE_FORMAT_TAR_PAX_RESTRICTED);
	while (list) {
		struct todo *d = list;

		list = d->next;
		if (err == 0)
			err = put_names(&t, links, d, &list);
		free(d);
	}
	if (err == 0 && archive_write_close(t.a) != ARCHIVE_OK)
		err = out_of_archive(&t, "write the archive");
	archive_entry_linkresolver_free(links);
	(void)archive_write_free(t.a);
	end(&t);
	return err;
}

/* ---- in ---- */

static struct tree_node like(const struct volume *v, struct archive_entry *e)
{
	struct tree_node n = {.r = {.mode = archive_entry_mode(e),
	                            .uid = (uint32_t)archive_entry_uid(e),
	                            .gid = (uint32_t)archive_entry_gid(e)}};

	if (S_ISCHR(n.r.mode) || S_ISBLK(n.r.mode))
		n.r.rdev = archive_entry_rdev(e);
	n.r.ctime = n.r.btime = tree_now(v);
	n.r.mtime.sec = archive_entry_mtime(e);
	n.r.mtime.nsec = (uint32_t)archive_entry_mtime_nsec(e) % 1000000000u;
	n.r.atime = n.r.mtime;
	if (S_ISLNK(n.r.mode) && archive_entry_symlink(e))
		n.r.target = span_str(archive_entry_symlink(e));
	return n;
}

/* The directory of that name in *dir, which becomes it; made if missing. */
static int enter_dir(struct volume *v, struct tree_node *dir, struct span name)
{
	struct tree_node new = {.r = {.mode = S_IFDIR | 0755}};
	uint64_t ino;
	uint8_t type;
	int object;
	int err = tree_lookup(v, dir->ino, name, &ino, &type);

	if (err == 0)
		return type == S_IFDIR >> 12 ? tree_load(v, ino, dir)
		                             : -ENOTDIR;
	if (err != -ENOENT)
		return err;
	new.r.atime = new.r.mtime = new.r.ctime = new.r.btime = tree_now(v);
	err = tree_create(v, dir, name, &new, &object);
	if (err == 0)
		*dir = new;
	return err;
}

/*
 * Walks to the directory of a path; *last is its last name, empty for the root
 * itself.
 */
static int walk(struct volume *v, const char *path, struct tree_node *dir,
                struct span *last)
{
	int err = tree_load(v, VRECORD_ROOT, dir);

	*last = (struct span){NULL, 0};
	while (err == 0) {
		size_t size;

		path += strspn(path, "/");
		size = strcspn(path, "/");
		if (size == 0)
			return 0;
		if (size == 1 && path[0] == '.') {
			path += size;
			continue;
		}
		if (last->size)
			err = enter_dir(v, dir, *last);
		*last = (struct span){(const uint8_t *)path, size};
		if (!vrecord_name_ok(*last))
			return -EINVAL;
		path += size;
	}
	return err;
}

/* Takes away what has the name; a directory stays.  1: it stays; 0: gone. */
static int clear_name(struct volume *v, struct tree_node *dir, struct span name,
                      bool want_dir, struct tree_node *old)
{
	uint64_t ino;
	int err = tree_lookup(v, dir->ino, name, &ino, NULL);

	if (err == -ENOENT)
		return 0;
	if (err == 0)
		err = tree_load(v, ino, old);
	if (err < 0)
		return err;
	if (S_ISDIR(old->r.mode) && want_dir)
		return 1;
	err = tree_unlink(v, dir, name, old);
	if (err == 0 && old->r.nlink == 0) {
		volume_uncharge(v, old->r.charged + old->r.xattr_bytes);
		volume_uncharge_inode(v);
		err = tree_forget(v, old->ino, S_ISREG(old->r.mode));
	}
	return err;
}

static int take_contents(struct tarball *t, struct tree_node *n, int fd)
{
	uint64_t at = 0;

	for (;;) {
		struct cipher_file c = {fd, n->ino, at};
		la_ssize_t got = archive_read_data(t->a, t->piece, PIECE);
		uint64_t end = at + (uint64_t)MAX(got, 0);
		uint64_t more = round_up(end, PAGE) - round_up(at, PAGE);
		int err;

		if (got < 0)
			return out_of_archive(t, "read the archive");
		if (got == 0)
			break;
		err = volume_charge(t->v, more);
		if (err < 0)
			return fault_set(t->f, err, "the volume is full");
		n->r.charged += more;
		if (t->cipher)
			err = cipher_write(t->cipher, &c, t->piece, (size_t)got,
			                   at);
		else if (pwrite(fd, t->piece, (size_t)got, (off_t)at) != got)
			err = -EIO;
		if (err < 0)
			return fault_set(t->f, err, "write to the volume: %s",
			                 strerror(-err));
		at = end;
		n->r.size = t->cipher ? at : 0;
	}
	(void)futimens(fd, (struct timespec[2]){
				   {n->r.mtime.sec, (long)n->r.mtime.nsec},
				   {n->r.mtime.sec, (long)n->r.mtime.nsec}});
	return 0;
}

static int take_xattrs(struct tarball *t, struct tree_node *n,
                       struct archive_entry *e)
{
	const char *name;
	const void *value;
	size_t size;

	(void)archive_entry_xattr_reset(e);
	while (archive_entry_xattr_next(e, &name, &value, &size) ==
	       ARCHIVE_OK) {
		int err = tree_xattr_set(t->v, n, span_str(name),
		                         (struct span){value, size}, 0);

		if (err < 0)
			return fault_set(t->f, err, "attribute %s: %s", name,
			                 strerror(-err));
	}
	return 0;
}

static int take_link(struct tarball *t, struct tree_node *dir, struct span name,
                     const char *to)
{
	struct tree_node from, n, old;
	struct span last;
	uint64_t ino = VRECORD_ROOT;
	int err = walk(t->v, to, &from, &last);

	if (err == 0 && last.size)
		err = tree_lookup(t->v, from.ino, last, &ino, NULL);
	if (err == 0)
		err = tree_load(t->v, ino, &n);
	if (err == 0 && S_ISDIR(n.r.mode))
		err = -EPERM;
	if (err == 0 && from.ino == dir->ino && span_eq(last, name))
		return 0;
	/* The walk may have changed it. */
	if (err == 0)
		err = tree_load(t->v, dir->ino, dir);
	if (err == 0)
		err = clear_name(t->v, dir, name, false, &old);
	if (err == 0)
		err = tree_load(t->v, ino, &n);
	return err == 0 ? tree_link(t->v, dir, name, &n) : err;
}

static int take_new(struct tarball *t, struct tree_node *dir, struct span name,
                    struct archive_entry *e)
{
	struct tree_node n = like(t->v, e);
	struct tree_node old;
	autoclose int fd = -1;
	int err = 1;

	old = *dir; /* the root itself, unless it has a name */
	if (name.size)
		err = clear_name(t->v, dir, name, S_ISDIR(n.r.mode), &old);
	if (err == 1) {
		old.r.mode = S_IFDIR | (n.r.mode & 07777);
		old.r.uid = n.r.uid;
		old.r.gid = n.r.gid;
		err = tree_update(t->v, &old);
		n = old;
	} else if (err == 0) {
		if (S_ISLNK(n.r.mode) &&
		    (!n.r.target.at || n.r.target.size == 0 ||
		     n.r.target.size > VRECORD_LINK_MAX))
			return -EINVAL;
		err = tree_create(t->v, dir, name, &n, &fd);
	}
	if (err < 0)
		return err;
	if (fd >= 0) {
		err = take_contents(t, &n, fd);
		/* What was charged is to be known, whatever happened. */
		if (tree_update(t->v, &n) < 0 && err == 0)
			err = -ENOMEM;
	}
	return err == 0 ? take_xattrs(t, &n, e) : err;
}

static int take_entry(struct tarball *t, struct archive_entry *e)
{
	const char *path = archive_entry_pathname(e);
	const char *link = archive_entry_hardlink(e);
	struct tree_node dir;
	struct span name = {NULL, 0};
	int err = path ? walk(t->v, path, &dir, &name) : -EINVAL;

	if (err == 0 && !link && name.size == 0 &&
	    !S_ISDIR(archive_entry_mode(e)))
		err = -EINVAL;
	t->f->text[0] = '\0';
	if (err == 0)
		err = link ? take_link(t, &dir, name, link)
		           : take_new(t, &dir, name, e);
	if (err < 0 && t->f->text[0] == '\0')
		return fault_set(t->f, err, "%.300s: %s", path ? path : "?",
		                 strerror(-err));
	return err;
}

int tarball_import(struct volume *v, int fd, struct fault *f)
{
	struct tarball t = {.v = v, .a = archive_read_new(), .f = f};
	struct archive_entry *e;
	int err = begin(&t);
	int rc = ARCHIVE_OK;

	if (err == 0 && (archive_read_support_format_tar(t.a) != 0 ||
	                 archive_read_support_filter_all(t.a) < ARCHIVE_WARN ||
	                 archive_read_open_fd(t.a, fd, PIECE) != 0))
		err = out_of_archive(&t, "read the archive");
	while (err == 0 &&
	       (rc = archive_read_next_header(t.a, &e)) >= ARCHIVE_WARN &&
	       rc != ARCHIVE_EOF) {
		err = take_entry(&t, e);
		if (err == 0 && store_waiting(v->store) > MUCH)
			err = volume_flush(v);
	}
	if (err == 0 && rc != ARCHIVE_EOF)
		err = out_of_archive(&t, "read the archive");
	if (err == 0) {
		err = volume_flush(v);
		if (err < 0)
			err = fault_set(f, err, "write to the volume: %s",
			                strerror(-err));
	}
	(void)archive_read_free(t.a);
	end(&t);
	return err;
}
