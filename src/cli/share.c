/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/share.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* Folders of the machine's root that hold programs and what they need. */
static const char *const template_names[] = {
	"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc",
};

/* Places inside that are the qube's own. */
static const char *const reserved[] = {"/", "/proc", "/sys", "/dev"};

void share_init(struct shares *s)
{
	s->count = 0;
	s->template_count = 0;
}

void share_fini(struct shares *s)
{
	for (uint32_t i = 0; i < s->count; i++)
		base_close(&s->share[i].fd);
	for (uint32_t i = 0; i < s->template_count; i++)
		base_close(&s->template_fd[i]);
	share_init(s);
}

/* Splits PATH[:AT] into room for all of it; a backslash keeps a colon part of the path. */
static int split(const char *what, char *path, const char **at, struct fault *f)
{
	size_t n = 0;

	*at = NULL;
	for (const char *c = what; *c; c++) {
		if (*c == ':') {
			*at = c + 1;
			break;
		}
		if (*c == '\\' && (c[1] == ':' || c[1] == '\\'))
			c++;
		path[n++] = *c;
	}
	path[n] = '\0';
	if (n == 0)
		return fault_set(f, -EINVAL, "no path in \"%s\"", what);
	return 0;
}

static int check_place(const struct share *s, const char *what, struct fault *f)
{
	if (!launch_path_ok(span_str(s->at)))
		return fault_set(f, -EINVAL,
		                 "share %s: the place inside must be an "
		                 "absolute path without . and .., of at most "
		                 "%u bytes",
		                 what, LAUNCH_PATH_MAX);
	for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
		size_t len = strlen(reserved[i]);

		if (strncmp(s->at, reserved[i], len) == 0 &&
		    (s->at[len] == '\0' || (i > 0 && s->at[len] == '/')))
			return fault_set(f, -EINVAL,
			                 "share %s: %s inside is the qube's "
			                 "own",
			                 what, reserved[i]);
	}
	return 0;
}

static int check_twice(const struct shares *all, const struct share *s,
                       const char *what, struct fault *f)
{
	for (uint32_t i = 0; i < all->count; i++) {
		const struct share *o = &all->share[i];

		if (o->dev == s->dev && o->ino == s->ino)
			return fault_set(f, -EEXIST,
			                 "share %s: it is shared twice", what);
		if (strcmp(o->at, s->at) == 0)
			return fault_set(f, -EEXIST,
			                 "share %s: something else is shared "
			                 "at %s",
			                 what, s->at);
	}
	return 0;
}

static int open_share(struct share *s, const char *path, const char *what,
                      struct fault *f)
{
	autofree char *real = realpath(path, NULL);
	struct stat st;

	if (!real)
		return fault_errno(f, "share %s", what);
	if (strlen(real) > LAUNCH_PATH_MAX)
		return fault_set(f, -EINVAL, "share %s: path too long", what);
	(void)snprintf(s->host, sizeof(s->host), "%s", real);
	if (strcmp(real, "/") == 0)
		return fault_set(f, -EINVAL,
		                 "share %s: the whole machine cannot be "
		                 "shared",
		                 what);
	if (stat(real, &st) < 0)
		return fault_errno(f, "share %s", what);
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return fault_set(f, -EINVAL,
		                 "share %s: only folders and files can be "
		                 "shared",
		                 what);
	s->file = S_ISREG(st.st_mode);
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	if (!s->file)
		s->fd = open(real, O_PATH | O_DIRECTORY | O_CLOEXEC);
	else
		s->fd = open(real, (s->writable ? O_RDWR : O_RDONLY) |
		                           O_NOCTTY | O_CLOEXEC);
	if (s->fd < 0)
		return fault_errno(f, "share %s", what);
	if (access(real, s->file ? R_OK : R_OK | X_OK) < 0) {
		int err = fault_errno(f, "share %s", what);

		base_close(&s->fd);
		s->fd = -1;
		return err;
	}
	return 0;
}

int share_add(struct shares *all, const char *what, bool writable,
              struct fault *f)
{
	struct share *s = &all->share[all->count];
	autofree char *path = strdup(what);
	const char *at;
	int err;

	if (!path)
		return fault_set(f, -ENOMEM, "out of memory");

	if (all->count == LAUNCH_SHARES)
		return fault_set(f, -EINVAL, "more than %u shares",
		                 LAUNCH_SHARES);
	err = split(what, path, &at, f);
	if (err < 0)
		return err;
	*s = (struct share){.fd = -1, .writable = writable};
	err = open_share(s, path, what, f);
	if (err < 0)
		return err;
	if (!at)
		memcpy(s->at, s->host, sizeof(s->at));
	else if (strlen(at) <= LAUNCH_PATH_MAX)
		memcpy(s->at, at, strlen(at) + 1);
	err = check_place(s, what, f);
	if (err == 0)
		err = check_twice(all, s, what, f);
	if (err < 0) {
		base_close(&s->fd);
		return err;
	}
	all->count++;
	return 0;
}

static int add_template(struct shares *s, const char *name, struct fault *f)
{
	uint32_t i = s->template_count;
	char path[32];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/%s", name);
	n = readlink(path, s->template_link[i], LAUNCH_LINK_MAX);
	s->template_link[i][n < 0 ? 0 : n] = '\0';
	s->template_name[i] = name;
	s->template_fd[i] = -1;
	if (n < 0) {
		fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return errno == ENOENT
			               ? 0
			               : fault_errno(f, "open %s", path);
		s->template_fd[i] = fd;
	}
	s->template_count++;
	return 0;
}

int share_template(struct shares *s, struct fault *f)
{
	for (size_t i = 0; i < ARRAY_LEN(template_names); i++) {
		int err = add_template(s, template_names[i], f);

		if (err < 0)
			return err;
	}
	return 0;
}

bool share_covers(const struct shares *s, const char *path,
                  char at[static LAUNCH_PATH_MAX + 1])
{
	for (uint32_t i = 0; i < s->count; i++) {
		const struct share *o = &s->share[i];
		size_t len = strlen(o->host);
		int n;

		if (o->file || strncmp(path, o->host, len) != 0 ||
		    (path[len] != '/' && path[len] != '\0'))
			continue;
		n = snprintf(at, LAUNCH_PATH_MAX + 1, "%s%s", o->at,
		             path + len);
		if (n > 0 && (size_t)n <= LAUNCH_PATH_MAX)
			return true;
	}
	return false;
}
