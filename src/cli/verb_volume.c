/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento volume`, qvm-volume: what qubes keep their files in.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/json.h"
#include "cli/roster.h"
#include "cli/secret.h"
#include "cli/table.h"
#include "cli/transfer.h"
#include "cli/verbs.h"

#define NAME_LEN 63u

struct volume_options {
	const char *pool;
	const char *size;
	const char *key_file;
	const char *new_key_file;
	bool full, json, force, no_resize;
};

static const struct option_row rows[] = {
#define TEXT(...) OPTIONS_TEXT(struct volume_options, __VA_ARGS__)
#define FLAG(...) OPTIONS_FLAG(struct volume_options, __VA_ARGS__)
#include "cli/volume.def"
};

/* One command, and the words behind what is to be done. */
struct act {
	const struct volume_options *o;
	struct frame_call *call;
	struct query *query;
	struct fault *fault;
	char **words;
	uint32_t count;
	char qube[NAME_LEN + 1]; /* of words[0], "QUBE:VOLUME" */
	char volume[NAME_LEN + 1];
};

static int split(struct act *a)
{
	const char *text = a->words[0];
	size_t len = strcspn(text, ":");

	if (strncmp(text, "uuid:", 5) == 0)
		len = 5 + strcspn(text + 5, ":");
	if (!text[len] || len > NAME_LEN || strlen(text + len + 1) > NAME_LEN)
		return frame_usage(a->call,
		                   "what is \"%s\"? a volume is QUBE:VOLUME, "
		                   "such as work:private",
		                   text);
	(void)snprintf(a->qube, sizeof(a->qube), "%.*s", (int)len, text);
	(void)snprintf(a->volume, sizeof(a->volume), "%s", text + len + 1);
	return 0;
}

static int ask(struct act *a, const char *method, const char *payload)
{
	const struct client_call call = {
		.method = method,
		.argument = a->volume,
		.target = a->qube,
		.payload = span_str(payload ? payload : ""),
	};
	int err = a->volume[0] ? 0 : split(a);

	return err < 0 ? err : query_with(a->query, &call, a->fault);
}

/* The value of the line KEY=VALUE of an answer, cut to fit; or "". */
static void value_of(const char *text, const char *key, char out[static 256])
{
	size_t len = strlen(key);

	out[0] = 0;
	for (const char *at = text; *at;) {
		size_t line = strcspn(at, "\n");

		if (line > len && strncmp(at, key, len) == 0 && at[len] == '=')
			(void)snprintf(out, 256, "%.*s",
			               (int)MIN(line - len - 1, 255),
			               at + len + 1);
		at += line + (at[line] == '\n');
	}
}

/* A row of `list` for the volume whose Info is the last answer. */
static int add_row(struct act *a, struct table *t)
{
	static const char *const more[] = {"size", "usage"};
	char pool[256], vid[256], value[256], place[520];
	int err;

	value_of(query_text(a->query), "pool", pool);
	value_of(query_text(a->query), "vid", vid);
	if (a->o->pool && strcmp(a->o->pool, pool) != 0)
		return 0;
	(void)snprintf(place, sizeof(place), "%s:%s", pool, vid);
	table_row(t);
	table_set(t, 0, place);
	table_set(t, 1, a->qube);
	table_set(t, 2, a->volume);
	for (uint32_t i = 0; i < ARRAY_LEN(more) && a->o->full; i++) {
		value_of(query_text(a->query), more[i], value);
		table_set(t, 4 + i, value);
	}
	err = ask(a, "admin.vm.volume.ListSnapshots", NULL);
	if (err < 0 && err != -EREMOTEIO)
		return err;
	/* One that is discarded has none to tell of. */
	table_set(t, 3, err == 0 && query_text(a->query)[0] ? "Yes" : "No");
	return 0;
}

static int add_qube(struct act *a, const char *qube, struct table *t)
{
	int err = query(a->query, "admin.vm.volume.List", NULL, qube, a->fault);
	autofree char *names = err < 0 ? NULL : strdup(query_text(a->query));
	char *rest = NULL;

	(void)snprintf(a->qube, sizeof(a->qube), "%s", qube);
	for (char *name = names ? strtok_r(names, "\n", &rest) : NULL;
	     name && err == 0; name = strtok_r(NULL, "\n", &rest)) {
		(void)snprintf(a->volume, sizeof(a->volume), "%s", name);
		err = ask(a, "admin.vm.volume.Info", NULL);
		if (err == 0)
			err = add_row(a, t);
	}
	return err;
}

static int print(const struct act *a, const struct table *t)
{
	json_t *list;
	int err;

	if (!a->o->json) {
		err = table_print(t, TABLE_COLUMNS, true, stdout);
		return err < 0 ? fault_set(a->fault, err, "out of memory") : 0;
	}
	list = json_array();
	for (uint32_t row = 1; row < t->rows; row++) {
		json_t *object = json_object();

		for (uint32_t i = 0; i < t->columns; i++)
			(void)json_object_set_new(
				object, table_at(t, 0, i),
				json_text(table_at(t, row, i)));
		(void)json_array_append_new(list, object);
	}
	return json_print(list);
}

static int act_list(struct act *a)
{
	static const char *const heads[] = {"POOL:VOLUME", "VMNAME",
	                                    "VOLUME_NAME", "REVERT_POSSIBLE",
	                                    "SIZE",        "USAGE"};
	struct table t = {.columns = a->o->full ? 6 : 4};
	autoroster struct roster r = {0};
	struct frame_call names = *a->call;
	int err = roster_get(&r, a->query, a->fault);

	names.words = a->words;
	names.count = a->count;
	if (err == 0)
		err = roster_pick(&r, &names, a->count == 0, NULL);
	table_row(&t);
	for (uint32_t i = 0; i < t.columns; i++)
		table_set(&t, i, heads[i]);
	for (size_t i = 0; i < r.count && err == 0; i++)
		err = add_qube(a, r.qube[i].name, &t);
	if (err == 0)
		err = print(a, &t);
	table_fini(&t);
	return err;
}

/* KEY=VALUE lines of the last answer as rows. */
static void add_lines(const struct act *a, struct table *t)
{
	for (const char *at = query_text(a->query); *at;) {
		size_t line = strcspn(at, "\n");
		size_t key = strcspn(at, "=");
		char text[512];

		table_row(t);
		(void)snprintf(text, sizeof(text), "%.*s",
		               (int)MIN(key, MIN(line, 511)), at);
		table_set(t, 0, text);
		if (key < line)
			(void)snprintf(text, sizeof(text), "%.*s",
			               (int)MIN(line - key - 1, 511),
			               at + key + 1);
		table_set(t, 1, key < line ? text : "");
		at += line + (at[line] == '\n');
	}
}

static int info_json(struct act *a, const struct table *t)
{
	json_t *object = json_object();
	json_t *list = json_array();
	int err = ask(a, "admin.vm.volume.ListSnapshots", NULL);

	for (uint32_t i = 0; i < t->rows; i++)
		(void)json_object_set_new(object, table_at(t, i, 0),
		                          json_text(table_at(t, i, 1)));
	for (const char *at = err < 0 ? "" : query_text(a->query); *at;) {
		size_t line = strcspn(at, "\n");

		(void)json_array_append_new(list, json_stringn(at, line));
		at += line + (at[line] == '\n');
	}
	(void)json_object_set_new(object, "revisions", list);
	if (err == 0)
		return json_print(object);
	json_decref(object);
	return err;
}

static int info_text(struct act *a, const struct table *t)
{
	int err = table_print(t, TABLE_COLUMNS, false, stdout);
	const char *list;

	if (err < 0)
		return fault_set(a->fault, err, "out of memory");
	err = ask(a, "admin.vm.volume.ListSnapshots", NULL);
	if (err < 0)
		return err;
	list = query_text(a->query);
	(void)printf("Available revisions (for revert):%s",
	             list[0] ? "\n" : " none\n");
	while (*list) {
		size_t line = strcspn(list, "\n");

		(void)printf("  %.*s\n", (int)line, list);
		list += line + (list[line] == '\n');
	}
	return 0;
}

static int act_info(struct act *a)
{
	struct table t = {.columns = 2};
	bool revisions = a->count > 1 && strcmp(a->words[1], "revisions") == 0;
	char value[256];
	int err = ask(a,
	              revisions ? "admin.vm.volume.ListSnapshots"
	                        : "admin.vm.volume.Info",
	              NULL);

	if (err < 0)
		return err;
	if (revisions) {
		(void)fputs(query_text(a->query), stdout);
		return 0;
	}
	if (a->count > 1) {
		value_of(query_text(a->query), a->words[1], value);
		(void)puts(value);
		return 0;
	}
	add_lines(a, &t);
	err = a->o->json ? info_json(a, &t) : info_text(a, &t);
	table_fini(&t);
	return err;
}

static int act_config(struct act *a)
{
	static const char *const keys[] = {"revisions_to_keep", "rw",
	                                   "ephemeral"};
	char method[64];

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strcmp(keys[i], a->words[1]) != 0)
			continue;
		(void)snprintf(method, sizeof(method), "admin.vm.volume.Set.%s",
		               keys[i]);
		return ask(a, method, a->words[2]);
	}
	return frame_usage(a->call,
	                   "what is \"%s\"? revisions_to_keep, rw or ephemeral",
	                   a->words[1]);
}

static int act_resize(struct act *a)
{
	char text[32], old[256];
	uint64_t size;
	int err = options_size(a->words[1], &size, a->fault);

	if (err == 0)
		err = ask(a, "admin.vm.volume.Info", NULL);
	if (err < 0)
		return err;
	value_of(query_text(a->query), "size", old);
	if (size < strtoull(old, NULL, 10) && !a->o->force)
		return fault_set(a->fault, -EINVAL,
		                 "%s is smaller than its %s bytes; --force "
		                 "does it nonetheless",
		                 a->words[1], old);
	(void)snprintf(text, sizeof(text), "%" PRIu64, size);
	return ask(a, "admin.vm.volume.Resize", text);
}

static int act_snapshot(struct act *a)
{
	int err = ask(a, "bento.volume.Snapshot", NULL);

	if (err < 0)
		return err;
	(void)printf("%s\n", query_text(a->query));
	return 0;
}

static int act_revert(struct act *a)
{
	return ask(a, "admin.vm.volume.Revert", a->words[1]);
}

static int act_clear(struct act *a)
{
	return ask(a, "admin.vm.volume.Clear", NULL);
}

static int act_import(struct act *a)
{
	char text[32];
	uint64_t size = 0;
	int err = split(a);

	if (err == 0 && a->o->size)
		err = options_size(a->o->size, &size, a->fault);
	if (err < 0)
		return err;
	(void)snprintf(text, sizeof(text), "%" PRIu64, size);
	return transfer_in(a->query, a->qube, a->volume, a->words[1],
	                   size && !a->o->no_resize ? text : NULL, a->fault);
}

static int act_export(struct act *a)
{
	int err = split(a);

	return err < 0 ? err
	               : transfer_out(a->query, a->qube, a->volume, a->words[1],
	                              a->fault);
}

static int act_check(struct act *a)
{
	int err = ask(a, "bento.volume.Check", NULL);

	if (err < 0)
		return err;
	(void)fputs(query_text(a->query), stdout);
	return query_text(a->query)[0] ? FRAME_FAILED : EXIT_SUCCESS;
}

/* A new secret, or that of a volume as it is. */
static int get_secret(struct act *a, const char *file, bool new,
                      struct secret *s)
{
	char question[2 * NAME_LEN + 32];

	if (file)
		return secret_read(s, file, a->fault);
	(void)snprintf(question, sizeof(question), "%s of %s:%s",
	               new ? "New passphrase" : "Passphrase", a->qube,
	               a->volume);
	return secret_ask(s, question, new, a->fault);
}

static int send_new(struct act *a, const char *method, const char *file)
{
	struct secret s = {.size = 0};
	int err = get_secret(a, file, true, &s);

	if (err == 0)
		err = secret_send(a->query, method, a->qube, a->volume,
		                  s.keyfile ? "keyfile\n" : "passphrase\n", &s,
		                  a->fault);
	secret_wipe(&s);
	return err;
}

static int act_encrypt(struct act *a)
{
	int err = split(a);

	a->query->doing = "encrypting";
	return err < 0 ? err
	               : send_new(a, "bento.volume.Encrypt", a->o->key_file);
}

static int act_decrypt(struct act *a)
{
	a->query->doing = "decrypting";
	return ask(a, "bento.volume.Encrypt", "none\n");
}

static int act_unlock(struct act *a)
{
	struct secret s = {.size = 0};
	int err = split(a);

	if (err == 0 && !a->o->key_file)
		return secret_unlock(a->query, a->words[0], a->fault);
	if (err == 0)
		err = get_secret(a, a->o->key_file, false, &s);
	if (err == 0)
		err = secret_send(a->query, "bento.volume.Unlock", a->qube,
		                  a->volume, "", &s, a->fault);
	secret_wipe(&s);
	return err;
}

/* The old one first, in any case: who sits here need not be who unlocked it. */
static int act_passphrase(struct act *a)
{
	int err = act_unlock(a);

	return err < 0 ? err
	               : send_new(a, "bento.volume.ChangeKey",
	                          a->o->new_key_file);
}

static int act_lock(struct act *a)
{
	return ask(a, "bento.volume.Lock", NULL);
}

static int act_pools(struct act *a)
{
	int err = query(a->query, "admin.pool.List", NULL, NULL, a->fault);

	if (err == 0)
		(void)fputs(query_text(a->query), stdout);
	return err;
}

static const struct {
	const char *word;
	const char *others; /* "ls,l" */
	int (*run)(struct act *a);
	uint32_t min, max;
	const char *form;
} acts[] = {
#define ACT(word, others, function, min, max, form) \
	{word, others, act_##function, min, max, form},
#include "cli/acts.def"
};

static bool is_called(size_t i, const char *word)
{
	size_t len = strlen(word);

	if (strcmp(acts[i].word, word) == 0)
		return true;
	for (const char *at = acts[i].others; *at;) {
		size_t n = strcspn(at, ",");

		if (n == len && strncmp(at, word, n) == 0)
			return true;
		at += n + (at[n] == ',');
	}
	return false;
}

static int go(void *options, struct frame_call *c)
{
	autoquery struct query q = QUERY_NONE;
	struct act a = {options,      c,  &q, c->fault, c->words + 1,
	                c->count - 1, "", ""};
	int err;

	for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
		if (!is_called(i, c->words[0]))
			continue;
		if (a.count < acts[i].min || a.count > acts[i].max)
			return frame_usage(c, "usage: %s %s %s", c->prefix,
			                   acts[i].word, acts[i].form);
		err = query_init(&q, c);
		q.doing = "waiting for";
		return err < 0 ? err : acts[i].run(&a);
	}
	return frame_usage(c,
	                   "what is \"%s\"? list, info, config, resize, "
	                   "snapshot, revert, clear, import, export, check, "
	                   "encrypt, decrypt, passphrase, unlock, lock or "
	                   "pools",
	                   c->words[0]);
}

int verb_volume(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct volume_options),
		.min = 1,
		.max = FRAME_ANY,
		.go = go,
	};

	return frame_run(&frame, argv);
}
