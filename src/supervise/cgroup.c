/* SPDX-License-Identifier: Apache-2.0 */
#include "supervise/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define PREFIX "bento-" /* and the number of its maker's process */

/* Our own tasks beside the guest's, and what accounts leave out or see late. */
#define MORE_TASKS     64u
#define MORE_MEMORY    ((uint64_t)64 << 20)
#define MEMORY_PART    8u /* an eighth more */
#define PATIENCE_MS    100
#define PATIENCE_TURNS 50

/* The first bytes of a small file, as a string; false if there is none. */
static bool slurp(int dir, const char *name, char *to, size_t room)
{
	autoclose int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, to, room - 1);

	if (n < 0)
		return false;
	to[n] = '\0';
	return true;
}

static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = text; (at = strstr(at, word)); at += len)
		if ((at == text || at[-1] == ' ') &&
		    (at[len] == '\0' || at[len] == ' ' || at[len] == '\n'))
			return true;
	return false;
}

static uint32_t limits_of(int dir)
{
	char text[256];

	if (!slurp(dir, "cgroup.subtree_control", text, sizeof(text)))
		return 0;
	return (has_word(text, "memory") ? CGROUP_MEMORY : 0) |
	       (has_word(text, "pids") ? CGROUP_PIDS : 0);
}

static bool is_ours(int dir)
{
	return faccessat(dir, ".", W_OK, AT_EACCESS) == 0 &&
	       faccessat(dir, "cgroup.procs", W_OK, AT_EACCESS) == 0;
}

int cgroup_find(const char *mount, const char *ours, uint32_t *limits)
{
	autoclose int best = -1;
	autoclose int at = -1;
	char path[2048];
	size_t len;

	if (snprintf(path, sizeof(path), "%s%s", mount, ours) >=
	    (int)sizeof(path))
		return -1;
	*limits = 0;
	for (len = strlen(path); len >= strlen(mount); len--) {
		uint32_t found;

		if (path[len] != '/' && path[len] != '\0')
			continue;
		path[len] = '\0';
		base_close(&at);
		at = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (at < 0 || !is_ours(at))
			continue;
		found = limits_of(at);
		if (found) {
			*limits = found;
			return take_fd(&at);
		}
		if (best < 0)
			best = take_fd(&at);
	}
	return take_fd(&best);
}

/* Where the host shows the hierarchy; NULL: nowhere we know of. */
static const char *find_mount(void)
{
	static const char *const places[] = {"/sys/fs/cgroup",
	                                     "/sys/fs/cgroup/unified"};
	struct statfs st;

	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (statfs(places[i], &st) == 0 &&
		    st.f_type == CGROUP2_SUPER_MAGIC)
			return places[i];
	return NULL;
}

static int find(uint32_t *limits)
{
	const char *mount = find_mount();
	char text[2048], *line, *rest = NULL;

	if (!mount || !slurp(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text)))
		return -1;
	for (line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		if (strncmp(line, "0::/", 4) == 0)
			return cgroup_find(mount, line + 3, limits);
	return -1;
}

int cgroup_probe(void)
{
	uint32_t limits;
	autoclose int dir = find(&limits);

	return dir < 0 ? -1 : (int)limits;
}

static bool write_number(int dir, const char *name, uint64_t number)
{
	autoclose int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && dprintf(fd, "%llu", (unsigned long long)number) > 0;
}

static void forget(struct cgroup *g)
{
	base_close(&g->parent);
	base_close(&g->dir);
	base_close(&g->kill);
	base_close(&g->events);
	*g = (struct cgroup)CGROUP_NONE;
}

/* A limit the host does not take is one that is not there. */
static void set_limits(const struct cgroup *g, uint32_t limits, uint64_t memory,
                       uint32_t tasks)
{
	uint64_t most;

	if (limits & CGROUP_MEMORY &&
	    !__builtin_add_overflow(memory, memory / MEMORY_PART + MORE_MEMORY,
	                            &most)) {
		(void)write_number(g->dir, "memory.max", most);
		/* What is swapped out is in none of the kernel's accounts. */
		(void)write_number(g->dir, "memory.swap.max", most);
	}
	if (limits & CGROUP_PIDS)
		(void)write_number(g->dir, "pids.max",
		                   (uint64_t)tasks + MORE_TASKS);
}

void cgroup_make(struct cgroup *g, uint64_t memory, uint32_t tasks)
{
	uint32_t limits;

	*g = (struct cgroup)CGROUP_NONE;
	g->parent = find(&limits);
	if (g->parent < 0)
		return;
	(void)snprintf(g->name, sizeof(g->name), PREFIX "%d", (int)getpid());
	/* One of this name is left over from a process that has gone. */
	if (mkdirat(g->parent, g->name, 0755) < 0 &&
	    (errno != EEXIST ||
	     unlinkat(g->parent, g->name, AT_REMOVEDIR) < 0 ||
	     mkdirat(g->parent, g->name, 0755) < 0)) {
		forget(g);
		return;
	}
	g->dir = openat(g->parent, g->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g->events = openat(g->dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
	g->kill = openat(g->dir, "cgroup.kill", O_WRONLY | O_CLOEXEC);
	if (g->dir < 0 || g->events < 0) {
		cgroup_end(g);
		return;
	}
	set_limits(g, limits, memory, tasks);
}

void cgroup_settle(struct cgroup *g)
{
	base_close(&g->dir);
	g->dir = -1;
}

void cgroup_end(struct cgroup *g)
{
	struct pollfd p = {.fd = g->events, .events = POLLPRI};
	char text[64];

	if (g->parent < 0)
		return;
	for (int turn = 0; turn < PATIENCE_TURNS; turn++) {
		if (unlinkat(g->parent, g->name, AT_REMOVEDIR) == 0 ||
		    errno != EBUSY)
			break;
		if (g->kill >= 0)
			(void)!write(g->kill, "1", 1);
		/* Told when the last one has ended; reading asks for that. */
		if (pread(g->events, text, sizeof(text) - 1, 0) > 0)
			(void)poll(&p, 1, PATIENCE_MS);
	}
	forget(g);
}

/* Has whoever made it gone? */
static bool is_left(const char *name)
{
	long pid;

	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
		return false;
	pid = strtol(name + strlen(PREFIX), NULL, 10);
	return pid > 0 && kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

/* Its kernel has ended with its maker; some of its guests may have not. */
static void remove_left(int parent, const char *name)
{
	struct cgroup g = CGROUP_NONE;
	autoclose int dir = openat(parent, name,
	                           O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return;
	(void)snprintf(g.name, sizeof(g.name), "%.31s", name);
	g.parent = fcntl(parent, F_DUPFD_CLOEXEC, 0);
	g.events = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
	g.kill = openat(dir, "cgroup.kill", O_WRONLY | O_CLOEXEC);
	cgroup_end(&g);
}

void cgroup_sweep(void)
{
	uint32_t limits;
	int fd = find(&limits);
	const struct dirent *e;
	DIR *d;

	if (fd < 0)
		return;
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return;
	}
	while ((e = readdir(d)))
		if (is_left(e->d_name))
			remove_left(fd, e->d_name);
	(void)closedir(d);
}
