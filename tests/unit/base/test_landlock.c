/* SPDX-License-Identifier: Apache-2.0 */
#include "base/landlock.h"
#include "cmocka_all.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

/* A folder with a file `kept`; what is tried is tried in it. */
struct place {
	char path[64];
	int fd;
};

static int setup(void **state)
{
	static struct place p;
	int fd;

	(void)snprintf(p.path, sizeof(p.path), "/tmp/landlock-XXXXXX");
	assert_non_null(mkdtemp(p.path));
	p.fd = open(p.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(p.fd >= 0);
	fd = openat(p.fd, "kept", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	*state = &p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	(void)unlinkat(p->fd, "kept", 0);
	(void)unlinkat(p->fd, "made", 0);
	(void)unlinkat(p->fd, "folder", AT_REMOVEDIR);
	close(p->fd);
	return rmdir(p->path);
}

static int result(int n)
{
	return n < 0 ? errno : 0;
}

static int read_kept(int folder)
{
	return result(openat(folder, "kept", O_RDONLY | O_CLOEXEC));
}

static int write_kept(int folder)
{
	return result(openat(folder, "kept", O_WRONLY | O_CLOEXEC));
}

static int remove_kept(int folder)
{
	return result(unlinkat(folder, "kept", 0));
}

static int make_file(int folder)
{
	return result(
		openat(folder, "made", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int make_folder(int folder)
{
	return result(mkdirat(folder, "folder", 0700));
}

static int make_socket(int folder)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "made"};
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (s < 0 || fchdir(folder) < 0)
		return -1;
	return result(bind(s, (const struct sockaddr *)&name, sizeof(name)));
}

static int read_outside(int folder)
{
	(void)folder;
	return result(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static const struct {
	int (*try)(int folder);
	const char *why;
	unsigned may; /* any of these allows it */
} tries[] = {
	{read_outside, "what is not in the plan is not there", 0},
	{read_kept, "read a file", LANDLOCK_READ},
	{write_kept, "write a file", LANDLOCK_WRITE},
	{make_file, "make a file", LANDLOCK_WRITE},
	{make_folder, "make a folder", LANDLOCK_WRITE},
	{make_socket, "make a socket", LANDLOCK_WRITE | LANDLOCK_SOCKETS},
	{remove_kept, "remove a name", LANDLOCK_WRITE | LANDLOCK_SOCKETS},
};

/* What a process with such a plan gets: 0 or an errno. */
static int tried(int (*try)(int folder), int folder, unsigned what)
{
	pid_t pid = fork();
	int how;

	if (pid == 0) {
		const struct landlock_place place = {folder, what, false};
		struct fault f;
		int plan = landlock_plan(&place, 1, LANDLOCK_NO_ABSTRACT, &f);

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || plan < 0 ||
		    landlock_enter(plan, &f) < 0)
			_exit(255);
		_exit(try(folder));
	}
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_true(WIFEXITED(how));
	return WEXITSTATUS(how);
}

static void a_plan_allows_what_it_says_and_no_more(void **state)
{
	static const unsigned whats[] = {LANDLOCK_LIST, LANDLOCK_READ,
	                                 LANDLOCK_SOCKETS, LANDLOCK_WRITE};
	struct fault f;
	int plan = landlock_plan(NULL, 0, 0, &f);

	if (plan == -EOPNOTSUPP)
		skip();
	assert_true(plan >= 0);
	close(plan);
	for (size_t w = 0; w < ARRAY_LEN(whats); w++) {
		assert_int_equal(setup(state), 0);
		for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
			struct place *p = *state;
			int got = tried(tries[i].try, p->fd, whats[w]);

			if ((got == 0) != ((tries[i].may & whats[w]) != 0))
				fail_msg("%s with %u: %s", tries[i].why,
				         whats[w], strerror(got));
			(void)unlinkat(p->fd, "made", 0);
		}
		assert_int_equal(teardown(state), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plan_allows_what_it_says_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
