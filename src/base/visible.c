/* SPDX-License-Identifier: Apache-2.0 */
#include "base/visible.h"

#include <string.h>

void visible_filter(void *bytes, size_t size)
{
	unsigned char *at = bytes;

	for (size_t i = 0; i < size; i++)
		if ((at[i] < ' ' || at[i] > '~') &&
		    (at[i] == 0 || !strchr("\t\n\r\b\a", at[i])))
			at[i] = '_';
}

void visible_line(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '_';
}
