/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_question.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "policy/policy_source.h"

#define NAME_ROOM  128u
#define SHOWN_ROOM 512u
#define DISPOSABLE "@dispvm:"

struct policy_question {
	json_t *root;
};

void policy_question_free(struct policy_question *q)
{
	if (!q)
		return;
	json_decref(q->root);
	free(q);
}

static struct span text_of(const json_t *v)
{
	if (!json_is_string(v))
		return (struct span){NULL, 0};
	return (struct span){(const uint8_t *)json_string_value(v),
	                     json_string_length(v)};
}

static struct span member(const struct policy_question *q, const char *key)
{
	return text_of(json_object_get(q->root, key));
}

static struct span target_of(const struct policy_question *q, size_t i)
{
	return text_of(json_array_get(json_object_get(q->root, "targets"), i));
}

static size_t target_count(const struct policy_question *q)
{
	return json_array_size(json_object_get(q->root, "targets"));
}

/* Number of the preset target, or how many there are. */
static size_t preset_of(const struct policy_question *q)
{
	struct span preset = member(q, "default_target");
	size_t i = 0;

	while (i < target_count(q) &&
	       (!preset.size || !span_eq(preset, target_of(q, i))))
		i++;
	return i;
}

bool policy_question_is_secret(const struct policy_question *q)
{
	return member(q, "passphrase").size > 0;
}

static bool complete(const struct policy_question *q)
{
	if (policy_question_is_secret(q))
		return member(q, "qube").size > 0;
	if (!member(q, "source").size || !member(q, "service").size ||
	    !json_is_object(json_object_get(q->root, "icons")))
		return false;
	for (size_t i = 0; i < target_count(q); i++)
		if (!target_of(q, i).size || target_of(q, i).size >= NAME_ROOM)
			return false;
	return true;
}

int policy_question_read(struct span text, struct policy_question **out,
                         struct fault *f)
{
	struct policy_question *q = calloc(1, sizeof(*q));
	json_error_t why;

	if (!q)
		return fault_set(f, -ENOMEM, "out of memory");
	q->root = json_loadb((const char *)text.at, text.size,
	                     JSON_REJECT_DUPLICATES, &why);
	if (!q->root || !complete(q)) {
		policy_question_free(q);
		return fault_set(f, -EINVAL, "this is not a question");
	}
	*out = q;
	return 0;
}

/* A field in front of what it says, harmless for a terminal. */
static void show(struct buffer *to, const char *field, struct span s)
{
	char text[SHOWN_ROOM];

	policy_source_escape(s, text, sizeof(text));
	buffer_printf(to, "%-10s %s%s\n", field, text,
	              s.size >= SHOWN_ROOM ? "..." : "");
}

/* The label of the qube that a name leads to. */
static void label_of(const struct policy_question *q, struct span name,
                     char to[NAME_ROOM])
{
	struct reader r = {.rest = name};
	const json_t *icons = json_object_get(q->root, "icons");
	char key[NAME_ROOM] = "";

	if (!span_is(rd_take(&r, strlen(DISPOSABLE)), DISPOSABLE))
		r.rest = name;
	memcpy(key, r.rest.at, MIN(r.rest.size, sizeof(key) - 1));
	policy_source_escape(text_of(json_object_get(icons, key)), to,
	                     NAME_ROOM);
}

static void show_secret(const struct policy_question *q, struct buffer *to)
{
	if (json_is_true(json_object_get(q->root, "wrong")))
		buffer_text(to, "\nThat was wrong.\n");
	buffer_text(to, "\nA qube is to start, and its volume is locked:\n");
	show(to, "qube", member(q, "qube"));
	show(to, "volume", member(q, "passphrase"));
	if (member(q, "source").size)
		show(to, "for call of", member(q, "source"));
	buffer_text(to, "Passphrase, or Enter to deny: ");
}

void policy_question_show(const struct policy_question *q, struct buffer *to)
{
	size_t preset = preset_of(q);
	char label[NAME_ROOM];

	if (policy_question_is_secret(q)) {
		show_secret(q, to);
		return;
	}
	label_of(q, member(q, "source"), label);
	buffer_text(to, "\nA qube asks to call another:\n");
	show(to, "from", member(q, "source"));
	buffer_printf(to, "%-10s %s\n", "label", label);
	show(to, "service", member(q, "service"));
	show(to, "argument", member(q, "argument"));
	show(to, "wanted", member(q, "requested_target"));
	buffer_text(to, "Where to?\n");
	for (size_t i = 0; i < target_count(q); i++) {
		char shown[NAME_ROOM];

		label_of(q, target_of(q, i), label);
		policy_source_escape(target_of(q, i), shown, sizeof(shown));
		buffer_printf(to, "  %2zu  %-24s %s%s\n", i + 1, shown, label,
		              i == preset ? "  (default)" : "");
	}
	buffer_text(to, preset < target_count(q)
	                        ? "Number, Enter for the default, or n to "
	                          "deny: "
	                        : "Number, or n to deny: ");
}

/* The number that a line chooses, from 0 on; or how many there are. */
static size_t chosen(const struct policy_question *q, struct span line)
{
	size_t n = 0;

	if (line.size == 0)
		return preset_of(q);
	for (size_t i = 0; i < line.size; i++) {
		if (line.at[i] < '0' || line.at[i] > '9' || i > 5)
			return target_count(q);
		n = 10 * n + (size_t)(line.at[i] - '0');
	}
	return n >= 1 ? n - 1 : target_count(q);
}

void policy_question_answer(const struct policy_question *q, struct span line,
                            char answer[POLICY_QUESTION_ANSWER])
{
	bool secret = policy_question_is_secret(q);
	size_t which = secret ? 0 : chosen(q, line);
	struct span name;

	(void)strcpy(answer, "deny");
	if (secret && line.size > 0 && line.size <= POLICY_QUESTION_LINE)
		(void)snprintf(answer, POLICY_QUESTION_ANSWER,
		               "passphrase:%.*s", (int)line.size,
		               (const char *)line.at);
	if (which >= target_count(q))
		return;
	name = target_of(q, which);
	(void)snprintf(answer, POLICY_QUESTION_ANSWER, "allow:%.*s",
	               (int)name.size, (const char *)name.at);
}
