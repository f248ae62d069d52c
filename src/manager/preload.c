/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/preload.h"

#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "manager/census.h"
#include "manager/disposable.h"
#include "manager/domain.h"
#include "manager/manager.h"
#include "manager/property.h"

#define MAX_EACH    100u /* of one template, whatever the feature says */
#define DELAY_S     3u
#define AGAIN_MS    10000 /* after a failure, or while memory is short */
#define FEATURE_MAX "preload-dispvm-max"

/* One that starts, or is ready. */
struct preload {
	struct list link;
	struct domain_waiter waiter;
	struct manager *m;
	struct qube qube;
	char template[QUBE_UUID_SIZE];
	char root[QUBE_UUID_SIZE]; /* of the template's template; or "" */
	bool ready;
	bool leaving; /* it ends, and its template waits for that */
};

struct preloads {
	struct manager *m;
	struct list all;
	struct reactor_timer timer;
	int64_t not_before_ms;      /* the next is made */
	char taken[QUBE_UUID_SIZE]; /* of this one was taken since; or "" */
};

/* What a template is to have. */
struct wish {
	struct qube template;
	uint32_t count;
};

static bool number_of(struct ledger *l, const struct qube *q, const char *name,
                      uint32_t *out)
{
	char key[LEDGER_KEY_MAX], text[16];
	unsigned value = 0;

	qube_key(key, q, "f/", name);
	if (!ledger_text(l, key, text, sizeof(text)) || !*text)
		return false;
	for (const char *c = text; *c; c++) {
		if (*c < '0' || *c > '9' || value > 1000000)
			return false;
		value = 10 * value + (unsigned)(*c - '0');
	}
	*out = value;
	return true;
}

/* Its own feature, or dom0's, or else `value`. */
static uint32_t either(struct ledger *l, const struct qube *q, const char *name,
                       uint32_t value)
{
	struct qube dom0;

	if (!number_of(l, q, name, &value) && qube_load(l, 0, &dom0) == 0)
		(void)!number_of(l, &dom0, name, &value);
	return value;
}

static uint32_t count_wanted(struct ledger *l, const struct qube *q)
{
	char name[PROPERTY_VALUE_MAX] = "";
	uint32_t count = 0;
	struct qube dom0;

	if (q->class != QUBE_AppVM ||
	    !property_true(l, q, "template_for_dispvms"))
		return 0;
	(void)property_get(l, NULL, property_find(NULL, "default_dispvm"),
	                   name);
	if (strcmp(name, q->name) != 0 || qube_load(l, 0, &dom0) < 0 ||
	    !number_of(l, &dom0, FEATURE_MAX, &count))
		(void)!number_of(l, q, FEATURE_MAX, &count);
	return MIN(count, MAX_EACH);
}

static void forget(struct preload *p)
{
	list_del(&p->waiter.link);
	list_del(&p->link);
	free(p);
}

static void drop(struct preload *p)
{
	domain_end(p->m, p->qube.id);
	forget(p);
}

/*
 * How many it has; those above `keep` end, and those that have ended go.  As long
 * as some leave it has enough.
 */
static uint32_t count_there(struct preloads *all, const struct qube *q,
                            uint32_t keep)
{
	uint32_t count = 0;
	bool leaving = false;

	list_for_each_safe (at, &all->all) {
		struct preload *p = list_entry(at, struct preload, link);

		if (strcmp(p->template, q->uuid) != 0)
			continue;
		if (domain_state(all->m, p->qube.id) == DOMAIN_HALTED) {
			forget(p);
			continue;
		}
		leaving |= p->leaving;
		if (count < keep || p->leaving)
			count++;
		else
			drop(p);
	}
	return leaving ? MAX(count, keep) : count;
}

static bool enough_memory(struct ledger *l, const struct qube *q)
{
	uint32_t mib = either(l, q, "preload-dispvm-threshold", 0);
	struct sysinfo si;

	return mib == 0 || (sysinfo(&si) == 0 &&
	                    (uint64_t)si.freeram * si.mem_unit >> 20 >= mib);
}

/*
 * The first template that has too few, and may have more.  *held: there are
 * those for which too little memory is free.
 */
static bool find_lack(struct preloads *all, struct wish *out, bool *held)
{
	struct ledger *l = all->m->ledger;
	struct ledger_walk w;
	struct qube q;
	bool found = false;

	*held = false;
	qube_walk_begin(&w, l);
	while (qube_walk_next(&w, &q)) {
		uint32_t want = count_wanted(l, &q);

		if (count_there(all, &q, want) >= want || found)
			continue;
		found = enough_memory(l, &q);
		*held |= !found;
		if (found)
			*out = (struct wish){q, want};
	}
	qube_walk_end(&w);
	return found;
}

static void look_in(struct preloads *all, int64_t ms)
{
	reactor_timer_start(all->m->reactor, &all->timer, ms);
}

static void started(struct domain_waiter *w, const char *why)
{
	struct preload *p = container_of(w, struct preload, waiter);
	struct preloads *all = p->m->preloads;

	/* It was ended on purpose; whoever did that looks at what is missing. */
	if (p->leaving)
		return;
	if (why) {
		(void)fprintf(stderr, "preload %s: %s\n", p->qube.name, why);
		forget(p);
		all->not_before_ms = reactor_now_ms() + AGAIN_MS;
		look_in(all, AGAIN_MS);
		return;
	}
	p->ready = true;
	look_in(all, 0);
}

/* In a transaction: whose root it sees. */
static void note_root(struct preload *p, uint32_t template_id)
{
	char name[PROPERTY_VALUE_MAX];
	struct qube template, root;

	if (qube_load(p->m->ledger, template_id, &template) < 0)
		return;
	property_text(p->m->ledger, &template, "template", name);
	if (qube_find(p->m->ledger, name, &root) == 0)
		memcpy(p->root, root.uuid, sizeof(p->root));
}

/* Makes one and has it start. */
static int make(struct preloads *all, const struct qube *template,
                struct fault *f)
{
	struct manager *m = all->m;
	struct preload *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return fault_set(f, -ENOMEM, "out of memory");
	p->m = m;
	p->waiter.done = started;
	list_init(&p->waiter.link);
	memcpy(p->template, template->uuid, sizeof(p->template));
	err = disposable_make(m, template->uuid, DISPOSABLE_CALL, &p->qube, f);
	if (err < 0) {
		free(p);
		return err;
	}
	list_add_tail(&all->all, &p->link);
	census_forget(m);
	err = ledger_begin(m->ledger, false, f);
	if (err == 0)
		note_root(p, template->id);
	if (err == 0)
		err = domain_want(m, &p->qube, NULL, &p->waiter, f);
	ledger_abort(m->ledger);
	if (err < 0) {
		disposable_drop(m, p->qube.id);
		forget(p);
	}
	return err;
}

/* In a transaction: the next takes the place of one that was taken. */
static void note_taken(struct preloads *all)
{
	char name[QUBE_UUID_SIZE + 8];
	uint32_t seconds;
	struct qube q;

	if (!*all->taken)
		return;
	(void)snprintf(name, sizeof(name), "uuid:%s", all->taken);
	all->taken[0] = '\0';
	if (qube_find(all->m->ledger, name, &q) < 0)
		return;
	seconds = either(all->m->ledger, &q, "preload-dispvm-delay", DELAY_S);
	all->not_before_ms = reactor_now_ms() + (int64_t)seconds * 1000;
}

static void look(struct reactor_timer *t)
{
	struct preloads *all = container_of(t, struct preloads, timer);
	int64_t wait;
	struct wish w;
	struct fault f;
	bool lack, held;

	if (ledger_begin(all->m->ledger, false, &f) < 0)
		return;
	note_taken(all);
	lack = find_lack(all, &w, &held);
	ledger_abort(all->m->ledger);
	if (held)
		look_in(all, AGAIN_MS);
	if (!lack)
		return;
	wait = all->not_before_ms - reactor_now_ms();
	if (wait > 0) {
		look_in(all, wait);
		return;
	}
	if (make(all, &w.template, &f) < 0) {
		(void)fprintf(stderr, "preload: %s\n", f.text);
		all->not_before_ms = reactor_now_ms() + AGAIN_MS;
		look_in(all, AGAIN_MS);
	}
}

void preload_look(struct manager *m)
{
	m->preloads->not_before_ms = 0;
	look_in(m->preloads, 0);
}

int preload_take(struct manager *m, const char *template_uuid, struct qube *out)
{
	list_for_each (at, &m->preloads->all) {
		struct preload *p = list_entry(at, struct preload, link);

		if (!p->ready || p->leaving ||
		    strcmp(p->template, template_uuid) != 0 ||
		    domain_state(m, p->qube.id) != DOMAIN_RUNNING)
			continue;
		*out = p->qube;
		memcpy(m->preloads->taken, p->template, sizeof(p->template));
		forget(p);
		census_forget(m);
		look_in(m->preloads, 0);
		return 0;
	}
	return -ENOENT;
}

void preload_changed(struct manager *m, const char *uuid)
{
	bool any = false;

	list_for_each_safe (at, &m->preloads->all) {
		struct preload *p = list_entry(at, struct preload, link);

		if (p->leaving || (uuid && strcmp(p->template, uuid) != 0 &&
		                   strcmp(p->root, uuid) != 0))
			continue;
		drop(p);
		any = true;
	}
	if (any)
		preload_look(m);
}

int preload_leave(struct call *c)
{
	int result = 0;

	list_for_each_safe (at, &c->m->preloads->all) {
		struct preload *p = list_entry(at, struct preload, link);

		if (strcmp(p->template, c->target.uuid) != 0)
			continue;
		if (domain_state(c->m, p->qube.id) == DOMAIN_HALTED) {
			forget(p);
			continue;
		}
		if (!p->leaving)
			domain_end(c->m, p->qube.id);
		p->leaving = true;
		if (result == 0)
			domain_wait_end(c, p->qube.id);
		result = CALL_LATER;
	}
	return result;
}

bool preload_is_waiting(const struct manager *m, uint32_t id)
{
	list_for_each (at, &m->preloads->all)
		if (list_entry(at, struct preload, link)->qube.id == id)
			return true;
	return false;
}

int preload_create_all(struct manager *m, struct fault *f)
{
	struct preloads *all = calloc(1, sizeof(*all));

	if (!all)
		return fault_set(f, -ENOMEM, "out of memory");
	all->m = m;
	list_init(&all->all);
	reactor_timer_init(&all->timer, look);
	m->preloads = all;
	preload_look(m);
	return 0;
}

void preload_destroy_all(struct manager *m)
{
	if (!m->preloads)
		return;
	reactor_timer_stop(&m->preloads->timer);
	list_for_each_safe (at, &m->preloads->all)
		forget(list_entry(at, struct preload, link));
	free(m->preloads);
	m->preloads = NULL;
}
