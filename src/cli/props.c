/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/props.h"

#include <string.h>
#include <strings.h>

/* Takes "key=value " off the front of *at; or NULL. */
static char *take(char **at, const char *key)
{
	size_t len = strlen(key);
	char *value = *at + len;
	size_t end;

	if (strncmp(*at, key, len) != 0)
		return NULL;
	end = strcspn(value, " ");
	*at = value + end;
	if (**at)
		*(*at)++ = 0;
	return value;
}

/* "default=True type=TYPE VALUE" */
static bool read_rest(struct props_row *r, char *at)
{
	const char *is_default = take(&at, "default=");

	r->type = is_default ? take(&at, "type=") : NULL;
	r->is_default = is_default && strcmp(is_default, "True") == 0;
	r->value = at;
	return r->type != NULL;
}

void props_unescape(char *at)
{
	char *to = at;

	for (; *at; at++) {
		if (at[0] == '\\' && (at[1] == '\\' || at[1] == 'n'))
			*to++ = *++at == 'n' ? '\n' : '\\';
		else
			*to++ = *at;
	}
	*to = 0;
}

static int read_all(struct props *p, struct fault *f)
{
	char *rest = NULL;

	for (char *line = strtok_r(p->text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		struct props_row *r = &p->row[p->count];
		char *at = line + strcspn(line, " ");

		r->name = line;
		if (*at)
			*at++ = 0;
		if (!read_rest(r, at))
			return fault_set(f, -EPROTO,
			                 "the manager's answer makes no sense");
		props_unescape((char *)(uintptr_t)r->value);
		p->count++;
	}
	return 0;
}

int props_get(struct props *p, struct query *a, const char *target,
              struct fault *f)
{
	size_t lines = 1;
	int err;

	*p = (struct props){0};
	err = query(a,
	            target ? "admin.vm.property.GetAll"
	                   : "admin.property.GetAll",
	            NULL, target, f);
	if (err < 0)
		return err;
	p->text = strdup(query_text(a));
	for (const char *at = p->text; at && *at; at++)
		lines += *at == '\n';
	p->row = calloc(lines, sizeof(*p->row));
	if (!p->text || !p->row)
		return fault_set(f, -ENOMEM, "out of memory");
	return read_all(p, f);
}

void props_fini(struct props *p)
{
	free(p->row);
	free(p->text);
	*p = (struct props){0};
}

/* Is it this name, whichever dashes it is written with? */
static bool same(const char *name, const char *asked)
{
	for (; *name && *asked; name++, asked++)
		if (*name != (*asked == '-' ? '_' : *asked))
			return false;
	return *name == *asked;
}

const struct props_row *props_find(const struct props *p, const char *name)
{
	for (size_t i = 0; i < p->count; i++)
		if (same(p->row[i].name, name))
			return &p->row[i];
	return NULL;
}

int props_one(const struct query *a, struct props_row *out, struct fault *f)
{
	struct props_row r = {0};

	if (!read_rest(&r, (char *)(uintptr_t)query_text(a)))
		return fault_set(f, -EPROTO,
		                 "the manager's answer makes no sense");
	*out = r;
	return 0;
}

const char *props_shown(const struct props_row *r)
{
	return r->value[0] == 0 && strcmp(r->type, "vm") == 0 ? "None"
	                                                      : r->value;
}

const char *props_meant(const char *name, const char *value)
{
	static const char *const qubes[] = {
		"netvm",         "default_dispvm",   "template",
		"guivm",         "audiovm",          "management_dispvm",
		"default_netvm", "default_template", "clockvm",
		"updatevm",      "default_guivm",    "default_audiovm",
	};

	if (strcasecmp(value, "none") != 0)
		return value;
	for (size_t i = 0; i < ARRAY_LEN(qubes); i++)
		if (same(qubes[i], name))
			return "";
	return value;
}
