/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/chore_tar.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "volume/revision.h"
#include "volume/tarball.h"

/* "BYTES\n" at the front of the archive. */
static int take_size(int fd, uint64_t *size, struct fault *f)
{
	char c = 0;

	*size = 0;
	while (read(fd, &c, 1) == 1 && c >= '0' && c <= '9')
		if (__builtin_mul_overflow(*size, 10u, size) ||
		    __builtin_add_overflow(*size, (uint64_t)(c - '0'), size))
			break;
	if (c != '\n' || *size == 0)
		return fault_set(f, -EINVAL, "the first line is no size");
	return 0;
}

static int with_live(int home, const struct chore *c,
                     int (*work)(struct volume *v, int fd, struct fault *f),
                     struct fault *f)
{
	autoclose int live = revision_live(home, f);
	struct volume *v;
	int err, closed;

	if (live < 0)
		return live;
	err = volume_open(live, keyring_bytes(&c->key), &v, f);
	if (err < 0)
		return err;
	err = work(v, c->fd, f);
	closed = volume_close(v);
	if (err == 0 && closed < 0)
		err = fault_set(f, closed, "close the volume");
	return err;
}

int chore_tar_import(int home, const struct chore *c, struct fault *f)
{
	const uint8_t *key = keyring_bytes(&c->key);
	struct volume_limits limits = {0};
	int err = 0;

	/* Blocking, whatever the connection was to the manager. */
	if (fcntl(c->fd, F_SETFL, 0) < 0)
		err = fault_errno(f, "read the archive");
	if (err == 0 && c->number)
		err = take_size(c->fd, &limits.bytes, f);
	if (err == 0)
		err = revision_clear(home, key, f);
	if (err == 0 && c->number)
		err = revision_resize(home, key, &limits, f);
	return err < 0 ? err : with_live(home, c, tarball_import, f);
}

int chore_tar_export(int home, const struct chore *c, struct fault *f)
{
	return with_live(home, c, tarball_export, f);
}
