/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/paths.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* What the environment says, if it is an absolute path. */
static const char *from_environment(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] == '/' ? value : NULL;
}

static const char *home_folder(void)
{
	const char *home = from_environment("HOME");
	const struct passwd *pw;

	if (home)
		return home;
	pw = getpwuid(geteuid());
	return pw && pw->pw_dir[0] == '/' ? pw->pw_dir : NULL;
}

static int place_text(char out[PATHS_MAX], const char *base, const char *rest,
                      struct fault *f)
{
	int n = snprintf(out, PATHS_MAX, "%s%s", base, rest);

	if (n < 0 || (unsigned)n >= PATHS_MAX)
		return fault_set(f, -ENAMETOOLONG, "%s%s is too long a path",
		                 base, rest);
	return 0;
}

static int home_place(char out[PATHS_MAX], const char *variable,
                      const char *rest, struct fault *f)
{
	const char *base = from_environment(variable);

	if (base)
		return place_text(out, base, "/bento", f);
	base = home_folder();
	if (!base)
		return fault_set(f, -ENOENT,
		                 "neither HOME nor %s says where to keep "
		                 "things: set one of them",
		                 variable);
	return place_text(out, base, rest, f);
}

int paths_find(struct paths *out, struct fault *f)
{
	const char *run = from_environment("XDG_RUNTIME_DIR");
	struct paths p = {0};
	char own[32];
	int err;

	err = home_place(p.at[PATHS_DATA], "XDG_DATA_HOME",
	                 "/.local/share/bento", f);
	if (err < 0)
		return err;
	err = home_place(p.at[PATHS_STATE], "XDG_STATE_HOME",
	                 "/.local/state/bento", f);
	if (err < 0)
		return err;
	(void)snprintf(own, sizeof(own), "/tmp/bento-%u", geteuid());
	err = run ? place_text(p.at[PATHS_RUNTIME], run, "/bento", f)
	          : place_text(p.at[PATHS_RUNTIME], own, "", f);
	if (err < 0)
		return err;
	*out = p;
	return 0;
}

/* Is the open folder ours, and nobody else's to write? */
static int check_owner(int fd, const char *path, struct fault *f)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fault_errno(f, "look at %s", path);
	if (st.st_uid != geteuid())
		return fault_set(f, -EPERM, "%s belongs to user %u, not to you",
		                 path, st.st_uid);
	if (st.st_mode & 022)
		return fault_set(f, -EPERM,
		                 "others may write to %s: run chmod 700 on it",
		                 path);
	return 0;
}

static int open_checked(int folder, const char *name, const char *path,
                        struct fault *f)
{
	autoclose int fd = -1;
	int err;

	if (mkdirat(folder, name, 0700) < 0 && errno != EEXIST)
		return fault_errno(f, "make the folder %s", path);
	fd = openat(folder, name,
	            O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fault_errno(f, "open the folder %s", path);
	err = check_owner(fd, path, f);
	return err < 0 ? err : take_fd(&fd);
}

int paths_open_below(int folder, const char *name, struct fault *f)
{
	assert(!strchr(name, '/'));
	return open_checked(folder, name, name, f);
}

void paths_make(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		/* What cannot be made shows when we open what is below. */
		(void)mkdir(path, 0700);
		*slash = '/';
	}
	(void)mkdir(path, 0700);
}

int paths_open(const struct paths *p, enum paths_place place, struct fault *f)
{
	char path[PATHS_MAX];

	memcpy(path, p->at[place], sizeof(path));
	paths_make(path);
	return open_checked(AT_FDCWD, path, path, f);
}
