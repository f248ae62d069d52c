/* SPDX-License-Identifier: Apache-2.0 */
#include "template/tplsource.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/libexec.h"

#define SUITE_USUAL "stable"
#define SUITE_MAX   64u

int tplsource_add(struct tplsource *s, const char *kind, int fd,
                  struct fault *f)
{
	struct stat st;

	if (s->count == TPLIMPORT_INPUTS) {
		close(fd);
		return fault_set(f, -E2BIG, "more than %u archives",
		                 TPLIMPORT_INPUTS);
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		s->size += (uint64_t)st.st_size;
	s->kind[s->count] = kind;
	s->fd[s->count++] = fd;
	return 0;
}

int tplsource_add_image(struct tplsource *s, const struct tplstore_used *u,
                        struct fault *f)
{
	const int fd[] = {u->main_fd, u->data_fd, u->tree_fd};

	for (size_t i = 0; i < ARRAY_LEN(fd); i++) {
		int again = fd[i] < 0 ? open("/dev/null", O_RDONLY | O_CLOEXEC)
		                      : fcntl(fd[i], F_DUPFD_CLOEXEC, 0);
		int err = again < 0 ? fault_errno(f, "use an image")
		                    : tplsource_add(s, i ? NULL : "image",
		                                    again, f);

		if (err < 0)
			return err;
	}
	return 0;
}

int tplsource_start(struct tplsource *s, const char *name,
                    int (*write)(void *ctx, int fd), void *ctx, struct fault *f)
{
	pid_t parent = getpid();
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fault_errno(f, "make a pipe");
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
		_exit(getppid() == parent ? write(ctx, ends[1]) : 125);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return fault_set(f, -EAGAIN, "start a process for %s", name);
	}
	s->maker = pid;
	s->maker_name = name;
	return tplsource_add(s, "tar", ends[0], f);
}

/* What is behind an archive's end, which its writer may wait to be rid of. */
static void drain(int fd)
{
	char rest[1024];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode))
		return;
	do {
		n = read(fd, rest, sizeof(rest));
	} while (n > 0 || (n < 0 && errno == EINTR));
}

int tplsource_finish(struct tplsource *s, struct fault *f)
{
	int status;
	int err;

	for (uint32_t i = 0; i < s->count; i++)
		drain(s->fd[i]);
	err = tplqube_finish(s, f);
	if (err < 0 || s->maker == 0)
		return err;
	while (waitpid(s->maker, &status, 0) < 0)
		if (errno != EINTR)
			return fault_errno(f, "wait for %s", s->maker_name);
	s->maker = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return fault_set(f, -EIO, "%s did not succeed: see what it said above",
	                 s->maker_name);
}

void tplsource_close(struct tplsource *s)
{
	for (uint32_t i = 0; i < s->count; i++)
		base_close(&s->fd[i]);
	s->count = 0;
	if (s->maker > 0) {
		(void)kill(s->maker, SIGTERM);
		while (waitpid(s->maker, NULL, 0) < 0 && errno == EINTR)
			;
		s->maker = 0;
	}
}

/* ---- the kinds ---- */

/* By a program of ours: libarchive is none of bento's own business. */
static int run_host(void *ctx, int fd)
{
	static char name[] = "bento-import", what[] = "host";
	char *const argv[] = {name, what, NULL};
	struct fault f;
	int exe = libexec_open(name, &f);

	(void)ctx;
	if (exe >= 0 && dup2(fd, STDOUT_FILENO) >= 0)
		(void)syscall(SYS_execveat, exe, "", argv, environ,
		              AT_EMPTY_PATH);
	return 125;
}

int tplsource_add_host(struct tplsource *s, struct fault *f)
{
	return tplsource_start(s, "the copy of the host's files", run_host,
	                       NULL, f);
}

static int open_host(struct tplsource *s, const char *rest, struct fault *f)
{
	if (*rest)
		return fault_set(f, -EINVAL,
		                 "\"host\" takes nothing behind it");
	return tplsource_add_host(s, f);
}

static int open_tar(struct tplsource *s, const char *rest, struct fault *f)
{
	int fd = open(rest, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return fault_errno(f, "open the archive %s", rest);
	if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode)) {
		close(fd);
		return fault_set(f, -EISDIR, "%s is a folder: give a tar file",
		                 rest);
	}
	return tplsource_add(s, "tar", fd, f);
}

/* mmdebstrap writes a tar to its standard output. */
static int run_mmdebstrap(void *ctx, int fd)
{
	const char *suite = ctx;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(fd, STDOUT_FILENO) < 0)
		return 125;
	(void)execlp("mmdebstrap", "mmdebstrap", "--variant=minbase",
	             "--format=tar", "--quiet", suite, "-", (char *)NULL);
	(void)fprintf(stderr,
	              "mmdebstrap: %s: install the package mmdebstrap\n",
	              strerror(errno));
	return 127;
}

static bool suite_ok(const char *suite)
{
	size_t len = strlen(suite);

	return len > 0 && len <= SUITE_MAX && suite[0] != '-' &&
	       strspn(suite, "abcdefghijklmnopqrstuvwxyz0123456789-./") == len;
}

static int open_debian(struct tplsource *s, const char *rest, struct fault *f)
{
	const char *suite = *rest ? rest : SUITE_USUAL;

	if (!suite_ok(suite))
		return fault_set(f, -EINVAL, "no suite of Debian: %s", suite);
	return tplsource_start(s, "mmdebstrap", run_mmdebstrap,
	                       (void *)(uintptr_t)suite, f);
}

static const struct {
	const char *name;
	bool alone; /* may stand without a colon */
	int (*open)(struct tplsource *s, const char *rest, struct fault *f);
} kinds[] = {
	{"host", true, open_host},     {"debian", true, open_debian},
	{"tar", false, open_tar},      {"oci", false, tploci_open},
	{"qube", false, tplqube_open},
};

int tplsource_open(struct tplsource *s, const char *from, struct fault *f)
{
	size_t len = strcspn(from, ":");

	*s = (struct tplsource){0};
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		int err;

		if (strlen(kinds[i].name) != len ||
		    strncmp(kinds[i].name, from, len) != 0 ||
		    (!from[len] && !kinds[i].alone))
			continue;
		err = kinds[i].open(s, from + len + (from[len] == ':'), f);
		if (err < 0)
			tplsource_close(s);
		return err;
	}
	return fault_set(f, -EINVAL,
	                 "--from %s: give host, debian[:SUITE], tar:FILE, "
	                 "oci:DIR[:TAG] or qube:NAME",
	                 from);
}
