/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bento-import: one job, then the end.  README.md says why it is a process.
 *
 *	bento-import write KIND...  inputs into an image, lowest first; KIND: tar,
 *	                            oci, overlay, an archive each; image, the
 *	                            three files of an image
 *	bento-import check          looks at an image as a whole
 *	bento-import host [ROOT]    the host's programs as an archive, to
 *	                            descriptor 1; not jailed, reads no stranger's
 *
 * Descriptors: 1 the socket for reports, 2 last words, 3 the .erofs file,
 * 4 the .data file, 5 the .tree file, from 6 on the inputs.
 */
#include <linux/close_range.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/hostcalls.h"
#include "base/sanitized.h"
#include "image/imgcheck.h"
#include "import/feed.h"
#include "import/host.h"
#include "import/imgfeed.h"

#define FD_REPORT 1
#define FD_MAIN   3
#define FD_DATA   4
#define FD_TREE   5
#define FD_INPUT  6

#define INPUTS_MAX 128
#define MEMORY_MAX (SANITIZED ? RLIM_INFINITY : (rlim_t)8 << 30)

#include "base/hostcalls_words.h"
static const struct hostcalls_row rows[] = {
#include "import/seccomp.def"
};

/* What an input can be. */
static const struct kind {
	const char *name;
	unsigned fds;        /* that it comes in */
	enum feed_kind kind; /* of an archive, which is one */
} kinds[] = {
	{"tar", 1, FEED_TAR},
	{"oci", 1, FEED_OCI},
	{"overlay", 1, FEED_OVERLAY},
	{"image", 3, FEED_TAR},
};

struct input {
	const struct kind *kind;
	int fd; /* the first */
};

/* Nothing is left but what we were given. */
static int confine(unsigned inputs, struct fault *f)
{
	static const struct rlimit none = {0, 0};
	static const struct rlimit memory = {MEMORY_MAX, MEMORY_MAX};
	int err;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return fault_errno(f, "give up privileges");
	if (syscall(SYS_close_range, FD_INPUT + inputs, ~0u, 0) < 0)
		return fault_errno(f, "close what is not ours");
	if (setrlimit(RLIMIT_CORE, &none) < 0 ||
	    setrlimit(RLIMIT_AS, &memory) < 0)
		return fault_errno(f, "set limits");
	err = hostcalls_enter(rows, ARRAY_LEN(rows));
	return err < 0 ? fault_set(f, err, "install the seccomp filter") : 0;
}

static void hashed(void *ctx, uint64_t done, uint64_t of)
{
	tell_progress(ctx, REPORT_HASHED, done, of);
}

static int take_input(struct imgwrite *w, struct tell *t,
                      const struct input *in, uint64_t *read, struct fault *f)
{
	const struct imgfeed_files files = {in->fd, in->fd + 1, in->fd + 2};

	return in->kind->fds == 1 ? feed(w, t, in->fd, in->kind->kind, read, f)
	                          : imgfeed(w, t, &files, read, f);
}

static int write_image(const struct input *in, unsigned count, struct tell *t,
                       struct fault *f)
{
	struct merkle_head head;
	struct imgwrite w;
	uint64_t read = 0;
	int err = imgwrite_init(&w, FD_MAIN, FD_DATA);

	if (err < 0)
		return fault_set(f, err, "out of memory");
	w.hashed = hashed;
	w.ctx = t;
	for (unsigned i = 0; i < count && err == 0; i++) {
		w.tree.layer = i;
		err = take_input(&w, t, &in[i], &read, f);
	}
	if (err == 0)
		err = imgwrite_finish(&w, FD_TREE, &head, f);
	imgwrite_fini(&w);
	return err;
}

static void damaged(void *ctx, const char *path, const char *what)
{
	tell_file(ctx, REPORT_DAMAGED, span_str(path), what);
}

static int check_image(struct tell *t, struct fault *f)
{
	const struct imgcheck_files files = {FD_MAIN, FD_DATA, FD_TREE};
	const struct imgcheck_told told = {t, damaged, hashed};
	struct merkle_head head;
	int err = merkle_read_head(FD_TREE, &head, f);

	return err < 0 ? err : imgcheck(&files, &head, &told, f);
}

static int run(int argc, char *argv[], struct tell *t, struct fault *f)
{
	struct input in[INPUTS_MAX];
	unsigned count = 0;
	unsigned fds = 0;
	bool check = argc == 2 && strcmp(argv[1], "check") == 0;
	int err;

	if (!check && (argc < 3 || strcmp(argv[1], "write") != 0 ||
	               argc - 2 > INPUTS_MAX))
		return fault_set(f, -EINVAL, "bento-import is for bento only");
	for (int i = 2; i < argc; i++) {
		size_t k = 0;

		while (k < ARRAY_LEN(kinds) &&
		       strcmp(kinds[k].name, argv[i]) != 0)
			k++;
		if (k == ARRAY_LEN(kinds))
			return fault_set(f, -EINVAL, "no such kind: %s",
			                 argv[i]);
		in[count++] = (struct input){&kinds[k], (int)(FD_INPUT + fds)};
		fds += kinds[k].fds;
	}
	err = confine(fds, f);
	if (err < 0)
		return err;
	return check ? check_image(t, f) : write_image(in, count, t, f);
}

int main(int argc, char *argv[])
{
	struct tell t = {.fd = FD_REPORT};
	struct fault f = {""};
	int err;

	/* Names of archives are bytes, and those of pax headers UTF-8. */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	if ((argc == 2 || argc == 3) && strcmp(argv[1], "host") == 0)
		return host_write(argc == 3 ? argv[2] : "/", STDOUT_FILENO) < 0
		               ? EXIT_FAILURE
		               : EXIT_SUCCESS;
	err = run(argc, argv, &t, &f);
	tell_end(&t, err, f.text);
	return err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
