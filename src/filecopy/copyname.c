/* SPDX-License-Identifier: Apache-2.0 */
#include "filecopy/copyname.h"

#include "base/span.h"

static const struct {
	uint32_t first;
	uint32_t last;
} hidden[] = {
#define HIDDEN(first, last, what) {first, last},
#include "filecopy/copyname.def"
};

static bool is_hidden(uint32_t c)
{
	for (size_t i = 0; i < ARRAY_LEN(hidden) && c >= hidden[i].first; i++)
		if (c <= hidden[i].last)
			return true;
	return c > 0x10ffff;
}

/* One character behind the first byte `lead`; UINT32_MAX if it is none. */
static uint32_t character(struct reader *r, uint8_t lead)
{
	static const struct {
		uint8_t mask, is;
		uint8_t more;
		uint32_t least; /* less would have been shorter */
	} forms[] = {
		{0xe0, 0xc0, 1, 0x80},
		{0xf0, 0xe0, 2, 0x800},
		{0xf8, 0xf0, 3, 0x10000},
	};

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		uint32_t c = lead & (uint8_t)~forms[i].mask;

		if ((lead & forms[i].mask) != forms[i].is)
			continue;
		for (unsigned n = 0; n < forms[i].more; n++) {
			uint8_t b = rd_u8(r);

			if ((b & 0xc0) != 0x80)
				return UINT32_MAX;
			c = c << 6 | (b & 0x3f);
		}
		return c < forms[i].least ? UINT32_MAX : c;
	}
	return UINT32_MAX;
}

static int check_characters(const char *text)
{
	struct reader r = {.rest = span_str(text)};

	while (r.rest.size > 0) {
		uint8_t lead = rd_u8(&r);

		if (lead < 0x20 || lead == 0x7f)
			return -EILSEQ;
		if (lead >= 0x80 && is_hidden(character(&r, lead)))
			return -EILSEQ;
	}
	return 0;
}

/* Components that all are names: how many; or -EINVAL. */
static int count_components(const char *path)
{
	int count = 0;

	for (;;) {
		size_t len = strcspn(path, "/");

		if (len == 0 || (len == 1 && path[0] == '.') ||
		    (len == 2 && path[0] == '.' && path[1] == '.'))
			return -EINVAL;
		count++;
		if (!path[len])
			return count;
		path += len + 1;
	}
}

int copyname_check(const char *name, bool all_names)
{
	int count = count_components(name);

	if (count < 0)
		return count;
	return all_names ? 0 : check_characters(name);
}

int copyname_check_link(const char *name, const char *target, bool all_names)
{
	int depth = count_components(name);
	int up = 0;

	if (depth < 2)
		return -ENOLINK;
	while (strncmp(target, "../", 3) == 0) {
		target += 3;
		up++;
	}
	if (strcmp(target, "..") == 0)
		up++;
	else if (count_components(target) < 0)
		return -ENOLINK;
	if (up > depth - 2)
		return -ENOLINK;
	return all_names ? 0 : check_characters(target);
}
