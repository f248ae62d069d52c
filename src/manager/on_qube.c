/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Qubes come, are listed, copied, and go.
 *
 * Whatever has volumes comes and goes in two transactions with the work on the
 * host's files between them: manager/disk.h says why that is safe.
 */
#include "manager/disk.h"
#include "manager/disposable.h"
#include "manager/domain.h"
#include "manager/handlers.h"
#include "manager/plan.h"
#include "manager/preload.h"
#include "manager/property.h"
#include "manager/worker.h"

#include <stdio.h>

/* What a qube is to be, once its volumes are there. */
struct wish {
	struct call *call;
	enum qube_class class;
	char name[QUBE_NAME_MAX + 1];
	char uuid[QUBE_UUID_SIZE];
	char label[64];
	char template[QUBE_NAME_MAX + 1];
	char image[QUBE_NAME_MAX + 1]; /* that a TemplateVM's root lies over */
	/* For one that is copied. */
	uint32_t from;
	char from_uuid[QUBE_UUID_SIZE];
};

static int set_checked(struct call *c, const struct qube *q, const char *name,
                       const char *value)
{
	const struct property *p = property_find(q, name);
	char text[PROPERTY_VALUE_MAX];
	struct fault f;
	int err;

	if (!p)
		return call_fail(c, EX_QubesNoSuchPropertyError,
		                 "%s has no property '%s'", q->name, name);
	(void)snprintf(text, sizeof(text), "%s", value);
	err = property_check(c->m->ledger, q, p, text, &f);
	if (err < 0)
		return call_fail(c,
		                 err != -ENOENT ? EX_QubesValueError
		                 : p->type == PROPERTY_LABEL
		                         ? EX_QubesLabelNotFoundError
		                         : EX_QubesVMNotFoundError,
		                 "%s", f.text);
	property_put(c->m->ledger, q, p, text);
	return 0;
}

static int check_name(struct call *c, const char *name)
{
	const char *wrong = qube_name_wrong(name);
	struct qube other;

	if (wrong)
		return call_fail(c, EX_QubesValueError,
		                 "'%.64s' cannot be a qube's name: %s", name,
		                 wrong);
	if (qube_find(c->m->ledger, name, &other) == 0)
		return call_fail(c, EX_QubesValueError,
		                 "there is a qube called %s already", name);
	return 0;
}

static void tell_added(struct call *c, const char *name)
{
	events_queue(&c->m->events, "", "domain-add", "vm", name, NULL);
	events_queue(&c->m->events, name, "domain-create-on-disk", NULL);
}

/* In a transaction: the records of a qube as wished. */
static int add(struct call *c, const struct wish *w, struct qube *out)
{
	int err = check_name(c, w->name);

	if (err < 0)
		return err;
	qube_add_as(c->m->ledger, w->class, w->name, w->uuid, out);
	if (*w->label)
		err = set_checked(c, out, "label", w->label);
	if (err == 0 && *w->template)
		err = set_checked(c, out, "template", w->template);
	return err;
}

/* Copies records: properties, features, tags; the rules of its firewall. */
static void copy_records(struct ledger *l, const struct qube *from,
                         const struct qube *to)
{
	static const char *const parts[] = {"p/",       "f/",    "t/",
	                                    "firewall", "notes", "volume/"};
	char prefix[LEDGER_KEY_MAX], key[LEDGER_KEY_MAX];
	struct ledger_walk w;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		char last[LEDGER_KEY_MAX] = "";
		bool more = true;

		qube_key(prefix, from, parts[i], "");
		/* One at a time, as nothing may change while we walk. */
		while (more) {
			autobuffer struct buffer value = {0};

			ledger_walk_begin(&w, l, prefix);
			while ((more = ledger_walk_next(&w)) && *last &&
			       strcmp(w.rest, last) <= 0)
				;
			if (more) {
				memcpy(last, w.rest, sizeof(last));
				buffer_put(&value, w.value.at, w.value.size);
			}
			ledger_walk_end(&w);
			if (!more)
				break;
			qube_key(key, to, parts[i], last);
			ledger_put(l, key, buffer_span(&value));
			if (*last == '\0')
				break;
		}
	}
}

/* The second transaction: the volumes are there. */
static int commit_wish(struct wish *w, const struct fault *why, int err)
{
	struct call *c = w->call;
	struct qube from, q;
	struct fault f = *why;

	if (err < 0)
		return call_fault(c, err, &f);
	err = ledger_begin(c->m->ledger, true, &f);
	if (err < 0)
		return call_fault(c, err, &f);
	if (w->from && qube_load(c->m->ledger, w->from, &from) < 0)
		err = call_fail(c, EX_QubesVMNotFoundError,
		                "the qube that was copied has gone");
	if (err == 0)
		err = add(c, w, &q);
	if (err == 0 && w->from)
		copy_records(c->m->ledger, &from, &q);
	if (err == 0 && *w->label)
		err = set_checked(c, &q, "label", w->label);
	if (err < 0) {
		ledger_abort(c->m->ledger);
		return err;
	}
	disk_save(c->m->ledger, w->uuid);
	tell_added(c, w->name);
	err = ledger_commit(c->m->ledger, &f);
	if (err < 0) {
		events_drop(&c->m->events);
		return call_fault(c, err, &f);
	}
	events_flush(&c->m->events);
	return 0;
}

static void wish_done(struct manager *m, void *what, int err,
                      const struct fault *why)
{
	struct wish *w = what;
	struct fault f;

	err = commit_wish(w, why, err);
	/* What did not come to be goes; if that fails, at the next start. */
	if (err < 0 && disk_drop_later(m, w->uuid, NULL, &f) < 0)
		(void)fprintf(stderr, "%s\n", f.text);
	call_finish(w->call, err);
}

/* The first transaction, and then the work. */
static int begin_wish(struct call *c, const struct wish *w)
{
	struct wish *copy = malloc(sizeof(*copy));
	struct chore work = {
		.kind = *w->from_uuid ? CHORE_copy : CHORE_make,
		.volumes = disk_volumes(w->class),
	};
	struct fault f;
	int err;

	if (!copy)
		return call_fail(c, EX_QubesMemoryError, "out of memory");
	*copy = *w;
	copy->call = c;
	memcpy(work.uuid, w->uuid, sizeof(work.uuid));
	memcpy(work.from, w->from_uuid, sizeof(work.from));
	memcpy(work.image, w->image, sizeof(work.image));
	disk_doom(c->m->ledger, w->uuid);
	err = call_step(c);
	if (err == 0 && worker_start(c->m, &work, wish_done, copy, &f) < 0)
		err = call_fault(c, -EIO, &f);
	if (err < 0) {
		free(copy);
		return err;
	}
	return CALL_LATER;
}

/* The class is the last word of the method's name. */
static int class_of(struct call *c, enum qube_class *out)
{
	struct span name = c->request.method;
	char word[REQUEST_METHOD_MAX + 1];
	size_t at = name.size;

	while (at > 0 && name.at[at - 1] != '.')
		at--;
	memcpy(word, name.at + at, name.size - at);
	word[name.size - at] = '\0';
	if (qube_class_find(word, out) < 0 || *out == QUBE_AdminVM)
		return call_fail(c, EX_QubesValueError,
		                 "there is no class '%s'", word);
	return 0;
}

/* The argument, or what qubes of this class have by default. */
static int template_of(struct call *c, struct wish *w)
{
	char text[PROPERTY_VALUE_MAX] = "";
	const struct property *p;

	if ((w->class == QUBE_TemplateVM || w->class == QUBE_RemoteVM) &&
	    *c->argument)
		return call_fail(c, EX_QubesValueError, "a %s has no template",
		                 qube_class_name(w->class));
	if (w->class == QUBE_TemplateVM || w->class == QUBE_StandaloneVM ||
	    w->class == QUBE_RemoteVM)
		return 0;
	(void)snprintf(text, sizeof(text), "%s", c->argument);
	if (!*text) {
		p = property_find(NULL, w->class == QUBE_DispVM
		                                ? "default_dispvm"
		                                : "default_template");
		(void)property_get(c->m->ledger, NULL, p, text);
	}
	if (!*text && w->class == QUBE_DispVM)
		return call_fail(c, EX_QubesNoTemplateError,
		                 "there is no default_dispvm: name a "
		                 "disposable template");
	(void)snprintf(w->template, sizeof(w->template), "%.31s", text);
	return 0;
}

static int check_pools(struct call *c)
{
	static const char *const keys[] = {"pool", "pool:private", "pool:root",
	                                   "pool:volatile"};
	char pool[64];

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (call_word(c, keys[i], pool, sizeof(pool)) &&
		    strcmp(pool, "file") != 0)
			return call_fail(c, EX_QubesPoolNotFoundError,
			                 "no pool '%s': there is 'file'", pool);
	return 0;
}

/* Tries in a transaction that will be dropped whether all of it may be. */
static int check_wish(struct call *c, struct wish *w)
{
	char name[256] = "";
	int err = check_pools(c);

	if (err < 0)
		return err;
	if (!call_word(c, "name", name, sizeof(name)))
		return call_fail(c, EX_QubesValueError,
		                 "the payload has no name=");
	err = check_name(c, name);
	if (err < 0)
		return err;
	(void)snprintf(w->name, sizeof(w->name), "%.31s", name);
	(void)!call_word(c, "label", w->label, sizeof(w->label));
	if (*w->label) {
		char key[LEDGER_KEY_MAX];

		(void)snprintf(key, sizeof(key), "label/%s", w->label);
		if (!ledger_has(c->m->ledger, key))
			return call_fail(c, EX_QubesLabelNotFoundError,
			                 "no label '%s'", w->label);
	}
	qube_make_uuid(w->uuid);
	return 0;
}

int on_qube_create(struct call *c)
{
	struct wish w = {.class = QUBE_AppVM};
	struct qube q;
	int err = class_of(c, &w.class);

	if (err == 0)
		err = check_wish(c, &w);
	if (err == 0)
		err = template_of(c, &w);
	if (err < 0)
		return err;
	if (*w.template) {
		/* Before work is done for nothing. */
		struct qube as = {.class = w.class};
		char text[PROPERTY_VALUE_MAX];
		struct fault f;

		memcpy(text, w.template, sizeof(w.template));
		err = property_check(c->m->ledger, &as,
		                     property_find(&as, "template"), text, &f);
		if (err < 0)
			return call_fail(c,
			                 err == -ENOENT
			                         ? EX_QubesVMNotFoundError
			                         : EX_QubesValueError,
			                 "%s", f.text);
	}
	if (w.class == QUBE_TemplateVM)
		memcpy(w.image, w.name, sizeof(w.image));
	if (disk_volumes(w.class))
		return begin_wish(c, &w);
	err = add(c, &w, &q);
	if (err == 0)
		tell_added(c, q.name);
	return err;
}

int on_qube_clone(struct call *c)
{
	struct wish w = {.class = c->target.class, .from = c->target.id};
	char class[32];
	struct qube q;
	int err = check_wish(c, &w);

	if (err < 0)
		return err;
	if (domain_state(c->m, c->target.id) != DOMAIN_HALTED)
		return call_fail(c, EX_QubesVMNotHaltedError,
		                 "%s must be halted to be copied",
		                 c->target.name);
	if (call_word(c, "class", class, sizeof(class)) &&
	    strcmp(class, qube_class_name(w.class)) != 0)
		return call_fail(c, EX_QubesNotImplementedError,
		                 "a copy of a %s is a %s",
		                 qube_class_name(w.class),
		                 qube_class_name(w.class));
	if (w.class == QUBE_TemplateVM)
		memcpy(w.image, c->target.name, sizeof(w.image));
	if (disk_volumes(w.class)) {
		memcpy(w.from_uuid, c->target.uuid, sizeof(w.from_uuid));
		return begin_wish(c, &w);
	}
	err = add(c, &w, &q);
	if (err < 0)
		return err;
	copy_records(c->m->ledger, &c->target, &q);
	if (*w.label)
		err = set_checked(c, &q, "label", w.label);
	tell_added(c, q.name);
	return err;
}

int on_qube_list(struct call *c)
{
	struct ledger_walk w;
	struct qube q;

	qube_walk_begin(&w, c->m->ledger);
	while (qube_walk_next(&w, &q)) {
		if (c->target.class != QUBE_AdminVM && q.id != c->target.id)
			continue;
		buffer_printf(&c->answer, "%s class=%s state=%s uuid=%s\n",
		              q.name, qube_class_name(q.class),
		              domain_shown(c->m, &q), q.uuid);
	}
	qube_walk_end(&w);
	return 0;
}

int on_qube_remove(struct call *c)
{
	const struct qube *q = &c->target;
	char user[128];
	struct fault f;
	int err;

	if (domain_state(c->m, q->id) != DOMAIN_HALTED)
		return call_fail(c, EX_QubesVMNotHaltedError,
		                 "%s must be halted to be removed", q->name);
	if (preload_leave(c) == CALL_LATER)
		return CALL_LATER;
	if (property_user_of(c->m->ledger, q->name, user, sizeof(user))) {
		preload_look(c->m);
		return call_fail(c, EX_QubesVMInUseError,
		                 "%s is in use: %s names it", q->name, user);
	}
	events_queue(&c->m->events, "", "domain-pre-delete", "vm", q->name,
	             NULL);
	qube_delete(c->m->ledger, q);
	events_queue(&c->m->events, "", "domain-delete", "vm", q->name, NULL);
	disk_doom(c->m->ledger, q->uuid);
	err = call_step(c);
	if (err < 0)
		return err;
	plan_forget(c->m, q->name);
	if (disk_drop_later(c->m, q->uuid, c, &f) < 0)
		return call_fault(c, -EIO, &f);
	return CALL_LATER;
}

/* One that waits is anybody's from now on. */
static int keep_waiting_one(struct call *c, const char *template,
                            struct qube *out)
{
	struct qube t;
	int err = qube_find(c->m->ledger, template, &t);

	if (err == 0)
		err = preload_take(c->m, t.uuid, out);
	if (err == 0)
		disposable_keep(c->m, out);
	return err;
}

int on_qube_disposable(struct call *c)
{
	char template[PROPERTY_VALUE_MAX] = "";
	struct qube q;
	struct fault f;
	int err;

	if (*c->argument)
		return call_fail(c, EX_QubesNotImplementedError,
		                 "set the feature preload-dispvm-max to have "
		                 "some ready");
	if (c->target.class == QUBE_AdminVM)
		(void)property_get(c->m->ledger, NULL,
		                   property_find(NULL, "default_dispvm"),
		                   template);
	else
		memcpy(template, c->target.name, sizeof(c->target.name));
	if (!*template)
		return call_fail(c, EX_QubesNoTemplateError,
		                 "there is no default_dispvm: name a "
		                 "disposable template");
	err = keep_waiting_one(c, template, &q);
	if (err < 0)
		err = disposable_add(c->m, template, DISPOSABLE_PLAIN, &q, &f);
	if (err < 0)
		return call_fail(c,
		                 err == -EINVAL   ? EX_QubesValueError
		                 : err == -ENOENT ? EX_QubesVMNotFoundError
		                                  : EX_QubesException,
		                 "%s", f.text);
	buffer_text(&c->answer,
	            span_is(c->request.payload, "uuid") ? q.uuid : q.name);
	return 0;
}
