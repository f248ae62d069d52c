/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever is received, nothing appears beside the folder it goes to, what was
 * there is as it was, what has a name is a file, a folder or a link that stays
 * inside, and the sender gets exactly one result, which agrees with ours.
 *
 * The first byte of the input chooses: 1 all names, 2 hidden names for files that
 * are being written.
 */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "filecopy/copyname.h"
#include "filecopy/copyrecv.h"
#include "filecopy/copywire.h"
#include "scratch.h"

#define BYTES_MAX  (1u << 20)
#define TARGET_MAX 2048u /* no input is longer */
#define PLACE      "/tmp/bento-fuzz-copy.XXXXXX"
#define DEPTH      (sizeof(PLACE) + sizeof("in"))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static int check_one(const char *path, const struct stat *st, int kind,
                     struct FTW *ftw)
{
	char target[TARGET_MAX];
	ssize_t n;

	(void)kind;
	if (ftw->level == 0)
		return 0;
	must(copyname_check(path + DEPTH, true) == 0);
	must(!strstr(path, ".bento-copy-"));
	must((st->st_mode & 07000) == 0 || S_ISLNK(st->st_mode));
	if (S_ISLNK(st->st_mode)) {
		n = readlink(path, target, sizeof(target) - 1);
		must(n > 0);
		target[n] = '\0';
		must(copyname_check_link(path + DEPTH, target, true) == 0);
	} else {
		must(S_ISREG(st->st_mode) || S_ISDIR(st->st_mode));
	}
	return 0;
}

static void check_result(int fd, int got)
{
	uint8_t wire[COPYWIRE_RESULT_SIZE + 4];
	struct reader len = {.rest = {wire + COPYWIRE_RESULT_SIZE, 4}};

	must(pread(fd, wire, sizeof(wire), 0) == sizeof(wire));
	must(copywire_get_result((struct span){wire, COPYWIRE_RESULT_SIZE})
	             .error == (uint32_t)-got);
	must(lseek(fd, 0, SEEK_END) ==
	     (off_t)sizeof(wire) + (off_t)rd_le32(&len));
}

static void receive(int around, const uint8_t *data, size_t size)
{
	autoclose int proc = open("/proc/self/fd", O_PATH | O_CLOEXEC);
	autoclose int in = memfd_create("in", MFD_CLOEXEC);
	autoclose int out = memfd_create("out", MFD_CLOEXEC);
	autoclose int folder = openat(around, "in", O_RDONLY | O_CLOEXEC);
	struct copyrecv_job job = {
		.in = in,
		.out = out,
		.folder = folder,
		.proc = data[0] & 2 ? -1 : proc,
		.all_names = data[0] & 1,
		.bytes_max = BYTES_MAX,
	};
	struct copyrecv_count count;
	struct fault f;

	must(proc >= 0 && folder >= 0);
	must(write(in, data + 1, size - 1) == (ssize_t)(size - 1));
	must(lseek(in, 0, SEEK_SET) == 0);
	check_result(out, copyrecv(&job, &count, &f));
	must(count.bytes <= BYTES_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[] = PLACE, in[sizeof(PLACE) + 3], was[4] = "";
	autoclose int around = -1;
	autoclose int old = -1;

	if (size == 0)
		return 0;
	must(mkdtemp(path) != NULL);
	around = open(path, O_RDONLY | O_CLOEXEC);
	must(around >= 0 && mkdirat(around, "in", 0700) == 0);
	must(symlinkat("..", around, "in/out") == 0);
	old = openat(around, "in/old", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	must(write(old, "old", 3) == 3);
	receive(around, data, size);

	must(pread(old, was, 4, 0) == 3 && memcmp(was, "old", 3) == 0);
	/* It would be refused if it were received: a link to above. */
	must(unlinkat(around, "in/out", 0) == 0);
	(void)snprintf(in, sizeof(in), "%s/in", path);
	(void)nftw(path, scratch_open, 16, FTW_PHYS);
	must(nftw(in, check_one, 16, FTW_PHYS) == 0);
	must(scratch_drop(in) == 0);
	/* Nothing but "in" was there. */
	must(rmdir(path) == 0);
	return 0;
}
