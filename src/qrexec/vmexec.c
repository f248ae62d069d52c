/* SPDX-License-Identifier: Apache-2.0 */
#include "qrexec/vmexec.h"

static const char digits[] = "0123456789ABCDEF";

static bool plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '.' || c == '_';
}

static void encode_word(struct span word, struct buffer *to)
{
	for (size_t i = 0; i < word.size; i++) {
		uint8_t c = word.at[i];
		char hex[3] = {'-', digits[c >> 4], digits[c & 15]};

		if (plain(c))
			buffer_put(to, &c, 1);
		else if (c == '-')
			buffer_text(to, "--");
		else
			buffer_put(to, hex, sizeof(hex));
	}
}

void vmexec_encode(char *const words[], struct buffer *to)
{
	assert(words[0]);
	for (size_t i = 0; words[i]; i++) {
		if (i > 0)
			buffer_text(to, "+");
		encode_word(span_str(words[i]), to);
	}
}

/* The value of a digit, or -1. */
static int digit(uint8_t c)
{
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* What follows a '-': one byte, or -1. */
static int escaped(struct reader *r)
{
	uint8_t first = rd_u8(r);
	int high, low;

	if (r->bad)
		return -1;
	if (first == '-')
		return '-';
	high = digit(first);
	low = digit(rd_u8(r));
	if (high < 0 || low < 0 || (high | low) == 0)
		return -1;
	return high << 4 | low;
}

int vmexec_decode(struct span argument, struct buffer *to)
{
	struct reader r = {.rest = argument};
	int count = 1;

	while (r.rest.size > 0) {
		int c = rd_u8(&r);

		if (c == '-')
			c = escaped(&r);
		else if (c == '+')
			c = 0;
		else if (!plain((uint8_t)c))
			c = -1;
		if (c < 0)
			return -EPROTO;
		count += c == 0;
		buffer_put(to, &(uint8_t){(uint8_t)c}, 1);
	}
	buffer_put(to, "", 1);
	return to->bad ? -ENOMEM : count;
}
