/* SPDX-License-Identifier: Apache-2.0 */
/*
 * At most THREADS helpers, started on demand with small stacks and every
 * signal blocked.  The finished list and the eventfd are the way back.
 */
#include "kernel/core/work.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define THREADS    4
#define STACK_SIZE (128 * 1024)

struct workers {
	struct loop *loop;
	struct event bell;
	pthread_mutex_t lock;
	pthread_cond_t more;
	pthread_cond_t ended; /* for work_finish() */
	struct list todo;
	struct list finished;
	pthread_t thread[THREADS];
	unsigned count;
	unsigned idle;
	bool stop;
};

static void finish(struct workers *ws, struct work *w)
{
	static const uint64_t one = 1;

	pthread_mutex_lock(&ws->lock);
	w->state = WORK_FINISHED;
	list_add_tail(&ws->finished, &w->link);
	pthread_cond_broadcast(&ws->ended);
	pthread_mutex_unlock(&ws->lock);
	(void)!write(ws->bell.fd, &one, sizeof(one));
}

static void *helper(void *arg)
{
	struct workers *ws = arg;

	pthread_mutex_lock(&ws->lock);
	while (!ws->stop) {
		struct work *w;

		if (list_empty(&ws->todo)) {
			ws->idle++;
			pthread_cond_wait(&ws->more, &ws->lock);
			ws->idle--;
			continue;
		}
		w = list_first(&ws->todo, struct work, link);
		list_del(&w->link);
		w->state = WORK_RUNNING;
		pthread_mutex_unlock(&ws->lock);
		w->run(w);
		finish(ws, w);
		pthread_mutex_lock(&ws->lock);
	}
	pthread_mutex_unlock(&ws->lock);
	return NULL;
}

static void bell_ready(struct event *e, uint32_t events)
{
	struct workers *ws = container_of(e, struct workers, bell);
	struct list done;
	uint64_t drained;

	(void)events;
	(void)!read(e->fd, &drained, sizeof(drained));
	list_init(&done);
	pthread_mutex_lock(&ws->lock);
	while (!list_empty(&ws->finished)) {
		struct list *l = ws->finished.next;

		list_del(l);
		list_add_tail(&done, l);
	}
	pthread_mutex_unlock(&ws->lock);
	while (!list_empty(&done)) {
		struct work *w = list_first(&done, struct work, link);

		list_del(&w->link);
		w->done(w);
	}
}

int work_create(struct loop *l, struct workers **out)
{
	struct workers *ws = calloc(1, sizeof(*ws));
	int err;

	if (!ws)
		return -ENOMEM;
	ws->loop = l;
	ws->bell.ready = bell_ready;
	list_init(&ws->todo);
	list_init(&ws->finished);
	pthread_mutex_init(&ws->lock, NULL);
	pthread_cond_init(&ws->more, NULL);
	pthread_cond_init(&ws->ended, NULL);
	ws->bell.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (ws->bell.fd < 0) {
		err = -errno;
		goto free_ws;
	}
	err = loop_add(l, &ws->bell, EPOLLIN);
	if (err < 0)
		goto close_bell;
	*out = ws;
	return 0;

close_bell:
	close(ws->bell.fd);
free_ws:
	free(ws);
	return err;
}

void work_destroy(struct workers *ws)
{
	if (!ws)
		return;
	pthread_mutex_lock(&ws->lock);
	ws->stop = true;
	pthread_cond_broadcast(&ws->more);
	pthread_mutex_unlock(&ws->lock);
	for (unsigned i = 0; i < ws->count; i++)
		pthread_join(ws->thread[i], NULL);
	loop_remove(ws->loop, &ws->bell);
	close(ws->bell.fd);
	free(ws);
}

static int start_helper(struct workers *ws)
{
	sigset_t all, old;
	pthread_attr_t attr;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&ws->thread[ws->count], &attr, helper, ws);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (err == 0)
		ws->count++;
	return -err;
}

int work_submit(struct workers *ws, struct work *w)
{
	int err = 0;

	list_init(&w->link);
	pthread_mutex_lock(&ws->lock);
	if (ws->idle == 0 && ws->count < THREADS)
		err = start_helper(ws);
	if (ws->count > 0) {
		w->state = WORK_TODO;
		list_add_tail(&ws->todo, &w->link);
		pthread_cond_signal(&ws->more);
		err = 0;
	}
	pthread_mutex_unlock(&ws->lock);
	return err < 0 ? -EAGAIN : 0;
}

void work_finish(struct workers *ws, struct work *w)
{
	bool begun;

	pthread_mutex_lock(&ws->lock);
	begun = w->state != WORK_TODO;
	while (w->state == WORK_RUNNING)
		pthread_cond_wait(&ws->ended, &ws->lock);
	/* From those to do, from those finished, or from bell_ready()'s. */
	list_del(&w->link);
	pthread_mutex_unlock(&ws->lock);
	if (!begun)
		w->run(w);
}
