/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "policy/policy_builtin.h"
#include "policy/policy_parse.h"

#define ETC          "/etc/bento/policy.d"
#define DOUBT_S      2
#define BUILTIN_PATH POLICY_BUILTIN "/"

/* What a path was when it was looked at; ino 0: not there. */
struct stamp {
	char *path;
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
	struct timespec ctime;
};

struct stamps {
	struct stamp *stamp;
	size_t count;
	size_t room;
};

struct policy_store {
	struct policy_folders folders;
	struct policy_rules *rules;
	struct stamps stamps;
	struct fault fault;
	int err; /* of the last reading; 1 before the first */
	bool doubt;
};

/* One reading: what it looks at, and a file that is taken to be different. */
struct reading {
	struct stamps *stamps; /* NULL: nobody wants to know */
	const char *changed;   /* NULL: none */
	struct span text;
};

static void stamps_fini(struct stamps *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->stamp[i].path);
	free(s->stamp);
	*s = (struct stamps){0};
}

static struct stamp stamp_of(const struct stat *st)
{
	return (struct stamp){
		.dev = st->st_dev,
		.ino = st->st_ino,
		.size = st->st_size,
		.mtime = st->st_mtim,
		.ctime = st->st_ctim,
	};
}

/* Remembers a path; `st` is NULL if it is not there.  0 or -ENOMEM. */
static int remember(struct reading *in, const char *path, const struct stat *st)
{
	struct stamps *s = in->stamps;
	struct stamp new = st ? stamp_of(st) : (struct stamp){0};

	if (!s)
		return 0;
	if (s->count == s->room) {
		size_t room = MAX(s->room * 2, (size_t)16);
		struct stamp *more = reallocarray(s->stamp, room,
		                                  sizeof(*more));

		if (!more)
			return -ENOMEM;
		s->stamp = more;
		s->room = room;
	}
	new.path = strdup(path);
	if (!new.path)
		return -ENOMEM;
	s->stamp[s->count++] = new;
	return 0;
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool unchanged(const struct stamps *s)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct stamp *old = &s->stamp[i];
		struct stamp now = {0};
		struct stat st;

		if (stat(old->path, &st) == 0)
			now = stamp_of(&st);
		if (now.dev != old->dev || now.ino != old->ino ||
		    now.size != old->size ||
		    !same_time(now.mtime, old->mtime) ||
		    !same_time(now.ctime, old->ctime))
			return false;
	}
	return true;
}

/* Could something have changed again without its times showing it? */
static bool doubtful(const struct stamps *s)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	for (size_t i = 0; i < s->count; i++)
		if (s->stamp[i].ctime.tv_sec > now.tv_sec - DOUBT_S ||
		    s->stamp[i].mtime.tv_sec > now.tv_sec - DOUBT_S)
			return true;
	return false;
}

static bool is_builtin(const char *path)
{
	return strncmp(path, POLICY_BUILTIN, strlen(POLICY_BUILTIN)) == 0;
}

/* Nobody but its owner, root and we may have written this. */
static int trust(const struct stat *st, const char *path, struct fault *f)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return fault_set(f, -EPERM, "%s belongs to somebody else",
		                 path);
	if (st->st_mode & S_IWOTH && !(st->st_mode & S_ISVTX))
		return fault_set(f, -EPERM, "%s can be written by anyone",
		                 path);
	return 0;
}

static int slurp(int fd, size_t size, uint8_t *to, const char *path,
                 struct fault *f)
{
	size_t at = 0;

	while (at < size) {
		ssize_t n = read(fd, to + at, size - at);

		if (n < 0 && errno != EINTR)
			return fault_errno(f, "read %s", path);
		if (n == 0)
			return fault_set(f, -EAGAIN,
			                 "%s changed while it was "
			                 "read",
			                 path);
		at += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int read_host(struct reading *in, const char *path, uint8_t **text,
                     size_t *size, struct fault *f)
{
	autoclose int fd = -1;
	autofree uint8_t *got = NULL;
	struct stat st;
	int err;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		err = fault_errno(f, "open %s", path);
		if (remember(in, path, NULL) < 0)
			return fault_set(f, -ENOMEM, "out of memory");
		return err;
	}
	if (fstat(fd, &st) < 0)
		return fault_errno(f, "look at %s", path);
	if (remember(in, path, &st) < 0)
		return fault_set(f, -ENOMEM, "out of memory");
	if (!S_ISREG(st.st_mode))
		return fault_set(f, -EINVAL, "%s is not a file", path);
	err = trust(&st, path, f);
	if (err < 0)
		return err;
	if (st.st_size > (off_t)POLICY_FILE_MAX)
		return fault_set(f, -E2BIG, "%s is too large for a policy",
		                 path);
	got = malloc((size_t)st.st_size + 1);
	if (!got)
		return fault_set(f, -ENOMEM, "out of memory");
	err = slurp(fd, (size_t)st.st_size, got, path, f);
	if (err < 0)
		return err;
	*text = take_ptr(&got);
	*size = (size_t)st.st_size;
	return 0;
}

static int read_text(struct span from, const char *path, uint8_t **text,
                     size_t *size, struct fault *f)
{
	uint8_t *copy;

	if (!from.at)
		return fault_set(f, -ENOENT, "%s is not there", path);
	copy = malloc(from.size + 1);
	if (!copy)
		return fault_set(f, -ENOMEM, "out of memory");
	memcpy(copy, from.at, from.size);
	*text = copy;
	*size = from.size;
	return 0;
}

static int source_read(void *ctx, const char *path, uint8_t **text,
                       size_t *size, struct fault *f)
{
	struct reading *in = ctx;

	if (in->changed && strcmp(in->changed, path) == 0)
		return read_text(in->text, path, text, size, f);
	if (is_builtin(path))
		return read_text(
			policy_builtin_text(path + strlen(BUILTIN_PATH)), path,
			text, size, f);
	return read_host(in, path, text, size, f);
}

int policy_store_read(const char *path, uint8_t **text, size_t *size,
                      struct fault *f)
{
	struct reading in = {0};

	return source_read(&in, path, text, size, f);
}

static int list_host(struct reading *in, const char *path,
                     struct policy_names *names, struct fault *f)
{
	const struct dirent *e;
	struct stat st;
	DIR *d;
	int err = 0;

	d = opendir(path);
	if (!d) {
		err = fault_errno(f, "open %s", path);
		if (remember(in, path, NULL) < 0)
			return fault_set(f, -ENOMEM, "out of memory");
		return err;
	}
	if (fstat(dirfd(d), &st) < 0)
		err = fault_errno(f, "look at %s", path);
	else
		err = trust(&st, path, f);
	if (err == 0 && remember(in, path, &st) < 0)
		err = fault_set(f, -ENOMEM, "out of memory");
	while (err == 0) {
		errno = 0;
		e = readdir(d);
		if (!e && errno != 0)
			err = fault_errno(f, "list %s", path);
		if (!e)
			break;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (names->count >= POLICY_FILES_MAX)
			err = fault_set(f, -E2BIG, "%s: too many files", path);
		else if (policy_source_add(names, e->d_name) < 0)
			err = fault_set(f, -ENOMEM, "out of memory");
	}
	closedir(d);
	return err;
}

int policy_store_names(const char *path, struct policy_names *names,
                       struct fault *f)
{
	struct reading in = {0};

	return list_host(&in, path, names, f);
}

/* Puts the changed file into the list of its folder, or takes it out. */
static int list_change(const struct reading *in, const char *path,
                       struct policy_names *names)
{
	const char *slash = strrchr(in->changed, '/');
	size_t at = 0;

	if (!slash || strlen(path) != (size_t)(slash - in->changed) ||
	    strncmp(path, in->changed, strlen(path)) != 0)
		return 0;
	while (at < names->count && strcmp(names->name[at], slash + 1) != 0)
		at++;
	if (at < names->count && !in->text.at) {
		free(names->name[at]);
		names->name[at] = names->name[--names->count];
	} else if (at == names->count && in->text.at) {
		return policy_source_add(names, slash + 1);
	}
	return 0;
}

static int source_list(void *ctx, const char *path, struct policy_names *names,
                       struct fault *f)
{
	struct reading *in = ctx;
	int err = list_host(in, path, names, f);

	if (err < 0 && err != -ENOENT)
		return err;
	if (in->changed && list_change(in, path, names) < 0)
		return fault_set(f, -ENOMEM, "out of memory");
	return names->count > 0 ? 0 : err;
}

/* $NAME, or $HOME/`home`, with bento/policy.d below it; NULL if unset. */
static int from_environment(const char *name, const char *home, char **out)
{
	const char *base = getenv(name);
	const char *middle = "";

	*out = NULL;
	if ((!base || base[0] != '/') && home) {
		base = getenv("HOME");
		middle = home;
	}
	if (!base || base[0] != '/')
		return 0;
	if (asprintf(out, "%s%s/bento/policy.d", base, middle) < 0) {
		*out = NULL;
		return -ENOMEM;
	}
	return 0;
}

int policy_store_folders(struct policy_folders *out)
{
	struct policy_folders got = {0};

	got.path[POLICY_LAYER_ETC] = strdup(ETC);
	if (!got.path[POLICY_LAYER_ETC] ||
	    from_environment("XDG_CONFIG_HOME", "/.config",
	                     &got.path[POLICY_LAYER_CONFIG]) < 0 ||
	    from_environment("XDG_RUNTIME_DIR", NULL,
	                     &got.path[POLICY_LAYER_RUNTIME]) < 0) {
		policy_store_folders_fini(&got);
		return -ENOMEM;
	}
	*out = got;
	return 0;
}

void policy_store_folders_fini(struct policy_folders *f)
{
	for (size_t i = 0; i < POLICY_STORE_LAYERS; i++)
		free(f->path[i]);
	*f = (struct policy_folders){0};
}

int policy_store_open(struct policy_folders *folders, struct policy_store **out)
{
	struct policy_store *s = calloc(1, sizeof(*s));

	if (!s) {
		policy_store_folders_fini(folders);
		return -ENOMEM;
	}
	s->folders = *folders;
	*folders = (struct policy_folders){0};
	s->err = 1;
	*out = s;
	return 0;
}

void policy_store_close(struct policy_store *s)
{
	if (!s)
		return;
	policy_rules_destroy(s->rules);
	stamps_fini(&s->stamps);
	policy_store_folders_fini(&s->folders);
	free(s);
}

const char *policy_store_folder(const struct policy_store *s,
                                enum policy_layer layer)
{
	return layer == POLICY_LAYER_BUILTIN ? POLICY_BUILTIN
	                                     : s->folders.path[layer];
}

void policy_store_free(struct policy_main *list, size_t count)
{
	for (size_t i = 0; list && i < count; i++) {
		free(list[i].name);
		free(list[i].path);
	}
	free(list);
}

/* The policy files of one layer. */
static int list_layer(const struct policy_store *s, struct reading *in,
                      enum policy_layer layer, struct policy_names *names,
                      struct fault *f)
{
	const char *folder = policy_store_folder(s, layer);
	const char *name;
	int err;

	if (!folder)
		return 0;
	if (layer != POLICY_LAYER_BUILTIN) {
		err = source_list(in, folder, names, f);
		if (err < 0 && err != -ENOENT)
			return err;
		return policy_source_pick(names, folder, f);
	}
	for (size_t i = 0; (name = policy_builtin_name(i)); i++)
		if (policy_source_add(names, name) < 0)
			return fault_set(f, -ENOMEM, "out of memory");
	return 0;
}

static int by_name_and_layer(const void *a, const void *b)
{
	const struct policy_main *x = a;
	const struct policy_main *y = b;
	int names = strcmp(x->name, y->name);

	return names != 0 ? names : (int)x->layer - (int)y->layer;
}

/* Of files with one name the last stays.  Returns how many are left. */
static size_t drop_hidden(struct policy_main *list, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (i + 1 < count &&
		    strcmp(list[i].name, list[i + 1].name) == 0) {
			list[i + 1].hides = true;
			free(list[i].name);
			free(list[i].path);
			continue;
		}
		list[kept++] = list[i];
	}
	return kept;
}

/* Adds a layer's names to the list.  0 or -ENOMEM. */
static int append(struct policy_main **list, size_t *count,
                  const struct policy_names *names, const char *folder,
                  enum policy_layer layer)
{
	struct policy_main *more = reallocarray(
		*list, *count + names->count + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	*list = more;
	for (size_t i = 0; i < names->count; i++) {
		struct policy_main m = {.layer = layer};

		m.name = strdup(names->name[i]);
		if (!m.name || asprintf(&m.path, "%s/%s", folder, m.name) < 0) {
			free(m.name);
			return -ENOMEM;
		}
		more[(*count)++] = m;
	}
	return 0;
}

static int64_t list_all(const struct policy_store *s, struct reading *in,
                        struct policy_main **out, struct fault *f)
{
	struct policy_main *list = NULL;
	size_t count = 0;
	int err = 0;

	for (enum policy_layer layer = 0;
	     err == 0 && layer < POLICY_STORE_LAYERS; layer++) {
		struct policy_names names = {0};

		err = list_layer(s, in, layer, &names, f);
		if (err == 0 &&
		    append(&list, &count, &names, policy_store_folder(s, layer),
		           layer) < 0)
			err = fault_set(f, -ENOMEM, "out of memory");
		policy_source_fini(&names);
	}
	if (err < 0) {
		policy_store_free(list, count);
		return err;
	}
	if (list)
		qsort(list, count, sizeof(*list), by_name_and_layer);
	*out = list;
	return (int64_t)drop_hidden(list, count);
}

int64_t policy_store_list(const struct policy_store *s,
                          struct policy_main **out, struct fault *f)
{
	struct reading in = {0};

	return list_all(s, &in, out, f);
}

static int load(const struct policy_store *s, struct reading *in,
                struct policy_rules **out, struct fault *f)
{
	const struct policy_source source = {in, source_read, source_list};
	struct policy_rules *rules = policy_rules_create();
	struct policy_main *list = NULL;
	int64_t count;
	int err = 0;

	if (!rules)
		return fault_set(f, -ENOMEM, "out of memory");
	count = list_all(s, in, &list, f);
	if (count < 0)
		err = (int)count;
	for (int64_t i = 0; err == 0 && list && i < count; i++)
		err = policy_parse_file(rules, &source, list[i].path,
		                        policy_store_folder(s, list[i].layer),
		                        f);
	if (count >= 0)
		policy_store_free(list, (size_t)count);
	if (err < 0) {
		policy_rules_destroy(rules);
		return err;
	}
	*out = rules;
	return 0;
}

int policy_store_file(const char *path, struct policy_rules **out,
                      struct fault *f)
{
	struct reading in = {0};
	const struct policy_source source = {&in, source_read, source_list};
	struct policy_rules *rules = policy_rules_create();
	autofree char *folder = strdup(path);
	char *slash = folder ? strrchr(folder, '/') : NULL;
	int err;

	if (!rules || !folder) {
		policy_rules_destroy(rules);
		return fault_set(f, -ENOMEM, "out of memory");
	}
	if (slash)
		*slash = 0;
	err = policy_parse_file(rules, &source, path, slash ? folder : ".", f);
	if (err < 0)
		policy_rules_destroy(rules);
	else
		*out = rules;
	return err;
}

int policy_store_try(const struct policy_store *s, const char *path,
                     struct span text, struct policy_rules **out,
                     struct fault *f)
{
	struct reading in = {.changed = path, .text = text};

	return load(s, &in, out, f);
}

int policy_store_look(struct policy_store *s, const struct policy_rules **out,
                      struct fault *f)
{
	struct reading in = {.stamps = &s->stamps};

	if (s->err > 0 || s->doubt || !unchanged(&s->stamps)) {
		stamps_fini(&s->stamps);
		policy_rules_destroy(s->rules);
		s->rules = NULL;
		s->err = load(s, &in, &s->rules, &s->fault);
		/* Without memory not even the stamps are whole. */
		s->doubt = doubtful(&s->stamps) || s->err == -ENOMEM;
	}
	if (s->err < 0) {
		*f = s->fault;
		return s->err;
	}
	*out = s->rules;
	return 0;
}
