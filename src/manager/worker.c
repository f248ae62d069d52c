/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/worker.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/visible.h"
#include "manager/spawner.h"

struct workers {
	struct list all;
};

struct worker {
	struct list link;
	struct manager *m;
	struct reactor_watch watch; /* what it says, then its end */
	pid_t pid;
	worker_done *done;
	void *what;
	struct buffer said; /* a struct worker_said */
	char from[QUBE_UUID_SIZE];
	uint64_t have, all; /* how far it is; 0 of 0: that is not known */
};

static void destroy(struct worker *w)
{
	int fd = w->watch.fd;

	reactor_remove(w->m->reactor, &w->watch);
	base_close(&fd);
	list_del(&w->link);
	buffer_fini(&w->said);
	free(w->what);
	free(w);
}

static void finish(struct worker *w)
{
	struct fault f = {.text = "a helper of the manager ended by itself"};
	struct worker_said said = {.err = -EIO};

	(void)spawner_wait(w->m, w->pid);
	if (w->said.size == sizeof(said)) {
		memcpy(&said, w->said.at, sizeof(said));
		memcpy(f.text, said.text, sizeof(f.text) - 1);
		visible_filter(f.text, strlen(f.text));
	}
	list_del(&w->link);
	w->done(w->m, w->what, said.err > 0 ? -EIO : said.err, &f);
	destroy(w);
}

/* Is it one of those before the last? */
static bool goes_on(struct worker *w)
{
	struct worker_said said;

	if (w->said.size < sizeof(said))
		return true;
	memcpy(&said, w->said.at, sizeof(said));
	if (said.err != WORKER_GOES_ON)
		return w->said.size == sizeof(said);
	w->have = said.done;
	w->all = said.all;
	buffer_clear(&w->said);
	return true;
}

static void ready(struct reactor_watch *watch, uint32_t events)
{
	struct worker *w = container_of(watch, struct worker, watch);
	/* No more than what is said at once; behind the last, a byte too many. */
	size_t room = w->said.size < sizeof(struct worker_said)
	                      ? sizeof(struct worker_said) - w->said.size
	                      : 1;
	uint8_t *to = buffer_reserve(&w->said, room);
	ssize_t n = to ? read(watch->fd, to, room) : 0;

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	w->said.size += n > 0 ? (size_t)n : 0;
	if (n <= 0 || !goes_on(w))
		finish(w);
}

bool worker_progress(const struct manager *m, const char *from, uint64_t *done,
                     uint64_t *all)
{
	list_for_each (at, &m->workers->all) {
		const struct worker *w = list_entry(at, struct worker, link);

		if (w->all == 0 || strcmp(w->from, from) != 0)
			continue;
		*done = w->have;
		*all = w->all;
		return true;
	}
	return false;
}

int worker_start(struct manager *m, const struct chore *work, worker_done *done,
                 void *what, struct fault *f)
{
	struct worker *w = calloc(1, sizeof(*w));
	struct spawned s;
	int err;

	if (!w)
		return fault_set(f, -ENOMEM, "out of memory");
	err = spawner_worker(m, work, &s, f);
	if (err < 0) {
		free(w);
		return err;
	}
	w->watch.ready = ready;
	err = reactor_add(m->reactor, &w->watch, s.report, EPOLLIN);
	if (err < 0) {
		spawner_kill(s.pidfd);
		(void)spawner_wait(m, s.pid);
		close(s.report);
		free(w);
		err = fault_set(f, err, "watch a pipe: %s", strerror(-err));
	} else {
		w->m = m;
		w->pid = s.pid;
		w->done = done;
		w->what = what;
		memcpy(w->from, work->from, sizeof(w->from));
		list_add_tail(&m->workers->all, &w->link);
	}
	close(s.pidfd);
	return err;
}

int worker_create_all(struct manager *m, struct fault *f)
{
	m->workers = calloc(1, sizeof(*m->workers));
	if (!m->workers)
		return fault_set(f, -ENOMEM, "out of memory");
	list_init(&m->workers->all);
	return 0;
}

void worker_destroy_all(struct manager *m)
{
	if (!m->workers)
		return;
	list_for_each_safe (at, &m->workers->all)
		destroy(list_entry(at, struct worker, link));
	free(m->workers);
	m->workers = NULL;
}
