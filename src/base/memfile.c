/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memfile.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int memfile_make(const char *name, struct span bytes)
{
	autoclose int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = pwrite(fd, bytes.at, bytes.size, 0);
	if (n < 0)
		return -errno;
	if ((size_t)n != bytes.size)
		return -ENOSPC;
	if (fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return -errno;
	return take_fd(&fd);
}

int memfile_read(int fd, size_t max, uint8_t **bytes, size_t *size)
{
	autofree uint8_t *copy = NULL;
	struct stat st;
	int seals;

	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || (seals & SEALS) != SEALS)
		return -EPROTO;
	if (fstat(fd, &st) < 0 || st.st_size <= 0 || (uint64_t)st.st_size > max)
		return -EPROTO;
	copy = malloc((size_t)st.st_size);
	if (!copy)
		return -ENOMEM;
	if (pread(fd, copy, (size_t)st.st_size, 0) != st.st_size)
		return -EPROTO;
	*size = (size_t)st.st_size;
	*bytes = take_ptr(&copy);
	return 0;
}
