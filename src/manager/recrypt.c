/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/recrypt.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "manager/disk.h"
#include "volume/revision.h"
#include "volume/tarball.h"

/* Reads one volume and writes the other, through a pipe. */
static int carry(struct volume *from, struct volume *to, struct fault *f)
{
	pid_t parent = getpid();
	struct fault why;
	int ends[2], status = 0, err;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fault_errno(f, "make a pipe");
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		close(ends[0]);
		_exit(getppid() == parent &&
		                      tarball_export(from, ends[1], &why) == 0
		              ? 0
		              : 1);
	}
	close(ends[1]);
	err = pid < 0 ? fault_set(f, -EAGAIN, "start a helper")
	              : tarball_import(to, ends[0], f);
	close(ends[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	/* A cut archive is an error of the import as well: one is enough. */
	if (err == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		err = fault_set(f, -EIO,
		                "the volume cannot be read as a whole");
	return err;
}

/* Fills the volume that was made in `made` from the one in `home`. */
static int fill(int home, int made, const struct keyring_box *b,
                enum header_lock how, struct fault *f)
{
	autoclose int old = revision_live(home, f);
	autoclose int new = revision_live(made, f);
	uint8_t key[HEADER_KEY];
	struct volume *from, *to = NULL;
	int err = old < 0 ? old : MIN(new, 0), closed;

	if (err < 0)
		return err;
	if (how != HEADER_OPEN)
		err = volume_unlock(new, keyring_secret(b), key, f);
	if (err == 0)
		err = volume_open(new, how == HEADER_OPEN ? NULL : key, &to, f);
	explicit_bzero(key, sizeof(key));
	if (err < 0)
		return err;
	err = volume_open(old, keyring_bytes(&b->key), &from, f);
	if (err < 0) {
		volume_abandon(to);
		return err;
	}
	err = carry(from, to, f);
	(void)volume_close(from);
	closed = volume_close(to);
	if (err == 0 && closed < 0)
		err = fault_set(f, closed, "close the volume");
	return err == 0 ? revision_take_base(old, new, f) : err;
}

/* An empty one with the same limits. */
static int make_like(int home, int made, const struct keyring_box *b,
                     enum header_lock how, struct fault *f)
{
	autoclose int live = revision_live(home, f);
	struct volume_limits limits;
	struct volume *v = NULL;
	int err = live < 0 ? live
	                   : volume_open(live, keyring_bytes(&b->key), &v, f);

	if (err < 0)
		return err;
	limits = (struct volume_limits){v->sums.max_bytes, v->sums.max_inodes};
	(void)volume_close(v);
	return revision_init(made, &limits, how, keyring_secret(b), f);
}

int recrypt_volume(const struct manager *m, const char *uuid,
                   const char *volume, enum header_lock how,
                   const struct keyring_box *box, struct fault *f)
{
	autoclose int home = disk_open(m, uuid, volume, f);
	autoclose int made = -1;
	int err;

	if (home < 0)
		return home;
	made = disk_beside(m, uuid, volume, f);
	if (made < 0)
		return made;
	err = make_like(home, made, box, how, f);
	if (err == 0)
		err = fill(home, made, box, how, f);
	return err < 0 ? err : disk_exchange(m, uuid, volume, f);
}

int recrypt_lock(const struct manager *m, const char *uuid, const char *volume,
                 enum header_lock how, const struct keyring_box *box,
                 struct fault *f)
{
	char committed[32];
	autoclose int home = disk_open(m, uuid, volume, f);
	autoclose int other = -1;
	struct fault ignored;
	int err;

	if (home < 0)
		return home;
	err = revision_relock(home, box->key.at, how, keyring_secret(box), f);
	if (err < 0)
		return err;
	/* What others have snapshots of; perhaps there is none. */
	(void)snprintf(committed, sizeof(committed), "%s.committed", volume);
	other = disk_open(m, uuid, committed, &ignored);
	return other < 0 ? 0
	                 : revision_relock(other, box->key.at, how,
	                                   keyring_secret(box), f);
}
