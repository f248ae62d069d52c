/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/rootbase.h"

#include <fcntl.h>

#define NONE "base.none"

static bool has(int volume, const char *name)
{
	return faccessat(volume, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool rootbase_is_image(int volume)
{
	return has(volume, TPLSTORE_LINKED);
}

int rootbase_keep(int volume, const char *image, bool only_image,
                  struct fault *f)
{
	autoclose int fd = -1;
	struct tplstore s;
	int err = -ENOENT;

	if (rootbase_is_image(volume) || has(volume, NONE))
		return 0;
	if (*image) {
		err = tplstore_open(&s, f);
		if (err < 0)
			return err;
		err = tplstore_link(&s, image, volume, f);
		tplstore_close(&s);
	}
	if (err != -ENOENT || only_image)
		return err == -ENOENT ? 0 : err;
	fd = openat(volume, NONE, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
	            0600);
	return fd < 0 ? fault_errno(f, "note what a volume lies over") : 0;
}

int rootbase_open(int volume, struct tplmount *m, struct fault *f)
{
	return tplmount_open_linked(m, volume, f);
}
