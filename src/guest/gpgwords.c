/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/gpgwords.h"

#include <string.h>

#include "base/visible.h"

enum need { NONE, KEY, WORD, ONE_OR_TWO, DASH };

/* What gpg is to do, as bits. */
enum command { STREAM = 1, VERIFY = 2, KEYS = 4 };

static const struct row {
	const char *name;
	char letter;
	enum need need;
	unsigned command;
} rows[] = {
#define GPG(name, letter, need, command) {name, letter, need, command},
#include "guest/gpgoptions.def"
};

static int refuse(struct fault *f, const char *what, const char *word)
{
	char shown[80];

	strncpy(shown, word, sizeof(shown) - 1);
	shown[sizeof(shown) - 1] = '\0';
	visible_line(shown);
	return fault_set(f, -EPERM, "%s: %s", what, shown);
}

static bool is_word(const char *s)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789-";

	return *s && *s != '-' && strspn(s, letters) == strlen(s);
}

static bool is_key(const char *s)
{
	if (!*s || *s == '-')
		return false;
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

static bool value_ok(enum need need, const char *value)
{
	switch (need) {
	case NONE:
		return false;
	case KEY:
		return is_key(value);
	case WORD:
		return is_word(value);
	case ONE_OR_TWO:
		return strcmp(value, "1") == 0 || strcmp(value, "2") == 0;
	case DASH:
		return strcmp(value, "-") == 0;
	}
	return false;
}

/* An option in its long form. */
static int add(struct gpgwords *w, const struct row *r, const char *value,
               struct fault *f)
{
	if (r->need == NONE ? value != NULL
	                    : !value || !value_ok(r->need, value))
		return refuse(f, "not a value that gpg may be given here",
		              value ? value : r->name);
	w->commands |= r->command;
	buffer_text(&w->text, "--");
	buffer_text(&w->text, r->name);
	if (value) {
		buffer_text(&w->text, "=");
		buffer_text(&w->text, value);
	}
	buffer_text0(&w->text, "");
	w->count++;
	return 0;
}

/* --name, --name=value or --name value; *at moves over a value. */
static int take_long(struct gpgwords *w, char *const **at, struct fault *f)
{
	const char *name = **at + 2;
	size_t len = strcspn(name, "=");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *value = name[len] ? name + len + 1 : NULL;

		if (strlen(rows[i].name) != len ||
		    strncmp(rows[i].name, name, len) != 0)
			continue;
		if (!value && rows[i].need != NONE && (*at)[1])
			value = *++*at;
		return add(w, &rows[i], value, f);
	}
	return refuse(f, "not an option that gpg may be given here", **at);
}

/* -abc, -uVALUE or -u VALUE. */
static int take_short(struct gpgwords *w, char *const **at, struct fault *f)
{
	const char *word = **at;
	int err = 0;

	for (const char *c = word + 1; *c && err == 0; c++) {
		const char *value = NULL;
		size_t i = 0;

		while (i < ARRAY_LEN(rows) && rows[i].letter != *c)
			i++;
		if (i == ARRAY_LEN(rows))
			return refuse(
				f, "not an option that gpg may be given here",
				word);
		if (rows[i].need != NONE)
			value = c[1] ? c + 1 : (*at)[1] ? *++*at : NULL;
		err = add(w, &rows[i], value, f);
		if (rows[i].need != NONE)
			break;
	}
	return err;
}

/* What is no option, as what gpg is to do allows it. */
static bool other_ok(const struct gpgwords *w, const char *word)
{
	switch (w->commands) {
	case STREAM:
		return w->others == 0 && strcmp(word, "-") == 0;
	case VERIFY:
		return w->others == 0 ||
		       (w->others == 1 && strcmp(word, "-") == 0);
	case KEYS:
		return is_key(word);
	default:
		return false;
	}
}

static int take_others(struct gpgwords *w, char *const *at, struct fault *f)
{
	if (w->commands != STREAM && w->commands != VERIFY &&
	    w->commands != KEYS)
		return fault_set(f, -EPERM,
		                 "gpg must be told one thing to do: to sign or "
		                 "encrypt, decrypt, verify, or list");
	w->verify = w->commands == VERIFY;
	buffer_text0(&w->text, "--");
	w->count++;
	for (; *at; at++, w->others++, w->count++) {
		if (!other_ok(w, *at))
			return refuse(f, "not what gpg may be given here", *at);
		buffer_text0(&w->text, *at);
	}
	if (w->verify && w->others != 2)
		return fault_set(f, -EPERM,
		                 "--verify wants a signature of its own, and "
		                 "\"-\" for what it signs");
	return 0;
}

int gpgwords_check(char *const words[], struct gpgwords *out, struct fault *f)
{
	char *const *at = words;
	int err = 0;

	*out = (struct gpgwords){.count = 0};
	for (; err == 0 && *at; at++) {
		if (strcmp(*at, "--") == 0) {
			at++;
			break;
		}
		if ((*at)[0] != '-' || !(*at)[1])
			break;
		err = (*at)[1] == '-' ? take_long(out, &at, f)
		                      : take_short(out, &at, f);
	}
	if (err == 0)
		err = take_others(out, at, f);
	if (err == 0 && out->text.bad)
		err = fault_set(f, -ENOMEM, "out of memory");
	return err;
}

void gpgwords_fini(struct gpgwords *w)
{
	buffer_fini(&w->text);
}
