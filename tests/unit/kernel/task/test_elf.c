/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/elf.h"

#include <elf.h>

#include "cmocka_all.h"

static Elf64_Ehdr good_header(void)
{
	return (Elf64_Ehdr){
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB,
	                    EV_CURRENT},
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_phoff = 64,
		.e_phentsize = ELF_ENTRY_SIZE,
		.e_phnum = 3,
	};
}

/* From a copy that fills its allocation exactly. */
static int parse(const void *bytes, size_t size, struct elf *out)
{
	autofree uint8_t *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	if (size)
		memcpy(copy, bytes, size);
	return elf_header((struct span){copy, size}, out);
}

static void a_program_is_recognised(void **state)
{
	Elf64_Ehdr h = good_header();
	struct elf e;

	(void)state;
	assert_int_equal(parse(&h, sizeof(h), &e), 0);
	assert_int_equal(e.offset, 64);
	assert_int_equal(e.count, 3);
	h.e_type = ET_EXEC;
	assert_int_equal(parse(&h, sizeof(h), &e), 0);
}

static void every_cut_header_is_refused(void **state)
{
	Elf64_Ehdr h = good_header();
	struct elf e = {.offset = 77};

	(void)state;
	for (size_t size = 0; size < sizeof(h); size++)
		assert_int_equal(parse(&h, size, &e), -ENOEXEC);
	assert_int_equal(e.offset, 77);
}

static void damaged_headers_are_refused(void **state)
{
	static const struct {
		const char *why;
		size_t at;
		uint8_t byte;
	} table[] = {
		{"magic", 0, 0x7e},
		{"32 bits", EI_CLASS, ELFCLASS32},
		{"no class", EI_CLASS, 0},
		{"big-endian", EI_DATA, ELFDATA2MSB},
		{"relocatable", offsetof(Elf64_Ehdr, e_type), ET_REL},
		{"core file", offsetof(Elf64_Ehdr, e_type), ET_CORE},
		{"another machine", offsetof(Elf64_Ehdr, e_machine), EM_386},
		{"small entries", offsetof(Elf64_Ehdr, e_phentsize), 32},
		{"no entries", offsetof(Elf64_Ehdr, e_phnum), 0},
		{"too many", offsetof(Elf64_Ehdr, e_phnum) + 1, 0xff},
		{"offset wraps", offsetof(Elf64_Ehdr, e_phoff) + 7, 0xff},
		{"offset near the end", offsetof(Elf64_Ehdr, e_phoff) + 7,
	         0x80},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		Elf64_Ehdr h = good_header();
		struct elf e;

		((uint8_t *)&h)[table[i].at] = table[i].byte;
		if (parse(&h, sizeof(h), &e) != -ENOEXEC)
			fail_msg("%s", table[i].why);
	}
}

static int find(const Elf64_Phdr *p, size_t size, struct elf_interp *out)
{
	autofree uint8_t *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	if (size)
		memcpy(copy, p, size);
	return elf_find_interp((struct span){copy, size}, out);
}

static void the_first_interpreter_is_found(void **state)
{
	const Elf64_Phdr p[] = {
		{.p_type = PT_LOAD, .p_offset = 1, .p_filesz = 9},
		{.p_type = PT_INTERP, .p_offset = 792, .p_filesz = 28},
		{.p_type = PT_INTERP, .p_offset = 5, .p_filesz = 6},
	};
	struct elf_interp i;

	(void)state;
	assert_int_equal(find(p, sizeof(p), &i), 0);
	assert_int_equal(i.offset, 792);
	assert_int_equal(i.size, 28);
	assert_int_equal(find(p, sizeof(p[0]), &i), 0);
	assert_int_equal(i.size, 0);
}

static void interpreters_that_cannot_be_are_refused(void **state)
{
	static const struct {
		const char *why;
		uint64_t offset, size;
	} table[] = {
		{"no room for a name", 0, 1},
		{"longer than a path", 0, ELF_INTERP_MAX + 1},
		{"end wraps", UINT64_MAX, 16},
		{"end beyond any file", INT64_MAX, 16},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const Elf64_Phdr p = {.p_type = PT_INTERP,
		                      .p_offset = table[i].offset,
		                      .p_filesz = table[i].size};
		struct elf_interp got;

		if (find(&p, sizeof(p), &got) != -ENOEXEC)
			fail_msg("%s", table[i].why);
		assert_int_equal(find(&p, sizeof(p) - 1, &got), -ENOEXEC);
	}
}

static void the_name_ends_in_nul(void **state)
{
	(void)state;
	assert_int_equal(
		elf_check_interp((struct span){(const uint8_t *)"/l", 3}), 0);
	assert_int_equal(
		elf_check_interp((struct span){(const uint8_t *)"/l", 2}),
		-ENOEXEC);
	assert_int_equal(
		elf_check_interp((struct span){(const uint8_t *)"", 1}),
		-ENOEXEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_is_recognised),
		cmocka_unit_test(every_cut_header_is_refused),
		cmocka_unit_test(damaged_headers_are_refused),
		cmocka_unit_test(the_first_interpreter_is_found),
		cmocka_unit_test(interpreters_that_cannot_be_are_refused),
		cmocka_unit_test(the_name_ends_in_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
