/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/worker.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

struct workers {
	struct list all;
};

struct worker {
	struct list link;
	struct manager *m;
	struct reactor_watch watch; /* what the child says, then its end */
	pid_t pid;
	worker_done *done;
	void *what;
	struct buffer said; /* the error in four bytes, and why */
};

/* The parent may have gone before we asked to die with it. */
static _Noreturn void be_worker(const struct manager *m, worker_work *work,
                                const void *what, int say, pid_t parent)
{
	struct fault f = {.text = ""};
	struct {
		int32_t err;
		char text[sizeof(f.text)];
	} said = {0};

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(1);
	said.err = work(m, what, &f);
	memcpy(said.text, f.text, sizeof(said.text));
	_exit(write(say, &said, sizeof(said)) == sizeof(said) ? 0 : 1);
}

static void finish(struct worker *w)
{
	struct fault f = {.text = "a helper of the manager ended by itself"};
	int32_t err = -EIO;
	int fd = w->watch.fd;

	reactor_remove(w->m->reactor, &w->watch);
	base_close(&fd);
	while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (w->said.size == sizeof(err) + sizeof(f.text)) {
		memcpy(&err, w->said.at, sizeof(err));
		memcpy(f.text, w->said.at + sizeof(err), sizeof(f.text));
	}
	list_del(&w->link);
	w->done(w->m, w->what, err, &f);
	buffer_fini(&w->said);
	free(w->what);
	free(w);
}

static void ready(struct reactor_watch *watch, uint32_t events)
{
	struct worker *w = container_of(watch, struct worker, watch);
	uint8_t *to = buffer_reserve(&w->said, 1024);
	ssize_t n = to ? read(watch->fd, to, 1024) : 0;

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		finish(w);
		return;
	}
	w->said.size += (size_t)n;
}

int worker_start(struct manager *m, worker_work *work, worker_done *done,
                 void *what, struct fault *f)
{
	struct worker *w = calloc(1, sizeof(*w));
	autoclose int heard = -1, say = -1;
	pid_t parent = getpid();
	int ends[2], err;

	if (!w)
		return fault_set(f, -ENOMEM, "out of memory");
	if (pipe2(ends, O_CLOEXEC) < 0) {
		err = fault_errno(f, "make a pipe");
		goto fail;
	}
	heard = ends[0];
	say = ends[1];
	w->watch.ready = ready;
	err = reactor_add(m->reactor, &w->watch, heard, EPOLLIN);
	if (err < 0) {
		err = fault_set(f, err, "watch a pipe: %s", strerror(-err));
		goto fail;
	}
	w->pid = fork();
	if (w->pid == 0)
		be_worker(m, work, what, say, parent);
	if (w->pid < 0) {
		err = fault_errno(f, "start a helper");
		reactor_remove(m->reactor, &w->watch);
		goto fail;
	}
	heard = -1; /* the watch's now */
	w->m = m;
	w->done = done;
	w->what = what;
	list_add_tail(&m->workers->all, &w->link);
	return 0;

fail:
	free(w);
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
	list_for_each_safe (at, &m->workers->all) {
		struct worker *w = list_entry(at, struct worker, link);
		int fd = w->watch.fd;

		(void)kill(w->pid, SIGKILL);
		while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
			;
		reactor_remove(m->reactor, &w->watch);
		base_close(&fd);
		buffer_fini(&w->said);
		list_del(&w->link);
		free(w->what);
		free(w);
	}
	free(m->workers);
	m->workers = NULL;
}
