/* SPDX-License-Identifier: Apache-2.0 */
#include "base/whole.h"

int whole_write(int fd, struct span bytes)
{
	while (bytes.size > 0) {
		ssize_t n = write(fd, bytes.at, bytes.size);

		if (n < 0 && errno != EINTR)
			return -errno;
		bytes = span_from(bytes, n > 0 ? (size_t)n : 0);
	}
	return 0;
}

int whole_pwrite(int fd, struct span bytes, uint64_t at)
{
	while (bytes.size > 0) {
		ssize_t n = pwrite(fd, bytes.at, bytes.size, (off_t)at);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			bytes = span_from(bytes, (size_t)n);
			at += (uint64_t)n;
		}
	}
	return 0;
}

ssize_t whole_read(int fd, void *to, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = read(fd, (uint8_t *)to + have, size - have);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		have += n > 0 ? (size_t)n : 0;
	}
	return (ssize_t)have;
}

ssize_t whole_pread(int fd, void *to, size_t size, uint64_t at)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = pread(fd, (uint8_t *)to + have, size - have,
		                  (off_t)(at + have));

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		have += n > 0 ? (size_t)n : 0;
	}
	return (ssize_t)have;
}
