/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/places.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/fs/etc_hidden.h"

#define DEEPEST 3u /* folders with something hidden below them */

static void add(struct places *p, int fd, unsigned what, bool owned)
{
	if (fd < 0)
		return;
	if (p->count == p->room) {
		size_t room = p->room ? p->room * 2 : 256;
		struct landlock_place *place = reallocarray(p->place, room,
		                                            sizeof(*place));

		if (!place) {
			if (owned)
				close(fd);
			return;
		}
		p->place = place;
		p->room = room;
	}
	p->place[p->count++] = (struct landlock_place){fd, what, owned};
}

void places_add(struct places *p, int fd, unsigned what)
{
	add(p, fd, what, false);
}

static void add_folder(struct places *p, int fd, const char *path,
                       unsigned depth);

/* One name below /etc, if everyone on the host may see it. */
static void add_entry(struct places *p, int dir, const char *name,
                      const char *path, unsigned depth)
{
	struct stat st;
	int fd;

	if (etc_hidden_path(path))
		return;
	fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	if (fstat(fd, &st) < 0 || !(st.st_mode & S_IROTH)) {
		close(fd);
	} else if (S_ISREG(st.st_mode)) {
		add(p, fd, LANDLOCK_READ | LANDLOCK_FILE, true);
	} else if (!S_ISDIR(st.st_mode)) {
		close(fd);
	} else if (etc_hidden_below(path) && depth < DEEPEST) {
		add_folder(p, fd, path, depth + 1);
		close(fd);
	} else {
		add(p, fd, LANDLOCK_READ, true);
	}
}

/* What is in it may be listed, and each thing has a rule of its own. */
static void add_folder(struct places *p, int fd, const char *path,
                       unsigned depth)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = again < 0 ? NULL : fdopendir(again);
	struct dirent *e;
	char below[512];

	if (!dir) {
		base_close(&again);
		return;
	}
	add(p, fcntl(fd, F_DUPFD_CLOEXEC, 0), LANDLOCK_LIST, true);
	while ((e = readdir(dir))) {
		int n = snprintf(below, sizeof(below), "%s%s%s", path,
		                 *path ? "/" : "", e->d_name);

		if (strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0 && n > 0 &&
		    (size_t)n < sizeof(below))
			add_entry(p, fd, e->d_name, below, depth);
	}
	(void)closedir(dir);
}

void places_add_template(struct places *p, const char *name, int fd)
{
	if (strcmp(name, "etc") == 0)
		add_folder(p, fd, "", 0);
	else
		places_add(p, fd, LANDLOCK_READ);
}

void places_fini(struct places *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->place[i].owned)
			close(p->place[i].fd);
	free(p->place);
	*p = (struct places){0};
}
