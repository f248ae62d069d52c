/* SPDX-License-Identifier: Apache-2.0 */
#include "template/tplstore.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "admin/paths.h"
#include "channel/launch.h"
#include "template/tplkeys.h"

#define VERSION_TEXT 16u

static const char *const suffixes[] = {"erofs", "data", "tree", "info"};
enum { MAIN, DATA, TREE, INFO };

int tplstore_open(struct tplstore *s, struct fault *f)
{
	struct paths p;
	int err = paths_find(&p, f);

	*s = (struct tplstore){-1, -1};
	if (err < 0)
		return err;
	s->data = paths_open(&p, PATHS_DATA, f);
	if (s->data < 0)
		return s->data;
	s->folder = paths_open_below(s->data, "templates", f);
	if (s->folder < 0) {
		err = s->folder;
		base_close(&s->data);
		return err;
	}
	return 0;
}

void tplstore_close(struct tplstore *s)
{
	base_close(&s->data);
	base_close(&s->folder);
}

bool tplstore_name_ok(const char *name)
{
	return launch_name_ok(span_str(name));
}

/* ---- versions ---- */

static void file_name(char to[48], uint32_t version, int which)
{
	(void)snprintf(to, 48, "%" PRIu32 ".%s", version, suffixes[which]);
}

/* The number a name begins with, if it is a version's file; 0: it is none. */
static uint32_t version_of(const char *name)
{
	char *end;
	unsigned long n;

	if (name[0] < '1' || name[0] > '9')
		return 0;
	n = strtoul(name, &end, 10);
	if (*end != '.' || n >= UINT32_MAX)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
		if (strcmp(end + 1, suffixes[i]) == 0)
			return (uint32_t)n;
	return 0;
}

/* What `current` leads to; 0: nothing. */
static uint32_t current_of(int folder)
{
	char text[VERSION_TEXT];
	ssize_t n = readlinkat(folder, "current", text, sizeof(text) - 1);
	unsigned long v;
	char *end;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	v = strtoul(text, &end, 10);
	return *end || v >= UINT32_MAX ? 0 : (uint32_t)v;
}

static void remove_version(int folder, uint32_t version)
{
	char name[48];

	/* The tree last: without it nothing is known to be left. */
	for (int i = 0; i < (int)ARRAY_LEN(suffixes); i++) {
		file_name(name, version,
		          i == TREE   ? INFO
		          : i == INFO ? TREE
		                      : i);
		(void)unlinkat(folder, name, 0);
	}
}

/* Does anybody use it?  If not, nobody begins to until *lock is closed. */
static bool used(int folder, uint32_t version, int *lock)
{
	char name[48];

	file_name(name, version, TREE);
	*lock = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (*lock < 0)
		return false;
	return flock(*lock, LOCK_EX | LOCK_NB) < 0;
}

/* Calls each() for every version that has a file. */
static int each_version(int folder,
                        void (*each)(void *ctx, int folder, uint32_t version),
                        void *ctx, struct fault *f)
{
	int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = again < 0 ? NULL : fdopendir(again);
	struct dirent *e;

	if (!dir) {
		int err = fault_errno(f, "list a template's versions");

		base_close(&again);
		return err;
	}
	while ((e = readdir(dir))) {
		uint32_t version = version_of(e->d_name);

		if (version > 0)
			each(ctx, folder, version);
	}
	(void)closedir(dir);
	return 0;
}

struct tidy {
	uint32_t keep; /* this one in any case */
	uint32_t most; /* the highest number seen */
	uint32_t busy; /* how many others are used */
	bool all;      /* only look, take nothing away */
};

static void tidy_one(void *ctx, int folder, uint32_t version)
{
	struct tidy *t = ctx;
	autoclose int lock = -1;

	t->most = MAX(t->most, version);
	if (version == t->keep && !t->all)
		return;
	if (used(folder, version, &lock))
		t->busy++;
	else if (!t->all)
		remove_version(folder, version);
}

static int open_template(const struct tplstore *s, const char *name,
                         struct fault *f)
{
	int fd = -ENOENT;

	if (tplstore_name_ok(name)) {
		fd = openat(s->folder, name,
		            O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		fd = fd < 0 ? -errno : fd;
	}
	if (fd == -ENOENT)
		return fault_set(
			f, fd,
			"there is no template %s: "
			"\"bento template list\" tells which there are",
			name);
	if (fd < 0)
		return fault_set(f, fd, "open the template %s: %s", name,
		                 strerror(-fd));
	return fd;
}

/* ---- looking ---- */

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(char ***names, size_t *count, const char *name)
{
	char **bigger = reallocarray(*names, *count + 1, sizeof(char *));

	if (!bigger)
		return -ENOMEM;
	*names = bigger;
	bigger[*count] = strdup(name);
	if (!bigger[*count])
		return -ENOMEM;
	(*count)++;
	return 0;
}

int tplstore_list(const struct tplstore *s, char ***names, size_t *count,
                  struct fault *f)
{
	int again = openat(s->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = again < 0 ? NULL : fdopendir(again);
	struct dirent *e;
	int err = 0;

	*names = NULL;
	*count = 0;
	if (!dir) {
		err = fault_errno(f, "list the templates");
		base_close(&again);
		return err;
	}
	while (err == 0 && (e = readdir(dir))) {
		autoclose int fd = -1;

		if (!tplstore_name_ok(e->d_name))
			continue;
		fd = openat(s->folder, e->d_name,
		            O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && current_of(fd) > 0)
			err = add_name(names, count, e->d_name);
	}
	(void)closedir(dir);
	if (err < 0) {
		while (*count > 0)
			free((*names)[--*count]);
		free(*names);
		*names = NULL;
		return fault_set(f, err, "out of memory");
	}
	if (*count > 0)
		qsort(*names, *count, sizeof(char *), compare);
	return 0;
}

static void read_source(int folder, uint32_t version, char *to, size_t room)
{
	autoclose int fd = -1;
	char name[48];
	ssize_t n;

	file_name(name, version, INFO);
	fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, to, room - 1);
	to[MAX(n, 0)] = '\0';
	to[strcspn(to, "\n")] = '\0';
}

int tplstore_info(const struct tplstore *s, const char *name,
                  struct tplstore_info *out, struct fault *f)
{
	autoclose int folder = open_template(s, name, f);
	struct tplstore_info i = {0};
	struct tidy t = {.all = true};
	int err;

	if (folder < 0)
		return take_fd(&folder);
	i.version = current_of(folder);
	if (i.version == 0)
		return fault_set(f, -ENOENT, "the template %s has no version",
		                 name);
	for (int which = 0; which < (int)ARRAY_LEN(suffixes); which++) {
		struct stat st;
		char file[48];

		file_name(file, i.version, which);
		if (fstatat(folder, file, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		i.size += (uint64_t)st.st_blocks * 512;
		if (which == TREE)
			i.made = st.st_mtime;
	}
	read_source(folder, i.version, i.source, sizeof(i.source));
	err = each_version(folder, tidy_one, &t, f);
	if (err < 0)
		return err;
	i.older = t.busy;
	*out = i;
	return 0;
}

/* ---- using ---- */

static void linked_name(char to[48], uint32_t version, int which)
{
	(void)version;
	(void)snprintf(to, 48, "base.%s", suffixes[which]);
}

static int open_files(int folder, struct tplstore_used *u,
                      void (*named)(char to[48], uint32_t version, int which))
{
	static const int which[] = {TREE, MAIN, DATA};
	int *const to[] = {&u->tree_fd, &u->main_fd, &u->data_fd};
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(which); i++) {
		char name[48];

		named(name, u->version, which[i]);
		*to[i] = openat(folder, name,
		                O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (*to[i] < 0)
			return -errno;
		/* From here on it stays, if it is still there. */
		if (i == 0 && flock(u->tree_fd, LOCK_SH | LOCK_NB) < 0)
			return errno == EWOULDBLOCK ? -ENOENT : -errno;
		if (i == 0 && (fstat(u->tree_fd, &st) < 0 || st.st_nlink == 0))
			return -ENOENT;
	}
	return 0;
}

/* Is what was opened what we signed?  If not it is let go. */
static int check_files(const struct tplstore *s, const char *name,
                       struct tplstore_used *u, struct fault *f)
{
	int err = merkle_read_head(u->tree_fd, &u->head, f);

	if (err == 0)
		err = tplkeys_verify(s->data, &u->head, f);
	if (err < 0) {
		struct fault why = *f;

		tplstore_release(u);
		return fault_set(f, err, "the template %s: %.400s", name,
		                 why.text);
	}
	merkle_root(&u->head, u->root);
	if (u->head.data_blocks == 0)
		base_close(&u->data_fd);
	return 0;
}

int tplstore_use(const struct tplstore *s, const char *name,
                 struct tplstore_used *out, struct fault *f)
{
	autoclose int folder = open_template(s, name, f);
	struct tplstore_used u = TPLSTORE_UNUSED;
	int err = -ENOENT;

	if (folder < 0)
		return take_fd(&folder);
	/* A new version may take its place just when we open it. */
	for (int tries = 0; tries < 16 && err == -ENOENT; tries++) {
		tplstore_release(&u);
		u.version = current_of(folder);
		if (u.version == 0)
			break;
		err = open_files(folder, &u, file_name);
	}
	if (err < 0) {
		tplstore_release(&u);
		return fault_set(f, err, "open the template %s: %s", name,
		                 strerror(-err));
	}
	err = check_files(s, name, &u, f);
	if (err == 0)
		*out = u;
	return err;
}

int tplstore_link(const struct tplstore *s, const char *name, int folder,
                  struct fault *f)
{
	static const int order[] = {MAIN, DATA, TREE};
	struct tplstore_used u;
	autoclose int from = -1;
	int err = tplstore_use(s, name, &u, f);

	if (err < 0)
		return err;
	from = open_template(s, name, f);
	err = MIN(from, 0);
	for (size_t i = 0; i < ARRAY_LEN(order) && err == 0; i++) {
		char old[48], new[48];

		file_name(old, u.version, order[i]);
		linked_name(new, 0, order[i]);
		/* One that was killed on the way has left some. */
		(void)unlinkat(folder, new, 0);
		if (linkat(from, old, folder, new, 0) < 0)
			err = fault_errno(f, "keep the template %s", name);
	}
	tplstore_release(&u);
	return err;
}

int tplstore_use_linked(const struct tplstore *s, int folder,
                        struct tplstore_used *out, struct fault *f)
{
	struct tplstore_used u = TPLSTORE_UNUSED;
	int err = open_files(folder, &u, linked_name);

	if (err < 0) {
		tplstore_release(&u);
		return fault_set(f, err, "open a volume's template: %s",
		                 strerror(-err));
	}
	err = check_files(s, "a volume lies over", &u, f);
	if (err == 0)
		*out = u;
	return err;
}

void tplstore_release(struct tplstore_used *u)
{
	base_close(&u->main_fd);
	base_close(&u->data_fd);
	base_close(&u->tree_fd);
	u->main_fd = u->data_fd = u->tree_fd = -1;
}

/* ---- making ---- */

static int create_files(struct tplstore_new *n, struct fault *f)
{
	for (int i = 0; i < (int)ARRAY_LEN(n->fd); i++) {
		char name[48];

		file_name(name, n->version, i);
		n->fd[i] = openat(n->folder, name,
		                  O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (n->fd[i] < 0)
			return fault_errno(f, "make a file of the template %s",
			                   n->name);
	}
	return 0;
}

int tplstore_begin(const struct tplstore *s, const char *name,
                   struct tplstore_new *n, struct fault *f)
{
	struct tidy t = {0};
	int err;

	*n = (struct tplstore_new){
		.store = s, .folder = -1, .lock = -1, .fd = {-1, -1, -1}};
	if (!tplstore_name_ok(name))
		return fault_set(
			f, -EINVAL,
			"\"%s\" will not do as a name: a letter, then "
			"letters, digits, - _ and ., at most %u in all",
			name, TPLSTORE_NAME_MAX);
	(void)snprintf(n->name, sizeof(n->name), "%s", name);
	n->folder = paths_open_below(s->folder, name, f);
	if (n->folder < 0)
		return n->folder;
	n->lock = openat(n->folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (n->lock < 0)
		err = fault_errno(f, "lock the template %s", name);
	else if (flock(n->lock, LOCK_EX | LOCK_NB) < 0)
		err = fault_set(f, -EBUSY,
		                "somebody else is making the template %s",
		                name);
	else
		err = 0;
	t.keep = current_of(n->folder);
	t.most = t.keep;
	if (err == 0)
		err = each_version(n->folder, tidy_one, &t, f);
	if (err == 0) {
		n->version = t.most + 1;
		err = create_files(n, f);
	}
	if (err < 0)
		tplstore_end(n);
	return err;
}

static int write_info(struct tplstore_new *n, const char *source,
                      struct fault *f)
{
	autoclose int fd = -1;
	char name[48];
	char text[256];
	int size;

	file_name(name, n->version, INFO);
	size = snprintf(text, sizeof(text), "%.250s\n", source);
	fd = openat(n->folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	            0600);
	if (fd < 0 || write(fd, text, (size_t)size) != size || fsync(fd) < 0)
		return fault_errno(f, "write a file of the template %s",
		                   n->name);
	return 0;
}

static int switch_over(struct tplstore_new *n, struct fault *f)
{
	char text[VERSION_TEXT];

	(void)snprintf(text, sizeof(text), "%" PRIu32, n->version);
	(void)unlinkat(n->folder, ".current", 0);
	if (symlinkat(text, n->folder, ".current") < 0 ||
	    renameat(n->folder, ".current", n->folder, "current") < 0 ||
	    fsync(n->folder) < 0)
		return fault_errno(f, "switch the template %s over", n->name);
	return 0;
}

int tplstore_commit(struct tplstore_new *n, const char *source, struct fault *f)
{
	struct merkle_head head;
	struct tidy t = {.keep = n->version};
	int err = merkle_read_head(n->fd[TREE], &head, f);

	if (err == 0)
		err = tplkeys_sign(n->store->data, &head, f);
	if (err == 0)
		err = merkle_write_head(n->fd[TREE], &head, f);
	for (size_t i = 0; i < ARRAY_LEN(n->fd) && err == 0; i++)
		if (fsync(n->fd[i]) < 0 || fchmod(n->fd[i], 0400) < 0)
			err = fault_errno(f, "write the template %s", n->name);
	if (err == 0)
		err = write_info(n, source, f);
	if (err == 0)
		err = switch_over(n, f);
	if (err < 0)
		return err;
	n->version = 0; /* it is to stay */
	/* What cannot be taken away now, the next one will. */
	(void)!each_version(n->folder, tidy_one, &t, f);
	return 0;
}

void tplstore_end(struct tplstore_new *n)
{
	for (size_t i = 0; i < ARRAY_LEN(n->fd); i++)
		base_close(&n->fd[i]);
	if (n->folder >= 0 && n->version > 0) {
		remove_version(n->folder, n->version);
		if (current_of(n->folder) == 0) {
			(void)unlinkat(n->folder, "lock", 0);
			(void)unlinkat(n->store->folder, n->name, AT_REMOVEDIR);
		}
	}
	base_close(&n->lock);
	base_close(&n->folder);
}

/* ---- removing ---- */

static void remove_one(void *ctx, int folder, uint32_t version)
{
	(void)ctx;
	remove_version(folder, version);
}

int tplstore_remove(const struct tplstore *s, const char *name, struct fault *f)
{
	autoclose int folder = open_template(s, name, f);
	autoclose int lock = -1;
	struct tidy t = {.all = true};
	int err;

	if (folder < 0)
		return take_fd(&folder);
	lock = openat(folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) < 0)
		return fault_set(f, -EBUSY,
		                 "somebody is making the template %s", name);
	err = each_version(folder, tidy_one, &t, f);
	if (err < 0)
		return err;
	if (t.busy > 0)
		return fault_set(f, -EBUSY,
		                 "the template %s is used by a running qube",
		                 name);
	(void)unlinkat(folder, "current", 0);
	err = each_version(folder, remove_one, NULL, f);
	(void)unlinkat(folder, "lock", 0);
	if (err == 0 && unlinkat(s->folder, name, AT_REMOVEDIR) < 0)
		err = fault_errno(f, "remove the template %s", name);
	return err;
}
