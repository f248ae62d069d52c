/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_json.h"

#include <jansson.h>
#include <stdio.h>

#include "policy/policy_source.h"

#define QUBES_MAX   10000u
#define NAME_ROOM   128u
#define WANTED_ROOM 1024u
#define NAME_MOST   63u /* of a qube's name and UUID */

struct policy_world {
	json_t *root;
	struct policy_qube *qube;
	struct span *tags; /* of all qubes */
	struct policy_system system;
};

void policy_json_free(struct policy_world *w)
{
	if (!w)
		return;
	json_decref(w->root);
	free(w->qube);
	free(w->tags);
	free(w);
}

const struct policy_system *policy_json_system(const struct policy_world *w)
{
	return &w->system;
}

/* A string member, or null, or nothing: empty then.  False: something else. */
static bool text_of(const json_t *qube, const char *key, struct span *out)
{
	const json_t *v = json_object_get(qube, key);

	*out = (struct span){NULL, 0};
	if (!v || json_is_null(v))
		return true;
	if (!json_is_string(v))
		return false;
	*out = (struct span){(const uint8_t *)json_string_value(v),
	                     json_string_length(v)};
	return true;
}

static bool bool_of(const json_t *qube, const char *key, bool *out)
{
	const json_t *v = json_object_get(qube, key);

	*out = json_is_true(v);
	return !v || json_is_boolean(v);
}

/* Reads tags to where *at points, and moves it on. */
static bool tags_of(const json_t *qube, struct span **at, struct policy_qube *q)
{
	const json_t *list = json_object_get(qube, "tags");
	size_t count = json_array_size(list);

	if (list && !json_is_array(list))
		return false;
	q->tags = *at;
	for (size_t i = 0; i < count; i++) {
		const json_t *v = json_array_get(list, i);

		if (!json_is_string(v))
			return false;
		*(*at)++ = (struct span){(const uint8_t *)json_string_value(v),
		                         json_string_length(v)};
	}
	q->tag_count = count;
	return true;
}

static bool qube_of(const char *name, const json_t *v, struct span **tags,
                    struct policy_qube *q)
{
	struct span state;

	q->name = span_str(name);
	if (q->name.size == 0 || q->name.size > NAME_MOST)
		return false;
	if (!json_is_object(v) || !text_of(v, "type", &q->klass) ||
	    q->klass.size == 0 || !text_of(v, "uuid", &q->uuid) ||
	    q->uuid.size > NAME_MOST || !text_of(v, "icon", &q->label) ||
	    !text_of(v, "template", &q->template) ||
	    !text_of(v, "default_dispvm", &q->default_dispvm) ||
	    !text_of(v, "relayvm", &q->relayvm) ||
	    !text_of(v, "power_state", &state) ||
	    !bool_of(v, "internal", &q->internal) ||
	    !bool_of(v, "template_for_dispvms", &q->template_for_dispvms) ||
	    !tags_of(v, tags, q))
		return false;
	q->running = span_is(state, "Running");
	return true;
}

static size_t count_tags(json_t *domains)
{
	const char *name;
	json_t *v;
	size_t count = 0;

	json_object_foreach(domains, name, v)
		count += json_array_size(json_object_get(v, "tags"));
	return count;
}

static int fill(struct policy_world *w, json_t *domains, struct fault *f)
{
	struct span *tags;
	const char *name;
	json_t *v;

	w->qube = calloc(json_object_size(domains) + 1, sizeof(*w->qube));
	w->tags = calloc(count_tags(domains) + 1, sizeof(*w->tags));
	if (!w->qube || !w->tags)
		return fault_set(f, -ENOMEM, "out of memory");
	tags = w->tags;
	json_object_foreach(domains, name, v)
	{
		if (!qube_of(name, v, &tags, &w->qube[w->system.count]))
			return fault_set(f, -EINVAL,
			                 "the description of %.40s is wrong",
			                 name);
		w->system.count++;
	}
	w->system.qube = w->qube;
	if (policy_system_admin(&w->system) == POLICY_NOBODY)
		return fault_set(f, -EINVAL, "there is no AdminVM");
	return 0;
}

int policy_json_read(struct span text, struct policy_world **out,
                     struct fault *f)
{
	struct policy_world *w = calloc(1, sizeof(*w));
	json_error_t error;
	json_t *domains;
	int err;

	if (!w)
		return fault_set(f, -ENOMEM, "out of memory");
	w->root = json_loadb((const char *)text.at, text.size,
	                     JSON_REJECT_DUPLICATES, &error);
	domains = json_object_get(w->root, "domains");
	if (!w->root)
		err = fault_set(f, -EINVAL, "line %d: %s", error.line,
		                error.text);
	else if (!json_is_object(domains) ||
	         json_object_size(domains) > QUBES_MAX)
		err = fault_set(f, -EINVAL,
		                "no object \"domains\", or one "
		                "that is too large");
	else
		err = fill(w, domains, f);
	if (err < 0) {
		policy_json_free(w);
		return err;
	}
	*out = w;
	return 0;
}

static json_t *string_of(struct span s)
{
	return s.size > 0 ? json_stringn((const char *)s.at, s.size)
	                  : json_string("");
}

static json_t *tags_as_json(const struct policy_qube *q)
{
	json_t *list = json_array();

	for (size_t i = 0; i < q->tag_count; i++)
		if (json_array_append_new(list, string_of(q->tags[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *qube_as_json(const struct policy_qube *q)
{
	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:s}", "type",
		string_of(q->klass), "uuid", string_of(q->uuid), "icon",
		string_of(q->label), "template", string_of(q->template),
		"default_dispvm", string_of(q->default_dispvm), "relayvm",
		string_of(q->relayvm), "tags", tags_as_json(q), "internal",
		q->internal, "template_for_dispvms", q->template_for_dispvms,
		"power_state", q->running ? "Running" : "Halted");
}

/* Prints a value on one line and lets it go; NULL is no memory. */
static int print(json_t *root, struct buffer *to)
{
	char *text = json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII);

	json_decref(root);
	if (!text)
		return -ENOMEM;
	buffer_text(to, text);
	buffer_text(to, "\n");
	free(text);
	return to->bad ? -ENOMEM : 0;
}

int policy_json_write(const struct policy_system *s, struct buffer *to)
{
	json_t *domains = json_object();
	char name[NAME_ROOM];
	int err = 0;

	for (size_t i = 0; i < s->count && err == 0; i++) {
		const struct policy_qube *q = &s->qube[i];

		(void)snprintf(name, sizeof(name), "%.*s", (int)q->name.size,
		               (const char *)q->name.at);
		err = json_object_set_new(domains, name, qube_as_json(q));
	}
	if (err < 0) {
		json_decref(domains);
		return -ENOMEM;
	}
	return print(json_pack("{s:o}", "domains", domains), to);
}

/* Puts a qube's label into `icons`. */
static int add_icon(json_t *icons, const struct policy_qube *q)
{
	char name[NAME_ROOM];

	if (q->name.size >= sizeof(name))
		return -1;
	memcpy(name, q->name.at, q->name.size);
	name[q->name.size] = 0;
	return json_object_set_new(icons, name, string_of(q->label));
}

static int add_targets(const struct policy_system *s,
                       const struct policy_answer *a, json_t *targets,
                       json_t *icons)
{
	char name[NAME_ROOM];
	int err = add_icon(icons, &s->qube[a->source]);

	for (size_t i = 0; i < a->offer_count && err == 0; i++) {
		if (policy_system_write(s, a->offer[i], false, name,
		                        sizeof(name)) < 0)
			return -1;
		err = json_array_append_new(targets, json_string(name));
		if (err == 0)
			err = add_icon(icons, &s->qube[a->offer[i].qube]);
	}
	return err;
}

/* It may be any bytes; JSON has only text. */
static json_t *wanted_of(struct span s)
{
	char escaped[WANTED_ROOM];
	json_t *text = string_of(s);

	if (text)
		return text;
	policy_source_escape(s, escaped, sizeof(escaped));
	return json_string(escaped);
}

int policy_json_ask(const struct policy_system *s,
                    const struct policy_request *request,
                    const struct policy_answer *a, struct buffer *to)
{
	struct reader r = {.rest = request->service};
	json_t *targets = json_array();
	json_t *icons = json_object();
	char preset[NAME_ROOM] = "";
	struct span service;
	json_t *root = NULL;
	size_t size = 0;

	while (size < r.rest.size && r.rest.at[size] != '+')
		size++;
	service = rd_take(&r, size);
	if (targets && icons && add_targets(s, a, targets, icons) == 0 &&
	    (a->preset >= a->offer_count ||
	     policy_system_write(s, a->offer[a->preset], false, preset,
	                         sizeof(preset)) >= 0))
		root = json_pack("{s:o, s:o, s:o, s:o, s:O, s:s, s:O}",
		                 "source", string_of(s->qube[a->source].name),
		                 "service", string_of(service), "argument",
		                 r.rest.size ? string_of(r.rest)
		                             : json_string("+"),
		                 "requested_target", wanted_of(request->target),
		                 "targets", targets, "default_target", preset,
		                 "icons", icons);
	json_decref(targets);
	json_decref(icons);
	return print(root, to);
}
