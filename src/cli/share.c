/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/share.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* Places inside that are the qube's own. */
static const char *const reserved[] = {"/", "/proc", "/sys", "/dev"};

void share_init(struct shares *s)
{
	s->count = 0;
}

void share_fini(struct shares *s)
{
	for (uint32_t i = 0; i < s->count; i++)
		base_close(&s->share[i].fd);
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

	if (all->count == SHARE_MAX)
		return fault_set(f, -EINVAL, "more than %u shares", SHARE_MAX);
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

int share_mount(const struct shares *s, struct start *to, struct fault *f)
{
	int err = 0;

	for (uint32_t i = 0; i < s->count && err == 0; i++) {
		const struct share *o = &s->share[i];
		struct launch_mount m = {
			.kind = LAUNCH_SHARE,
			.flags = (uint8_t)((o->writable ? LAUNCH_MOUNT_WRITABLE
		                                        : 0) |
		                           (o->file ? LAUNCH_MOUNT_FILE : 0)),
			.fds = 1,
			.at = span_str(o->at),
		};

		err = start_mount(to, &m, &o->fd, f);
	}
	return err;
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
