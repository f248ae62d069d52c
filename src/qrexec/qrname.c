/* SPDX-License-Identifier: Apache-2.0 */
#include "qrexec/qrname.h"

#include "qrexec/qrmsg.h"

static bool plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

static bool made_of(struct span s, const char *others)
{
	for (size_t i = 0; i < s.size; i++)
		if (!plain(s.at[i]) &&
		    (s.at[i] == 0 || !strchr(others, s.at[i])))
			return false;
	return true;
}

bool qrname_service_ok(struct span s)
{
	return s.size > 0 && s.size <= QRMSG_NAME_MAX && s.at[0] != '+' &&
	       made_of(s, "+");
}

bool qrname_qube_ok(struct span s)
{
	return s.size < QRMSG_QUBE_SIZE && made_of(s, "@:");
}

bool qrname_ident_ok(struct span s)
{
	return s.size > 0 && s.size < QRMSG_IDENT_SIZE && made_of(s, " ");
}

void qrname_service_clean(char *name)
{
	for (; *name; name++)
		if (!plain((uint8_t)*name) && *name != '+')
			*name = '_';
}

bool qrname_padded(struct span field, struct span *out)
{
	const uint8_t *end = field.size ? memchr(field.at, 0, field.size)
	                                : NULL;
	size_t len = end ? (size_t)(end - field.at) : 0;

	if (!end)
		return false;
	for (size_t i = len; i < field.size; i++)
		if (field.at[i] != 0)
			return false;
	*out = (struct span){field.at, len};
	return true;
}

bool qrname_split(struct span full, struct span *name, struct span *argument)
{
	const uint8_t *plus = full.size ? memchr(full.at, '+', full.size)
	                                : NULL;
	size_t len = plus ? (size_t)(plus - full.at) : full.size;

	*name = (struct span){full.at, len};
	*argument = span_from(full, len + 1);
	return plus != NULL;
}
