/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host descriptors that the kernel handed to this cell: objects to map, and
 * leases to read and write regular files without asking.
 *
 * The kernel gives each object a key.  It says whether it sent the descriptor
 * with its answer, replacing what was under that key, or the cell has it still
 * from an earlier one.  Keys too large to remember are used once.
 *
 * A lease binds a guest descriptor to a key.  It is asked for at the second
 * pread64(2) of a descriptor, or when the kernel has lent us its position
 * (channel/place.h), and dropped before any call that may change what the
 * descriptor means.
 */
#pragma once

#include "cell/stub/area.h"

/* What is behind a guest descriptor: bytes of a descriptor of the host. */
struct leases_object {
	int32_t fd;
	bool temporary;      /* close it after use */
	bool part;           /* not all of it is the guest's file, only: */
	uint64_t from, size; /* `from` is a multiple of the page size */
};

/*
 * The object behind guest descriptor `fd`, for mapping it so.  0, an errno of
 * mmap(2), or -ENODATA if it is nothing but zeros.
 */
must_check long leases_object(struct area *a, int32_t fd, uint64_t prot,
                              uint64_t flags, struct leases_object *out);

/* The same for a shared memory segment; *size is its size. */
must_check long leases_segment(struct area *a, int32_t id, uint64_t flags,
                               bool *temporary, uint64_t *size);

/*
 * pread64(2) or pwrite64(2) by lease.  Returns true and sets *result, or false
 * if the kernel must do it.
 */
must_check bool leases_transfer(struct area *a, bool write,
                                const uint64_t arg[6], long *result);

/* The same for read(2) or write(2), and lseek(2), where the position is ours. */
must_check bool leases_move(struct area *a, bool write, const uint64_t arg[6],
                            long *result);
must_check bool leases_seek(const struct area *a, const uint64_t arg[6],
                            long *result);

/* Descriptors first..last change their meaning. */
void leases_drop(const struct area *a, uint32_t first, uint32_t last);
