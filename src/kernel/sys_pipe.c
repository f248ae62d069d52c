/* SPDX-License-Identifier: Apache-2.0 */
/* pipe(2). */
#include <linux/fcntl.h>

#include "kernel/fs/fd.h"
#include "kernel/fs/pipe.h"
#include "kernel/syscall.h"

static long make_pipe(struct task *t, uaddr_t ends, uint32_t flags)
{
	struct file *f[2];
	abi_fdpair pair;
	long err;

	if (flags & ~(uint32_t)(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	err = pipe_open(t, flags, f);
	if (err < 0)
		return err;
	err = fd_reserve(t, 0, 2, pair.fd);
	if (err < 0)
		goto put_files;
	err = user_write(t, ends, &pair, sizeof(pair));
	if (err < 0)
		goto release_fds;

	/* Nothing below can fail. */
	fd_install(t, pair.fd[0], f[0], flags & O_CLOEXEC);
	fd_install(t, pair.fd[1], f[1], flags & O_CLOEXEC);
	return 0;

release_fds:
	fd_release(t, 2, pair.fd);
put_files:
	file_put(f[0]);
	file_put(f[1]);
	return err;
}

long sys_pipe(struct task *t, const struct args_pipe *a)
{
	return make_pipe(t, a->ends, 0);
}

long sys_pipe2(struct task *t, const struct args_pipe2 *a)
{
	return make_pipe(t, a->ends, (uint32_t)a->flags);
}
