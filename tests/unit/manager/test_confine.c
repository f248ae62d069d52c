/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manager and its workers in their jails: children enter one and try what they
 * may and may not do.
 */
#include "manager/confine.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/probe.h"
#include "cmocka_all.h"
#include "scratch.h"

#define UUID  "01234567-89ab-cdef-0123-456789abcdef"
#define OTHER "fedcba98-7654-3210-fedc-ba9876543210"

enum { WORKED, REFUSED, BROKE = 99 };

struct place {
	char top[64];
	struct manager m;
};

static int below(int folder, const char *name)
{
	assert_int_equal(mkdirat(folder, name, 0700), 0);
	return openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	char config[96];
	int top;

	assert_non_null(p);
	assert_int_equal(scratch_make(p->top), 0);
	(void)snprintf(config, sizeof(config), "%s/config", p->top);
	assert_int_equal(setenv("XDG_CONFIG_HOME", config, 1), 0);
	top = open(p->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p->m.data = below(top, "data");
	p->m.logs = below(top, "log");
	p->m.runtime = below(top, "run");
	p->m.volumes = below(p->m.data, "volumes");
	close(below(p->m.volumes, UUID));
	close(below(p->m.volumes, OTHER));
	p->m.life = -1;
	close(top);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	assert_int_equal(scratch_drop(p->top), 0);
	free(p);
	return 0;
}

/* ---- what is tried ---- */

static int tried(int got)
{
	autoclose int fd = got;

	return fd >= 0 ? WORKED : errno == EACCES ? REFUSED : BROKE;
}

static int write_data(const struct place *p)
{
	return tried(
		openat(p->m.data, "x", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
}

static int write_policy(const struct place *p)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/config/bento/policy.d/x.policy",
	               p->top);
	return tried(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
}

/* Where programs lie that are started for calls. */
static int write_beside_policy(const struct place *p)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/config/bento/policy-prompt",
	               p->top);
	return tried(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
}

static int write_outside(const struct place *p)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/x", p->top);
	return tried(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
}

static int read_outside(const struct place *p)
{
	(void)p;
	return tried(open("/proc/version", O_RDONLY | O_CLOEXEC));
}

static int write_own(const struct place *p)
{
	return tried(openat(p->m.volumes, UUID "/x",
	                    O_RDWR | O_CREAT | O_CLOEXEC, 0600));
}

static int write_other(const struct place *p)
{
	return tried(openat(p->m.volumes, OTHER "/x",
	                    O_RDWR | O_CREAT | O_CLOEXEC, 0600));
}

static int use_data(const struct place *p)
{
	return fcntl(p->m.data, F_GETFD) < 0 ? REFUSED : WORKED;
}

static int make_process(const struct place *p)
{
	(void)p;
	(void)!fork();
	return WORKED;
}

static int execute(const struct place *p)
{
	(void)p;
	(void)execl("/bin/true", "true", NULL);
	return WORKED;
}

static int make_socket(const struct place *p)
{
	(void)p;
	return tried(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int make_executable(const struct place *p)
{
	(void)p;
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

static int signal_parent(const struct place *p)
{
	(void)p;
	return kill(getppid(), 0);
}

static int trace(const struct place *p)
{
	(void)p;
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/* ---- who tries ---- */

static int be_manager(struct place *p, struct fault *f)
{
	return confine_manager(&p->m, f);
}

static int be_worker(struct place *p, struct fault *f)
{
	const struct chore w = {.kind = CHORE_clear, .uuid = UUID, .fd = -1};

	return confine_worker(&p->m, &w, -1, f);
}

static int be_importer(struct place *p, struct fault *f)
{
	const struct chore w = {.kind = CHORE_import, .uuid = UUID, .fd = -1};

	return confine_worker(&p->m, &w, -1, f);
}

#define KILLED (128 + SIGSYS)

static const struct {
	const char *what;
	int (*be)(struct place *p, struct fault *f);
	int (*attempt)(const struct place *p);
	int want;
	bool files; /* only with Landlock */
} tries[] = {
	{"the manager's own files", be_manager, write_data, WORKED, false},
	{"the user's policy", be_manager, write_policy, WORKED, false},
	{"programs beside it", be_manager, write_beside_policy, REFUSED, true},
	{"files outside", be_manager, write_outside, REFUSED, true},
	{"to read outside", be_manager, read_outside, REFUSED, true},
	{"fork", be_manager, make_process, KILLED, false},
	{"exec", be_manager, execute, KILLED, false},
	{"socket", be_manager, make_socket, KILLED, false},
	{"code", be_manager, make_executable, KILLED, false},
	{"kill", be_manager, signal_parent, KILLED, false},
	{"prctl", be_manager, trace, KILLED, false},
	{"a worker's volume", be_worker, write_own, WORKED, false},
	{"files outside volumes", be_worker, write_outside, REFUSED, true},
	{"descriptors a worker has", be_worker, use_data, REFUSED, false},
	{"exec of a worker", be_worker, execute, KILLED, false},
	{"socket of a worker", be_worker, make_socket, KILLED, false},
	{"the volume of an archive", be_importer, write_own, WORKED, false},
	{"another's", be_importer, write_other, REFUSED, true},
};

static int play(struct place *p, size_t i)
{
	struct fault f;
	int how = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    tries[i].be(p, &f) < 0)
			_exit(BROKE);
		_exit(tries[i].attempt(p));
	}
	assert_true(pid > 0);
	assert_true(waitpid(pid, &how, 0) == pid);
	return WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
}

static void holds(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
		int got;

		if (tries[i].files && probe_landlock() == 0)
			continue;
		got = play(*state, i);
		if (got != tries[i].want)
			fail_msg("%s: %d, not %d", tries[i].what, got,
			         tries[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(holds, setup, teardown),
	};

	(void)unsetenv("BENTO_SECCOMP");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
