/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bento-receive: receives one copy, then ends.  README.md says why it is a
 * process.
 *
 *	bento-receive [all-names]
 *
 * Descriptors: 0 from the qube, 1 to it, 2 last words, 3 the folder, 4 the
 * socket for reports.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/hostcalls.h"
#include "base/landlock.h"
#include "base/sanitized.h"
#include "channel/report.h"
#include "filecopy/copyrecv.h"

#define FD_FOLDER 3
#define FD_REPORT 4
#define FD_PROC   5
#define EVERY_MS  100u

#define MEMORY_MAX (SANITIZED ? RLIM_INFINITY : (rlim_t)256 << 20)

#include "base/hostcalls_words.h"
static const struct hostcalls_row rows[] = {
#include "receive/seccomp.def"
};

/* The folder becomes the root: what is outside has no path any more. */
static int root_folder(struct fault *f)
{
	if (unshare(CLONE_NEWUSER) < 0 || fchdir(FD_FOLDER) < 0 ||
	    chroot(".") < 0)
		return fault_set(f, -ENOTSUP,
		                 "this host has neither Landlock nor user "
		                 "namespaces: a qube's bytes could reach your "
		                 "other files");
	return 0;
}

/* Only the folder is left, to read and make files in; nothing to execute. */
static int hold_files(struct fault *f)
{
	static const struct landlock_place folder = {
		.fd = FD_FOLDER,
		.what = LANDLOCK_READ | LANDLOCK_WRITE,
	};
	autoclose int plan = landlock_plan(
		&folder, 1, LANDLOCK_NO_ABSTRACT | LANDLOCK_NO_SIGNALS, f);

	if (plan == -EOPNOTSUPP)
		return root_folder(f);
	return plan < 0 ? plan : landlock_enter(plan, f);
}

static int confine(struct fault *f)
{
	static const struct rlimit none = {0, 0};
	static const struct rlimit memory = {MEMORY_MAX, MEMORY_MAX};
	int err;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fault_errno(f, "give up privileges");
	err = hold_files(f);
	if (err < 0)
		return err;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    setrlimit(RLIMIT_CORE, &none) < 0 ||
	    setrlimit(RLIMIT_AS, &memory) < 0)
		return fault_errno(f, "set limits");
	err = hostcalls_enter(rows, ARRAY_LEN(rows));
	return err < 0 ? fault_set(f, err, "install the seccomp filter") : 0;
}

static void tell(const struct report *r)
{
	autofree uint8_t *bytes = malloc(REPORT_SIZE_MAX);
	size_t size = bytes ? report_format(r, bytes) : 0;

	/* If nobody listens any more there is nobody to tell. */
	(void)!send(FD_REPORT, bytes, size, MSG_NOSIGNAL);
}

static void progress(void *ctx, const struct copyrecv_count *c)
{
	const struct report r = {
		.kind = REPORT_READ,
		.done = c->bytes,
		.of = c->files,
	};
	uint64_t *last_ms = ctx;
	struct timespec t;
	uint64_t now;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	now = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
	if (now - *last_ms < EVERY_MS)
		return;
	*last_ms = now;
	tell(&r);
}

int main(int argc, char *argv[])
{
	uint64_t last_ms = 0;
	struct copyrecv_job job = {
		.in = STDIN_FILENO,
		.out = STDOUT_FILENO,
		.folder = FD_FOLDER,
		.proc = FD_PROC,
		.all_names = argc > 1 && strcmp(argv[1], "all-names") == 0,
		.sync = true,
		.progress = progress,
		.ctx = &last_ms,
	};
	struct copyrecv_count count = {0, 0};
	struct report end = {.kind = REPORT_DONE};
	struct fault f = {""};
	int proc, err;

	(void)signal(SIGPIPE, SIG_IGN);
	proc = open("/proc/self/fd", O_PATH | O_CLOEXEC);
	if (proc < 0 || (proc != FD_PROC && dup2(proc, FD_PROC) < 0))
		job.proc = -1;
	if (syscall(SYS_close_range, FD_PROC + 1, ~0u, 0) < 0) {
		err = fault_errno(&f, "close what is not ours");
	} else {
		err = confine(&f);
		if (err == 0)
			err = copyrecv(&job, &count, &f);
	}
	if (err < 0) {
		end.kind = REPORT_FAILED;
		end.error = (uint32_t)-err;
		end.text = span_str(f.text);
	}
	end.done = count.bytes;
	end.of = count.files;
	tell(&end);
	return err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
