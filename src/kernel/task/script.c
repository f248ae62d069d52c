/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/script.h"

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* Up to the first of: newline, NUL, the end. */
static struct span first_line(struct span s, bool *ended)
{
	size_t n = 0;

	while (n < s.size && s.at[n] != '\n' && s.at[n] != 0)
		n++;
	*ended = n < s.size || s.size < SCRIPT_HEAD - 2;
	return (struct span){s.at, n};
}

static struct span trim(struct span s)
{
	while (s.size > 0 && is_blank(s.at[0]))
		s = span_from(s, 1);
	while (s.size > 0 && is_blank(s.at[s.size - 1]))
		s.size--;
	return s;
}

int script_parse(struct span head, struct script *out)
{
	struct span line, arg;
	size_t n = 0;
	bool ended;

	if (head.size < 2 || head.at[0] != '#' || head.at[1] != '!')
		return -ENOENT;
	line = first_line(span_from(head, 2), &ended);
	/* A cut argument is harmless; a cut interpreter is another program. */
	while (line.size > 0 && is_blank(line.at[0]))
		line = span_from(line, 1);
	while (n < line.size && !is_blank(line.at[n]))
		n++;
	if (n == 0 || (n == line.size && !ended))
		return -ENOEXEC;
	arg = trim(span_from(line, n));
	*out = (struct script){{line.at, n}, arg};
	return 0;
}
