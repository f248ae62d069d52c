/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/prompts.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include "manager/manager.h"
#include "manager/prompts_terminal.h"
#include "manager/spawner.h"

/* A qube with questions that wait for their turn. */
struct prompts_asker {
	struct list link;
	struct list questions;
	struct span name; /* a copy */
	char room[256];
};

struct prompts {
	struct manager *m;
	struct list askers;             /* the one whose turn it is first */
	struct prompts_question *asked; /* NULL: nobody is asked */
	struct reactor_watch prompt;    /* a pidfd */
	pid_t pid;                      /* 0: none */
	struct reactor_watch answers;   /* what it says */
	uint8_t said[PROMPTS_SAID];
	size_t said_size;
	struct prompts_terminal terminal;
	bool busy; /* in next_turn(): not again */
};

static void unwatch(struct prompts *p, struct reactor_watch *w)
{
	int fd = w->fd;

	reactor_remove(p->m->reactor, w);
	base_close(&fd);
}

/* Whatever there is of a prompt goes. */
static void end_prompt(struct prompts *p)
{
	if (p->pid > 0) {
		spawner_kill(p->prompt.fd);
		(void)spawner_wait(p->m, p->pid);
	}
	prompts_terminal_withdraw(&p->terminal);
	p->pid = 0;
	p->asked = NULL;
	explicit_bzero(p->said, sizeof(p->said));
	p->said_size = 0;
	unwatch(p, &p->prompt);
	unwatch(p, &p->answers);
}

/* Takes what the prompt has said.  False: it says no more. */
static bool listen_to(struct prompts *p)
{
	ssize_t n = read(p->answers.fd, p->said + p->said_size,
	                 sizeof(p->said) - p->said_size);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	p->said_size += (size_t)n;
	return n > 0;
}

static void prompt_says(struct reactor_watch *w, uint32_t events)
{
	struct prompts *p = container_of(w, struct prompts, answers);

	(void)events;
	if (listen_to(p) && p->said_size < sizeof(p->said))
		return;
	/* Its end decides; what is too long is no answer. */
	if (p->said_size == sizeof(p->said))
		spawner_kill(p->prompt.fd);
	unwatch(p, w);
}

static void next_turn(struct prompts *p);

/* Whoever was asked says this, all of it: now others may be. */
static void settle(struct prompts *p, struct span said, int status)
{
	struct prompts_question *q = p->asked;
	uint8_t copy[PROMPTS_SAID];

	assert(said.size <= sizeof(copy));
	if (said.size > 0)
		memcpy(copy, said.at, said.size);
	end_prompt(p);
	q->answered(q, (struct span){copy, said.size}, status);
	explicit_bzero(copy, sizeof(copy));
	next_turn(p);
}

static void terminal_says(struct prompts_terminal *t, struct span said,
                          int status)
{
	settle(container_of(t, struct prompts, terminal), said, status);
}

/* The prompt has ended. */
static void prompt_ended(struct reactor_watch *w, uint32_t events)
{
	struct prompts *p = container_of(w, struct prompts, prompt);
	int status = spawner_wait(p->m, p->pid);

	(void)events;
	p->pid = 0;
	if (p->answers.fd >= 0)
		(void)listen_to(p);
	if (p->said_size == sizeof(p->said))
		p->said_size = 0;
	settle(p, (struct span){p->said, p->said_size}, status);
}

/*
 * Asks on the terminal, or else by the program.  0, or a negative errno: nobody
 * will be asked.
 */
static int start(struct prompts *p, struct prompts_question *q)
{
	struct reactor *r = p->m->reactor;
	struct fault f;
	autoclose int question = q->file(q, &f);
	struct spawned s;
	int err;

	if (question < 0)
		return question;
	if (prompts_terminal_there(&p->terminal) &&
	    prompts_terminal_ask(&p->terminal, question) == 0) {
		p->asked = q;
		return 0;
	}
	err = spawner_prompt(p->m, question, &s, &f);
	if (err < 0)
		return err;
	p->pid = s.pid;
	if (reactor_add(r, &p->prompt, s.pidfd, EPOLLIN) < 0) {
		spawner_kill(s.pidfd);
		close(s.pidfd);
		close(s.report);
		return -EIO;
	}
	if (fcntl(s.report, F_SETFL, O_NONBLOCK) < 0 ||
	    reactor_add(r, &p->answers, s.report, EPOLLIN) < 0) {
		close(s.report);
		return -EIO;
	}
	p->asked = q;
	return 0;
}

/* Takes a question out of its queue; an asker without any goes. */
static void take_out(struct prompts_question *q)
{
	struct prompts_asker *a = q->waits;

	list_del(&q->turn);
	q->waits = NULL;
	if (!a || !list_empty(&a->questions))
		return;
	list_del(&a->link);
	free(a);
}

static void nobody(struct prompts_question *q)
{
	q->answered(q, (struct span){NULL, 0}, -1);
}

static void next_turn(struct prompts *p)
{
	if (p->busy)
		return;
	p->busy = true;
	while (!p->asked && !list_empty(&p->askers)) {
		struct prompts_asker *a = list_first(
			&p->askers, struct prompts_asker, link);
		struct prompts_question *q = list_first(
			&a->questions, struct prompts_question, turn);

		/* Behind the others. */
		list_del(&a->link);
		list_add_tail(&p->askers, &a->link);
		take_out(q);
		if (start(p, q) == 0)
			break;
		end_prompt(p);
		nobody(q);
	}
	p->busy = false;
}

static struct prompts_asker *find_asker(struct prompts *p, struct span name)
{
	struct prompts_asker *a;

	list_for_each (at, &p->askers) {
		a = list_entry(at, struct prompts_asker, link);
		if (span_eq(a->name, name))
			return a;
	}
	a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	a->name.at = (const uint8_t *)a->room;
	a->name.size = MIN(name.size, sizeof(a->room));
	memcpy(a->room, name.at, a->name.size);
	list_init(&a->questions);
	list_add_tail(&p->askers, &a->link);
	return a;
}

void prompts_ask(struct prompts *p, struct prompts_question *q)
{
	struct prompts_asker *a = find_asker(p, q->asker);

	q->waits = a;
	list_init(&q->turn);
	if (!a) {
		nobody(q);
		return;
	}
	list_add_tail(&a->questions, &q->turn);
	next_turn(p);
}

void prompts_cancel(struct prompts *p, struct prompts_question *q)
{
	if (p->asked == q)
		end_prompt(p);
	else
		take_out(q);
	next_turn(p);
}

int prompts_open(struct prompts *p, int *theirs, struct fault *f)
{
	return prompts_terminal_open(&p->terminal, theirs, f);
}

int prompts_create(struct manager *m, struct prompts **out, struct fault *f)
{
	struct prompts *p = calloc(1, sizeof(*p));

	if (!p)
		return fault_set(f, -ENOMEM, "out of memory");
	p->m = m;
	list_init(&p->askers);
	p->prompt = (struct reactor_watch){.fd = -1, .ready = prompt_ended};
	p->answers = (struct reactor_watch){.fd = -1, .ready = prompt_says};
	prompts_terminal_init(&p->terminal, m->reactor, terminal_says);
	*out = p;
	return 0;
}

void prompts_destroy(struct prompts *p)
{
	if (!p)
		return;
	end_prompt(p);
	prompts_terminal_fini(&p->terminal);
	assert(list_empty(&p->askers));
	free(p);
}
