/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/qube.h"

#include <stdio.h>
#include <sys/random.h>

static const struct {
	const char *name;
	bool makeable;
} classes[] = {
#define CLASS(name, makeable, what) {#name, makeable},
#include "manager/classes.def"
};

const char *qube_class_name(enum qube_class class)
{
	return classes[class].name;
}

int qube_class_find(const char *name, enum qube_class *out)
{
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		if (strcmp(classes[i].name, name) == 0) {
			*out = (enum qube_class)i;
			return 0;
		}
	return -ENOENT;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name_byte(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
	       c == '-';
}

const char *qube_name_wrong(const char *name)
{
	static const char *const reserved[] = {"none", "default", "Domain-0",
	                                       "dom0"};
	size_t len = strlen(name);

	if (len == 0 || len > QUBE_NAME_MAX)
		return "a name has 1 to 31 characters";
	if (!is_letter(name[0]))
		return "a name begins with a letter";
	for (size_t i = 0; i < len; i++)
		if (!is_name_byte(name[i]))
			return "a name has letters, digits, '_', '.' and '-' "
			       "only";
	for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
		if (strcmp(name, reserved[i]) == 0)
			return "that name is reserved";
	if (len >= 3 && strcmp(name + len - 3, "-dm") == 0)
		return "names that end in -dm are reserved";
	return NULL;
}

void qube_key(char out[LEDGER_KEY_MAX], const struct qube *q, const char *what,
              const char *name)
{
	(void)snprintf(out, LEDGER_KEY_MAX, "qube/%08x/%s%s", q->id, what,
	               name);
}

int qube_load(struct ledger *l, uint32_t id, struct qube *out)
{
	struct qube q = {.id = id};
	char key[LEDGER_KEY_MAX], class[32];

	qube_key(key, &q, "class", "");
	if (!ledger_text(l, key, class, sizeof(class)) ||
	    qube_class_find(class, &q.class) < 0)
		return -ENOENT;
	qube_key(key, &q, "name", "");
	if (!ledger_text(l, key, q.name, sizeof(q.name)))
		return -ENOENT;
	qube_key(key, &q, "uuid", "");
	if (!ledger_text(l, key, q.uuid, sizeof(q.uuid)))
		return -ENOENT;
	*out = q;
	return 0;
}

static int load_by(struct ledger *l, const char *folder, const char *name,
                   struct qube *out)
{
	char key[LEDGER_KEY_MAX], number[16];

	if (strlen(name) > 64)
		return -ENOENT;
	(void)snprintf(key, sizeof(key), "%s/%s", folder, name);
	if (!ledger_text(l, key, number, sizeof(number)))
		return -ENOENT;
	return qube_load(l, (uint32_t)strtoul(number, NULL, 16), out);
}

int qube_find(struct ledger *l, const char *name, struct qube *out)
{
	if (strncmp(name, "uuid:", 5) == 0)
		return load_by(l, "uuid", name + 5, out);
	if (strcmp(name, "@adminvm") == 0)
		name = "dom0";
	return load_by(l, "name", name, out);
}

#define PASSES '8' /* the version of a UUID, which is in the 14th place */
#define STAYS  '4'

static void make_uuid(char version, char out[QUBE_UUID_SIZE])
{
	uint8_t b[16];

	/* Cannot fail once the host's generator is up. */
	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		abort();
	b[6] = (uint8_t)((b[6] & 0x0f) | (version - '0') << 4);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	(void)snprintf(out, QUBE_UUID_SIZE,
	               "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
	               "%02x%02x%02x%02x%02x%02x",
	               b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8],
	               b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

void qube_make_uuid(char out[QUBE_UUID_SIZE])
{
	make_uuid(STAYS, out);
}

bool qube_uuid_passes(const char *uuid)
{
	return strlen(uuid) == QUBE_UUID_SIZE - 1 && uuid[14] == PASSES;
}

static void put_index(struct ledger *l, const char *folder, const char *name,
                      uint32_t id)
{
	char key[LEDGER_KEY_MAX], number[16];

	(void)snprintf(key, sizeof(key), "%s/%s", folder, name);
	(void)snprintf(number, sizeof(number), "%08x", id);
	ledger_put_text(l, key, number);
}

static void put_qube(struct ledger *l, const struct qube *q)
{
	char key[LEDGER_KEY_MAX];

	qube_key(key, q, "class", "");
	ledger_put_text(l, key, qube_class_name(q->class));
	qube_key(key, q, "name", "");
	ledger_put_text(l, key, q->name);
	qube_key(key, q, "uuid", "");
	ledger_put_text(l, key, q->uuid);
	put_index(l, "name", q->name, q->id);
	put_index(l, "uuid", q->uuid, q->id);
}

/* The next number of a counter, which begins at `first`. */
static uint32_t take_number(struct ledger *l, const char *counter,
                            uint32_t first)
{
	char number[16];
	uint32_t id = first;

	if (ledger_text(l, counter, number, sizeof(number)))
		id = (uint32_t)strtoul(number, NULL, 16);
	(void)snprintf(number, sizeof(number), "%08x", id + 1);
	ledger_put_text(l, counter, number);
	return id;
}

void qube_add_as(struct ledger *l, enum qube_class class, const char *name,
                 const char *uuid, struct qube *out)
{
	struct qube q = {.class = class};

	assert(classes[class].makeable && !qube_name_wrong(name));
	q.id = take_number(l, "next", 1);
	(void)snprintf(q.name, sizeof(q.name), "%s", name);
	(void)snprintf(q.uuid, sizeof(q.uuid), "%s", uuid);
	put_qube(l, &q);
	*out = q;
}

void qube_add_passing(struct ledger *l, const char *name, struct qube *out)
{
	struct qube q = {.class = QUBE_DispVM};

	assert(!qube_name_wrong(name));
	q.id = take_number(l, "passing/next", LEDGER_PASSING + 1);
	(void)snprintf(q.name, sizeof(q.name), "%s", name);
	make_uuid(PASSES, q.uuid);
	put_qube(l, &q);
	*out = q;
}

void qube_add(struct ledger *l, enum qube_class class, const char *name,
              struct qube *out)
{
	char uuid[QUBE_UUID_SIZE];

	qube_make_uuid(uuid);
	qube_add_as(l, class, name, uuid, out);
}

void qube_rename(struct ledger *l, struct qube *q, const char *name)
{
	char key[LEDGER_KEY_MAX];

	(void)snprintf(key, sizeof(key), "name/%s", q->name);
	ledger_delete(l, key);
	(void)snprintf(q->name, sizeof(q->name), "%s", name);
	put_qube(l, q);
}

void qube_delete(struct ledger *l, const struct qube *q)
{
	char key[LEDGER_KEY_MAX];

	(void)snprintf(key, sizeof(key), "name/%s", q->name);
	ledger_delete(l, key);
	(void)snprintf(key, sizeof(key), "uuid/%s", q->uuid);
	ledger_delete(l, key);
	qube_key(key, q, "", "");
	ledger_delete_below(l, key);
}

void qube_walk_begin(struct ledger_walk *w, struct ledger *l)
{
	ledger_walk_begin(w, l, "name/");
}

bool qube_walk_next(struct ledger_walk *w, struct qube *out)
{
	while (ledger_walk_next(w)) {
		char number[16] = "";

		if (w->value.size < sizeof(number))
			memcpy(number, w->value.at, w->value.size);
		if (qube_load(w->ledger, (uint32_t)strtoul(number, NULL, 16),
		              out) == 0)
			return true;
	}
	return false;
}

void qube_walk_end(struct ledger_walk *w)
{
	ledger_walk_end(w);
}

void qube_first(struct ledger *l)
{
	struct qube dom0 = {
		.class = QUBE_AdminVM,
		.name = "dom0",
		.uuid = "00000000-0000-0000-0000-000000000000",
	};

	if (ledger_has(l, "name/dom0"))
		return;
	put_qube(l, &dom0);
	ledger_put_text(l, "next", "00000001");
	ledger_put_text(l, "pool/file", "revisions_to_keep=1");
#define LABEL(index, name, colour) \
	ledger_put_text(l, "label/" #name, #index " " #colour);
#include "manager/labels.def"
}
