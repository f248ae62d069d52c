/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the stub's table of what to stage for each system call, from
 * channel/syscalls.def.  Sizes and positions come from the compiler: each row
 * becomes a structure of its arguments, in which a length is found by name.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "channel/abi.h"

enum { NUM, IN_KIND = 1, OUT_KIND = 2, PATH_KIND = 4, ONE = 0xff };

struct arg {
	unsigned kind, count, unit;
};

#define ROWS 1024

static struct arg table[ROWS][6];
static unsigned rows;

static void note(unsigned nr, size_t at, unsigned kind, size_t count,
                 size_t unit)
{
	struct arg *a = &table[nr][at / sizeof(uint64_t)];

	a->kind = kind;
	a->count = count == ONE ? ONE : (unsigned)(count / sizeof(uint64_t));
	a->unit = (unsigned)unit;
}

/* The structures, for the positions of arguments. */
#define VAL(type, name)         uint64_t name;
#define FLAGS(name, mask)       uint64_t name;
#define IN(name, len)           uint64_t name;
#define OUT(name, len)          uint64_t name;
#define INS(name, type, count)  uint64_t name;
#define OUTS(name, type, count) uint64_t name;
#define IOS(name, type, count)  uint64_t name;
#define INREC(name, type)       uint64_t name;
#define OUTREC(name, type)      uint64_t name;
#define IOREC(name, type)       uint64_t name;
#define PATH(name)              uint64_t name;
#define ADDR(name)              uint64_t name;
#define NONE                    uint64_t none;
#define SYSCALL(nr, name, where, args) \
	struct row_##name {            \
		args                   \
	};
#include "channel/syscalls.def"

/* One function for each row, in which `row` is its structure. */
#define AT(name) offsetof(row, name)
#define VAL(type, name)
#define FLAGS(name, mask)
#define IN(name, len)  note(nr, AT(name), IN_KIND, AT(len), 1);
#define OUT(name, len) note(nr, AT(name), OUT_KIND, AT(len), 1);
#define INS(name, type, count) \
	note(nr, AT(name), IN_KIND, AT(count), sizeof(type));
#define OUTS(name, type, count) \
	note(nr, AT(name), OUT_KIND, AT(count), sizeof(type));
#define IOS(name, type, count) \
	note(nr, AT(name), IN_KIND | OUT_KIND, AT(count), sizeof(type));
#define INREC(name, type)  note(nr, AT(name), IN_KIND, ONE, sizeof(type));
#define OUTREC(name, type) note(nr, AT(name), OUT_KIND, ONE, sizeof(type));
#define IOREC(name, type) \
	note(nr, AT(name), IN_KIND | OUT_KIND, ONE, sizeof(type));
#define PATH(name) note(nr, AT(name), PATH_KIND, ONE, 1);
#define ADDR(name)
#define NONE
#define SYSCALL(number, name, where, args)                 \
	static void fill_##name(void)                      \
	{                                                  \
		typedef struct row_##name row;             \
		const unsigned nr = (number);              \
		(void)nr, (void)sizeof(row);               \
		args rows = nr + 1 > rows ? nr + 1 : rows; \
	}
#include "channel/syscalls.def"

#define SYSCALL(number, name, where, args) fill_##name();

int main(void)
{
#include "channel/syscalls.def"
	puts("#include \"cell/stub/marshal.h\"\n");
	puts("const struct marshal_row marshal_table[] = {");
	for (unsigned nr = 0; nr < rows; nr++) {
		printf("\t{{");
		for (unsigned i = 0; i < 6; i++)
			printf("{%u, %u, %u}, ", table[nr][i].kind,
			       table[nr][i].count, table[nr][i].unit);
		puts("}},");
	}
	printf("};\n\nconst uint32_t marshal_count = %u;\n", rows);
	return 0;
}
