/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A start that waits for the passphrase of a volume.
 *
 * The question (docs/man/bento-policy.5.scd) goes to whatever else asks the user
 * (manager/prompts.h); what he says goes by a box to a worker, which tries it, and
 * stays nowhere.  A wrong one is asked for again, TRIES times in all.
 *
 * A key that comes by another way, for another qube or with `bento volume unlock`,
 * is as good: the question is taken back.  Nothing here ends a domain from within a
 * call of its owner's, who may hold a transaction: a timer does.
 */
#include <stdio.h>
#include <string.h>

#include "base/memfile.h"
#include "manager/domain_inside.h"
#include "manager/keyring.h"
#include "manager/manager.h"
#include "manager/plan.h"
#include "manager/prompts.h"
#include "manager/worker.h"

#define TRIES  3u
#define ANSWER "passphrase:"

struct domain_unlock {
	struct domain *d;
	struct plan_lock lock;
	struct prompts_question question;
	struct reactor_timer soon; /* then the user is asked, or it is over */
	bool asked;                /* the question is with the prompts */
	bool over;
	unsigned tries;  /* that were wrong */
	uint64_t number; /* of the last try */
	char why[sizeof(((struct fault *)0)->text)];
};

/* What a worker tries. */
struct attempt {
	struct keyring_box *box; /* the worker's and ours */
	uint8_t id[16];
	uint32_t qube;
	uint64_t number;
};

static void halt(struct domain_unlock *u, const char *why)
{
	char text[sizeof(u->why)];

	(void)snprintf(text, sizeof(text), "%s", why);
	(void)fprintf(stderr, "start %s: %s\n", u->d->name, text);
	domain_halted(u->d, text);
}

static void ask(struct domain_unlock *u)
{
	u->asked = true;
	prompts_ask(u->d->m->prompts, &u->question);
}

/* ---- a passphrase is tried ---- */

static void tried(struct manager *m, void *what, int err,
                  const struct fault *why)
{
	const struct attempt *t = what;
	struct domain *d = domain_find(m, t->qube);
	struct domain_unlock *u = d ? d->unlock : NULL;

	if (err == 0)
		err = keyring_put(m->keys, t->id, t->box->key.at);
	keyring_unbox(t->box);
	if (err == 0) {
		domain_unlock_keys(m);
		return;
	}
	/* Somebody else may wait by now. */
	if (!u || u->number != t->number)
		return;
	if (err == -EKEYREJECTED && ++u->tries < TRIES)
		ask(u);
	else
		halt(u, err == -ENOSPC ? "too many volumes are unlocked"
		                       : why->text);
}

static int start_try(struct domain_unlock *u, struct span secret,
                     struct fault *f)
{
	struct chore w = {.kind = CHORE_unlock};
	struct attempt *t = calloc(1, sizeof(*t));
	autoclose int fd = -1;
	int err;

	if (t)
		t->box = keyring_box(&fd);
	if (t && t->box) {
		memcpy(w.uuid, u->lock.uuid, sizeof(w.uuid));
		memcpy(w.volume, u->lock.volume, sizeof(w.volume));
		w.fd = fd;
		memcpy(t->box->secret, secret.at, secret.size);
		t->box->size = secret.size;
		memcpy(t->id, u->lock.id, sizeof(t->id));
		t->qube = u->d->id;
		t->number = u->number = domain_cookie(u->d->m);
		err = worker_start(u->d->m, &w, tried, t, f);
	} else {
		err = fault_set(f, -ENOMEM, "out of memory");
	}
	if (err == 0)
		return 0;
	if (t)
		keyring_unbox(t->box);
	free(t);
	return err;
}

static bool is_secret(struct span said, int status, struct span *secret)
{
	struct reader r = {.rest = said};

	if (status != 0 || !span_is(rd_take(&r, strlen(ANSWER)), ANSWER))
		return false;
	if (r.rest.size > 0 && r.rest.at[r.rest.size - 1] == '\n')
		r.rest.size--;
	*secret = r.rest;
	return r.rest.size > 0 && r.rest.size <= KEYRING_SECRET_MAX;
}

static void answered(struct prompts_question *q, struct span said, int status)
{
	struct domain_unlock *u = container_of(q, struct domain_unlock,
	                                       question);
	struct span secret;
	struct fault f;

	u->asked = false;
	if (!is_secret(said, status, &secret))
		halt(u, u->why);
	else if (start_try(u, secret, &f) < 0)
		halt(u, f.text);
}

/* ---- the question ---- */

/* Names of qubes and volumes are JSON as they are. */
static int file(struct prompts_question *q, struct fault *f)
{
	const struct domain_unlock *u = container_of(q, struct domain_unlock,
	                                             question);
	autobuffer struct buffer b = {0};
	int fd;

	buffer_printf(&b,
	              "{\"passphrase\": \"%s:%s\", \"qube\": \"%s\", "
	              "\"source\": \"%s\", \"wrong\": %s}\n",
	              u->lock.qube, u->lock.volume, u->d->name,
	              u->d->caller_name, u->tries > 0 ? "true" : "false");
	fd = b.bad ? -ENOMEM : memfile_make("prompt", buffer_span(&b));
	return fd < 0 ? fault_set(f, fd, "make a file for the question: %s",
	                          strerror(-fd))
	              : fd;
}

static void soon(struct reactor_timer *t)
{
	struct domain_unlock *u = container_of(t, struct domain_unlock, soon);

	if (u->over)
		halt(u, "nobody wants it any more");
	else
		ask(u);
}

int domain_unlock_begin(struct domain *d, const struct plan_lock *l,
                        const char *why)
{
	struct domain_unlock *u = calloc(1, sizeof(*u));

	if (!u)
		return -ENOMEM;
	u->d = d;
	u->lock = *l;
	u->question.asker = span_str(*d->caller_name ? d->caller_name
	                                             : d->name);
	u->question.file = file;
	u->question.answered = answered;
	(void)snprintf(u->why, sizeof(u->why), "%s", why);
	reactor_timer_init(&u->soon, soon);
	reactor_timer_start(d->m->reactor, &u->soon, 0);
	d->unlock = u;
	return 0;
}

const char *domain_unlock_why(const struct domain *d)
{
	return d->unlock->why;
}

static void withdraw(struct domain_unlock *u)
{
	if (u->asked)
		prompts_cancel(u->d->m->prompts, &u->question);
	u->asked = false;
}

void domain_unlock_end(struct domain *d)
{
	if (!d->unlock)
		return;
	withdraw(d->unlock);
	reactor_timer_stop(&d->unlock->soon);
	free(d->unlock);
	d->unlock = NULL;
}

void domain_unlock_give_up(struct domain *d)
{
	withdraw(d->unlock);
	d->unlock->over = true;
	d->unlock->number = 0; /* whatever is tried */
	reactor_timer_start(d->m->reactor, &d->unlock->soon, 0);
}

/* One whose key is there. */
static struct domain *find_unlocked(const struct manager *m)
{
	list_for_each (at, &m->domains->all) {
		struct domain *d = list_entry(at, struct domain, link);

		if (d->unlock && !d->unlock->over &&
		    keyring_has(m->keys, d->unlock->lock.id))
			return d;
	}
	return NULL;
}

void domain_unlock_keys(struct manager *m)
{
	struct domain *d;
	struct fault f;

	/* Others may end with one that does not start. */
	while ((d = find_unlocked(m)) != NULL) {
		domain_unlock_end(d);
		if (domain_launch_again(d, &f) < 0)
			domain_halted(d, f.text);
	}
}
