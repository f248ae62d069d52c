/* SPDX-License-Identifier: Apache-2.0 */
#include "cell/stub/replace.h"

#include <linux/fcntl.h>
#include <linux/mman.h>

#include "cell/stub/ask.h"
#include "cell/stub/x86_64/entry.h"
#include "cell/stub/x86_64/host.h"

#define STRING_MAX  0x20000u /* of one argument */
#define PATH_SIZE   4096u
#define STRINGS_MAX (0x200000u + 0x1000u) /* of all together */

/* Strings being packed one behind another. */
struct pack {
	uint8_t *at;
	uint64_t size;
	uint64_t room;
};

/*
 * -E2BIG where the strings are too many, -ENOBUFS where they are too many for
 * this room only.
 */
static long pack_string(struct pack *k, uint64_t addr, uint64_t max, long err)
{
	uint64_t room = MIN(k->room - k->size, max);
	long len = guard_string(k->at + k->size, (const void *)addr, room);

	if (len < 0)
		return len;
	if ((uint64_t)len == room)
		return room < max ? -ENOBUFS : err;
	k->size += (uint64_t)len + 1;
	return 0;
}

/* Packs a list of strings.  Returns their number or an errno. */
static long pack_list(struct pack *k, uint64_t list)
{
	uint64_t addr;
	long count = 0;
	long err;

	for (; list; list += sizeof(addr)) {
		if (guard_copy(&addr, (const void *)list, sizeof(addr)))
			return -EFAULT;
		if (!addr)
			break;
		err = pack_string(k, addr, STRING_MAX, -E2BIG);
		if (err < 0)
			return err;
		count++;
	}
	return count;
}

struct exec {
	uint64_t dir, path, argv, envp, flags;
};

static long pack_all(struct pack *k, const struct exec *x, long count[2])
{
	long err;

	err = pack_string(k, x->path, PATH_SIZE, -ENAMETOOLONG);
	if (err < 0)
		return err;
	count[0] = pack_list(k, x->argv);
	if (count[0] < 0)
		return count[0];
	if (count[0] == 0) {
		/* No program expects to have no name at all. */
		if (k->size == k->room)
			return -ENOBUFS;
		k->at[k->size++] = 0;
		count[0] = 1;
	}
	count[1] = pack_list(k, x->envp);
	return count[1] < 0 ? count[1] : 0;
}

static long ask_exec(struct area *a, const struct exec *x, const struct pack *k,
                     const long count[2])
{
	ask_prepare(a, OP_exec,
	            (const uint64_t[6]){x->dir, x->flags, (uint64_t)k->at,
	                                k->size, (uint64_t)count[0],
	                                (uint64_t)count[1]});
	if (k->at == area_window(a)) {
		atomic_store(&a->slot->stage[2].off, 0);
		atomic_store(&a->slot->stage[2].size, (uint32_t)k->size);
	}
	return ask_send(a);
}

static long replace(struct area *a, const struct exec *x)
{
	struct pack k = {.at = area_window(a), .room = CHANNEL_WINDOW};
	long count[2];
	long err, map;

	err = pack_all(&k, x, count);
	if (err == 0)
		return ask_exec(a, x, &k, count);
	if (err != -ENOBUFS)
		return err;

	/* Too much for the window: into memory the kernel can reach. */
	map = host(SYS_mmap, 0, STRINGS_MAX, PROT_READ | PROT_WRITE,
	           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map < 0)
		return -ENOMEM;
	k = (struct pack){.at = (uint8_t *)map, .room = STRINGS_MAX};
	err = pack_all(&k, x, count);
	if (err == 0)
		err = ask_exec(a, x, &k, count);
	host(SYS_munmap, map, STRINGS_MAX);
	return err == -ENOBUFS ? -E2BIG : err;
}

long replace_execve(struct area *a, const uint64_t arg[6])
{
	const struct exec x = {
		.dir = (uint64_t)AT_FDCWD,
		.path = arg[0],
		.argv = arg[1],
		.envp = arg[2],
	};

	return replace(a, &x);
}

long replace_execveat(struct area *a, const uint64_t arg[6])
{
	const struct exec x = {
		.dir = arg[0],
		.path = arg[1],
		.argv = arg[2],
		.envp = arg[3],
		.flags = arg[4],
	};

	return replace(a, &x);
}
