/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as layers of archives: what is accepted becomes an image without
 * fault.  The first byte says what hides what; the rest is taken twice.
 */
#include <string.h>
#include <sys/mman.h>

#include "image/imgcheck.h"
#include "import/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void damaged(void *ctx, const char *path, const char *what)
{
	(void)ctx, (void)path, (void)what;
	abort();
}

static int layers(struct imgwrite *w, int fd, enum feed_kind kind)
{
	struct tell t = {.fd = -1};
	struct fault f;
	uint64_t read = 0;
	int err = 0;

	for (w->tree.layer = 0; w->tree.layer < 2 && err == 0;
	     w->tree.layer++) {
		(void)lseek(fd, 0, SEEK_SET);
		err = feed(w, &t, fd, kind, &read, &f);
	}
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct imgcheck_told told = {NULL, damaged, NULL};
	autoclose int archive = memfd_create("archive", MFD_CLOEXEC);
	autoclose int main_fd = memfd_create("main", MFD_CLOEXEC);
	autoclose int data_fd = memfd_create("data", MFD_CLOEXEC);
	autoclose int tree_fd = memfd_create("tree", MFD_CLOEXEC);
	const struct imgcheck_files files = {main_fd, data_fd, tree_fd};
	struct merkle_head head;
	struct imgwrite w;
	struct fault f;

	if (size < 1 || write(archive, data + 1, size - 1) < 0)
		return 0;
	if (imgwrite_init(&w, main_fd, data_fd) < 0)
		abort();
	w.max_blocks = 4096;
	if (layers(&w, archive, (enum feed_kind)(data[0] % 3)) == 0 &&
	    imgwrite_finish(&w, tree_fd, &head, &f) == 0 &&
	    imgcheck(&files, &head, &told, &f) < 0)
		abort();
	imgwrite_fini(&w);
	return 0;
}
