/* SPDX-License-Identifier: Apache-2.0 */
#include "supervise/cgroup.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cmocka_all.h"

/* Folders and files as a hierarchy has them, below a folder of ours. */
static void make_group(const char *top, const char *path, const char *controls)
{
	char name[256];
	FILE *f;

	(void)snprintf(name, sizeof(name), "%s%s", top, path);
	if (*path)
		assert_int_equal(mkdir(name, 0755), 0);
	(void)snprintf(name, sizeof(name), "%s%s/cgroup.procs", top, path);
	close(open(name, O_CREAT | O_WRONLY, 0644));
	(void)snprintf(name, sizeof(name), "%s%s/cgroup.subtree_control", top,
	               path);
	f = fopen(name, "w");
	assert_non_null(f);
	assert_true(fputs(controls, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void remove_tree(const char *top)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", top);
	assert_int_equal(system(command), 0);
}

/* Where it was found, below `top`; "-": nowhere. */
static const char *find(const char *top, const char *ours, uint32_t *limits)
{
	static char path[256];
	char link[64];
	autoclose int dir = cgroup_find(top, ours, limits);
	ssize_t n;

	if (dir < 0)
		return "-";
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
	n = readlink(link, path, sizeof(path) - 1);
	assert_true(n > 0);
	path[n] = '\0';
	return path + strlen(top);
}

static void it_goes_below_the_nearest_that_passes_limits_on(void **state)
{
	static const struct {
		const char *ours, *found;
		uint32_t limits;
	} rows[] = {
		/* Ours has processes in it, and so passes nothing on. */
		{"/user/app/me", "/user/app", CGROUP_MEMORY | CGROUP_PIDS},
		{"/user/app", "/user/app", CGROUP_MEMORY | CGROUP_PIDS},
		{"/user/bare", "/user", CGROUP_PIDS},
		{"/user", "/user", CGROUP_PIDS},
		/* None does: it limits nothing. */
		{"/plain/deep", "/plain/deep", 0},
		{"/", "", 0},
		/* Never above the mount, nor where nothing is. */
		{"/none", "", 0},
	};
	char top[] = "/tmp/bento-cgroup-XXXXXX";
	uint32_t limits;

	(void)state;
	assert_non_null(mkdtemp(top));
	make_group(top, "", "");
	make_group(top, "/user", "cpu pids\n");
	make_group(top, "/user/app", "cpu memory pids\n");
	make_group(top, "/user/app/me", "");
	make_group(top, "/user/bare", "xmemory memoryx\n");
	make_group(top, "/plain", "");
	make_group(top, "/plain/deep", "cpu\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *found = find(top, rows[i].ours, &limits);

		if (strcmp(found, rows[i].found) != 0 ||
		    limits != rows[i].limits)
			fail_msg("%s: %s, limits %u", rows[i].ours, found,
			         limits);
	}
	remove_tree(top);
}

static void what_is_not_ours_is_left_alone(void **state)
{
	char top[] = "/tmp/bento-cgroup-XXXXXX";
	char procs[64];
	uint32_t limits;

	(void)state;
	assert_non_null(mkdtemp(top));
	make_group(top, "", "memory pids\n");
	(void)snprintf(procs, sizeof(procs), "%s/cgroup.procs", top);
	assert_int_equal(unlink(procs), 0);
	assert_string_equal(find(top, "/", &limits), "-");
	remove_tree(top);
}

/* On the host's own hierarchy. */
static void what_is_left_in_it_goes_with_it(void **state)
{
	struct cgroup g;
	char text[32];
	int fd, how;
	pid_t pid;

	(void)state;
	cgroup_make(&g, 1 << 30, 100);
	if (g.parent < 0) {
		(void)puts("no cgroup v2 is delegated to us here");
		skip();
	}
	assert_int_equal(faccessat(g.parent, g.name, F_OK, 0), 0);
	pid = fork();
	if (pid == 0)
		for (;;)
			(void)pause();
	fd = openat(g.dir, "cgroup.procs", O_WRONLY);
	(void)snprintf(text, sizeof(text), "%d", (int)pid);
	assert_true(write(fd, text, strlen(text)) > 0);
	close(fd);
	if (g.kill < 0)
		(void)kill(pid, SIGKILL);
	fd = dup(g.parent);
	(void)snprintf(text, sizeof(text), "%s", g.name);
	cgroup_settle(&g);
	cgroup_end(&g);
	assert_int_equal(faccessat(fd, text, F_OK, 0), -1);
	close(fd);
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
	cgroup_end(&g); /* nothing */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			it_goes_below_the_nearest_that_passes_limits_on),
		cmocka_unit_test(what_is_not_ours_is_left_alone),
		cmocka_unit_test(what_is_left_in_it_goes_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
