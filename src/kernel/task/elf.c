/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/elf.h"

#include <linux/elf-em.h>

#define CLASS_64  2
#define DATA_LE   1
#define TYPE_EXEC 2
#define TYPE_DYN  3
#define PT_INTERP 3

int elf_header(struct span head, struct elf *out)
{
	struct reader r = {.rest = head};
	struct span magic = rd_take(&r, 4);
	uint8_t class = rd_u8(&r);
	uint8_t data = rd_u8(&r);
	uint16_t type, machine, entry_size, count;
	uint64_t offset;

	(void)rd_take(&r, 10); /* version, ABI, padding */
	type = rd_le16(&r);
	machine = rd_le16(&r);
	(void)rd_take(&r, 4 + 8); /* version, entry */
	offset = rd_le64(&r);
	(void)rd_take(&r, 8 + 4 + 2); /* sections, flags, size of this */
	entry_size = rd_le16(&r);
	count = rd_le16(&r);
	(void)rd_take(&r, 2 + 2 + 2); /* sections */
	if (r.bad || !span_is(magic, "\177ELF"))
		return -ENOEXEC;
	if (class != CLASS_64 || data != DATA_LE || machine != EM_X86_64)
		return -ENOEXEC;
	if (type != TYPE_EXEC && type != TYPE_DYN)
		return -ENOEXEC;
	if (entry_size != ELF_ENTRY_SIZE || count == 0 ||
	    count > ELF_ENTRIES_MAX)
		return -ENOEXEC;
	if (offset > INT64_MAX - (uint64_t)count * ELF_ENTRY_SIZE)
		return -ENOEXEC;
	*out = (struct elf){offset, count};
	return 0;
}

int elf_find_interp(struct span entries, struct elf_interp *out)
{
	struct reader r = {.rest = entries};
	struct elf_interp got = {0};

	while (r.rest.size > 0) {
		struct reader e = {.rest = rd_take(&r, ELF_ENTRY_SIZE)};
		uint32_t type = rd_le32(&e);

		if (r.bad)
			return -ENOEXEC;
		if (type != PT_INTERP || got.size != 0)
			continue;
		(void)rd_le32(&e); /* flags */
		got.offset = rd_le64(&e);
		(void)rd_take(&e, 16); /* addresses */
		got.size = rd_le64(&e);
		if (got.size < 2 || got.size > ELF_INTERP_MAX ||
		    got.offset > INT64_MAX - got.size)
			return -ENOEXEC;
	}
	*out = got;
	return 0;
}

int elf_check_interp(struct span name)
{
	if (name.size < 2 || name.at[name.size - 1] != 0)
		return -ENOEXEC;
	return 0;
}
