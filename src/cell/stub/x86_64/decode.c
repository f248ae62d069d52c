/* SPDX-License-Identifier: Apache-2.0 */
#include "cell/stub/x86_64/decode.h"

enum shape {
	UNKNOWN,
	PLAIN,   /* the opcode alone */
	IMM8,    /* then one byte */
	IMM32,   /* then four, or two with an operand-size prefix */
	IMM_REG, /* mov to a register: eight bytes with REX.W */
	MODRM,   /* then a ModRM operand */
	MODRM8,  /* and one byte */
	MODRM32, /* and four */
	RETURN,  /* ends */
};

static enum shape one_byte(uint8_t op)
{
	/* add, or, adc, sbb, and, sub, xor, cmp: eight opcodes each */
	if (op < 0x40 && (op & 7) < 4)
		return MODRM;
	if (op < 0x40 && (op & 7) == 4)
		return IMM8;
	if (op < 0x40 && (op & 7) == 5)
		return IMM32;
	if (op >= 0x50 && op <= 0x5f) /* push, pop */
		return PLAIN;
	if (op >= 0x84 && op <= 0x8b) /* test, xchg, mov */
		return MODRM;
	if (op >= 0xb8 && op <= 0xbf)
		return IMM_REG;
	switch (op) {
	case 0x63: /* movslq */
	case 0x8d: /* lea */
	case 0xd1: /* shifts by one */
	case 0xd3: /* shifts by cl */
		return MODRM;
	case 0x80: /* arithmetic with imm8 */
	case 0x83:
	case 0xc1: /* shifts */
	case 0xc6: /* mov imm8 */
	case 0x6b: /* imul imm8 */
		return MODRM8;
	case 0x81: /* arithmetic with imm32 */
	case 0xc7: /* mov imm32 */
	case 0x69: /* imul imm32 */
		return MODRM32;
	case 0x90: /* nop */
	case 0x98: /* cltq */
	case 0x99: /* cqto */
	case 0xc9: /* leave */
		return PLAIN;
	case 0xa8: /* test al */
		return IMM8;
	case 0xa9: /* test eax */
		return IMM32;
	case 0xc3:
		return RETURN;
	default:
		return UNKNOWN;
	}
}

static enum shape two_byte(uint8_t op)
{
	if (op >= 0x40 && op <= 0x4f) /* cmov */
		return MODRM;
	if (op >= 0x90 && op <= 0x9f) /* setcc */
		return MODRM;
	switch (op) {
	case 0x1f: /* nop */
	case 0xaf: /* imul */
	case 0xb6: /* movzx */
	case 0xb7:
	case 0xbe: /* movsx */
	case 0xbf:
		return MODRM;
	default:
		return UNKNOWN;
	}
}

/* The size of a ModRM operand at at[0], or 0 if it is relative to rip. */
static size_t operand_size(const uint8_t *at, size_t room)
{
	uint8_t mod = at[0] >> 6;
	uint8_t rm = at[0] & 7;
	size_t size = 1;

	if (mod == 3)
		return size;
	if (mod == 0 && rm == 5)
		return 0;
	if (rm == 4) {
		if (room < 2)
			return 0;
		size++;
		if (mod == 0 && (at[1] & 7) == 5)
			size += 4;
	}
	return size + (mod == 1 ? 1 : mod == 2 ? 4 : 0);
}

/* Immediate bytes behind what has been read. */
static size_t immediate(enum shape shape, bool wide, bool narrow)
{
	switch (shape) {
	case IMM8:
	case MODRM8:
		return 1;
	case IMM32:
	case MODRM32:
		return narrow ? 2 : 4;
	case IMM_REG:
		return wide ? 8 : narrow ? 2 : 4;
	case UNKNOWN:
	case PLAIN:
	case MODRM:
	case RETURN:
	default:
		return 0;
	}
}

size_t decode_length(const uint8_t *code, size_t room, bool *ends)
{
	bool narrow = false, wide = false;
	enum shape shape;
	size_t at = 0;

	*ends = false;
	while (at < room && code[at] == 0x66 && at < 4) {
		narrow = true;
		at++;
	}
	if (at < room && (code[at] & 0xf0) == 0x40) {
		wide = code[at] & 8;
		at++;
	}
	if (at >= room)
		return 0;
	if (code[at] == 0x0f) {
		if (++at >= room)
			return 0;
		shape = two_byte(code[at++]);
	} else {
		shape = one_byte(code[at++]);
	}
	if (shape == UNKNOWN)
		return 0;
	if (shape == MODRM || shape == MODRM8 || shape == MODRM32) {
		size_t size = at < room ? operand_size(code + at, room - at)
		                        : 0;

		if (size == 0)
			return 0;
		at += size;
	}
	at += immediate(shape, wide, narrow);
	*ends = shape == RETURN;
	return at <= room ? at : 0;
}
