/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/places.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/fs/etc_hidden.h"

static void add(struct places *p, int fd, unsigned what, bool owned)
{
	if (p->count == p->room) {
		size_t room = p->room ? p->room * 2 : 256;
		struct jail_place *place = reallocarray(p->place, room,
		                                        sizeof(*place));

		if (!place) {
			if (owned)
				close(fd);
			return;
		}
		p->place = place;
		p->room = room;
	}
	p->place[p->count++] = (struct jail_place){fd, what, owned};
}

void places_add(struct places *p, int fd, unsigned what)
{
	add(p, fd, what, false);
}

/* One name in /etc, if everyone on the host may see it. */
static void add_entry(struct places *p, int etc, const char *name)
{
	struct stat st;
	unsigned what = JAIL_READ;
	int fd;

	if (etc_hidden_path(name))
		return;
	fd = openat(etc, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	if (fstat(fd, &st) < 0 ||
	    (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode)) ||
	    !(st.st_mode & S_IROTH)) {
		close(fd);
		return;
	}
	if (S_ISREG(st.st_mode))
		what |= JAIL_FILE;
	add(p, fd, what, true);
}

static void add_etc(struct places *p, int fd)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = again < 0 ? NULL : fdopendir(again);
	struct dirent *e;

	/* What is in it may be listed, and each thing has its own rule. */
	places_add(p, fd, JAIL_LIST);
	if (!dir) {
		base_close(&again);
		return;
	}
	while ((e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			add_entry(p, fd, e->d_name);
	(void)closedir(dir);
}

void places_add_template(struct places *p, const char *name, int fd)
{
	if (strcmp(name, "etc") == 0)
		add_etc(p, fd);
	else
		places_add(p, fd, JAIL_READ);
}

void places_fini(struct places *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->place[i].owned)
			close(p->place[i].fd);
	free(p->place);
	*p = (struct places){0};
}
