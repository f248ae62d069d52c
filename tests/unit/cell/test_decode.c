/* SPDX-License-Identifier: Apache-2.0 */
#include "cell/stub/x86_64/decode.h"

#include <string.h>

#include "cmocka_all.h"

/* Instructions as the assembler writes them, and how long they are. */
static const struct {
	const char *what;
	const char *code;
	size_t size;
	size_t want; /* 0: must be refused */
	bool ends;
} known[] = {
	{"cmp $-4096,%rax", "\x48\x3d\x00\xf0\xff\xff", 6, 6, false},
	{"cmp $-4096,%eax", "\x3d\x00\xf0\xff\xff", 5, 5, false},
	{"cmp $5,%ax", "\x66\x3d\x05\x00", 4, 4, false},
	{"mov %rax,%rdi", "\x48\x89\xc7", 3, 3, false},
	{"mov %eax,%ebx", "\x89\xc3", 2, 2, false},
	{"mov 8(%rsp),%rdx", "\x48\x8b\x54\x24\x08", 5, 5, false},
	{"mov 0x100(%rsp),%rdx", "\x48\x8b\x94\x24\x00\x01\x00\x00", 8, 8,
         false},
	{"mov (%rsp),%rax", "\x48\x8b\x04\x24", 4, 4, false},
	{"mov 0x10(,%rax,8),%rcx", "\x48\x8b\x0c\xc5\x10\x00\x00\x00", 8, 8,
         false},
	{"mov (%rdi),%rax", "\x48\x8b\x07", 3, 3, false},
	{"mov %r8,(%r13)", "\x4d\x89\x45\x00", 4, 4, false},
	{"mov $1,%eax", "\xb8\x01\x00\x00\x00", 5, 5, false},
	{"movabs", "\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08", 10, 10, false},
	{"mov $1,%ax", "\x66\xb8\x01\x00", 4, 4, false},
	{"mov $0,%rcx", "\x48\xc7\xc1\x00\x00\x00\x00", 7, 7, false},
	{"movl $1,(%rdi)", "\xc7\x07\x01\x00\x00\x00", 6, 6, false},
	{"movw $1,(%rdi)", "\x66\xc7\x07\x01\x00", 5, 5, false},
	{"movb $1,(%rdi)", "\xc6\x07\x01", 3, 3, false},
	{"test %eax,%eax", "\x85\xc0", 2, 2, false},
	{"test %rax,%rax", "\x48\x85\xc0", 3, 3, false},
	{"test $1,%al", "\xa8\x01", 2, 2, false},
	{"xor %edx,%edx", "\x31\xd2", 2, 2, false},
	{"add $8,%rsp", "\x48\x83\xc4\x08", 4, 4, false},
	{"sub $0x1000,%rsp", "\x48\x81\xec\x00\x10\x00\x00", 7, 7, false},
	{"lea 4(%rax),%rdx", "\x48\x8d\x50\x04", 4, 4, false},
	{"movslq %eax,%rdx", "\x48\x63\xd0", 3, 3, false},
	{"movzbl %al,%eax", "\x0f\xb6\xc0", 3, 3, false},
	{"cmovs %rdx,%rax", "\x48\x0f\x48\xc2", 4, 4, false},
	{"sete %al", "\x0f\x94\xc0", 3, 3, false},
	{"nopw 0(%rax,%rax)", "\x66\x0f\x1f\x44\x00\x00", 6, 6, false},
	{"push %rbp", "\x55", 1, 1, false},
	{"pop %r12", "\x41\x5c", 2, 2, false},
	{"leave", "\xc9", 1, 1, false},
	{"cltq", "\x48\x98", 2, 2, false},
	{"shl $4,%rax", "\x48\xc1\xe0\x04", 4, 4, false},
	{"imul $3,%eax,%eax", "\x6b\xc0\x03", 3, 3, false},
	{"ret", "\xc3", 1, 1, true},

	{"relative to rip", "\x48\x8b\x05\x10\x00\x00\x00", 7, 0, false},
	{"lea relative to rip", "\x48\x8d\x3d\x10\x00\x00\x00", 7, 0, false},
	{"jump", "\xeb\x10", 2, 0, false},
	{"branch", "\x77\x10", 2, 0, false},
	{"long branch", "\x0f\x87\x10\x00\x00\x00", 6, 0, false},
	{"call", "\xe8\x00\x00\x00\x00", 5, 0, false},
	{"syscall", "\x0f\x05", 2, 0, false},
	{"lock prefix", "\xf0\x0f\xb1\x17", 4, 0, false},
	{"repeat prefix", "\xf3\xa4", 2, 0, false},
	{"segment prefix", "\x64\x8b\x04\x25\x00\x00\x00\x00", 8, 0, false},
	{"vector prefix", "\xc5\xf8\x77", 3, 0, false},
	{"no such opcode", "\x06", 1, 0, false},
	{"indirect jump", "\xff\xe0", 2, 0, false},
	{"ends in the opcode", "\x48", 1, 0, false},
	{"ends in the operand", "\x48\x8b\x54\x24", 4, 0, false},
	{"ends in the immediate", "\x48\x3d\x00\xf0", 4, 0, false},
	{"nothing", "", 0, 0, false},
};

static void knows_lengths(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		uint8_t *code = malloc(known[i].size + 1);
		bool ends = true;
		size_t got;

		assert_non_null(code);
		/* At the end of its allocation: a byte too many is seen. */
		memcpy(code + 1, known[i].code, known[i].size);
		got = decode_length(code + 1, known[i].size, &ends);
		if (got != known[i].want || ends != known[i].ends)
			fail_msg("%s: got %zu", known[i].what, got);
		free(code);
	}
}

static void does_not_look_behind_the_instruction(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		uint8_t code[32];
		bool ends;

		if (known[i].want == 0)
			continue;
		memset(code, 0xcc, sizeof(code));
		memcpy(code, known[i].code, known[i].size);
		assert_int_equal(decode_length(code, sizeof(code), &ends),
		                 known[i].want);
		for (size_t room = 0; room < known[i].want; room++)
			assert_int_equal(decode_length(code, room, &ends), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_lengths),
		cmocka_unit_test(does_not_look_behind_the_instruction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
