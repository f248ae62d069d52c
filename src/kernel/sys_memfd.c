/* SPDX-License-Identifier: Apache-2.0 */
/* memfd_create(2). */
#include <linux/memfd.h>

#include "kernel/fs/fd.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/syscall.h"

#define NAME_ROOM 250 /* with its NUL: "memfd:" is put before it */

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#define MFD_EXEC        16u
#endif

#define MFD_KNOWN (MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC)

long sys_memfd_create(struct task *t, const struct args_memfd_create *a)
{
	char name[NAME_ROOM];
	struct file *f;
	long n;

	if (a->flags & ~(uint32_t)MFD_KNOWN)
		return -EINVAL;
	if ((a->flags & MFD_EXEC) && (a->flags & MFD_NOEXEC_SEAL))
		return -EINVAL;
	n = user_string(t, a->name, name, sizeof(name));
	if (n < 0)
		return n == -ENAMETOOLONG ? -EINVAL : n;
	n = tmpfs_memfd(t->kernel, name, a->flags, &f);
	return n < 0 ? n : fd_open(t, f, a->flags & MFD_CLOEXEC);
}
