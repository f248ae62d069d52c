/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/dom0.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "manager/listener.h"
#include "manager/manager.h"
#include "manager/spawner.h"

static void tell(int to, const void *bytes, size_t size)
{
	/* These few bytes always fit; the caller may have gone. */
	(void)!write(to, bytes, size);
}

static void get_date(const int streams[CALLMSG_STREAMS])
{
	time_t now = time(NULL);
	char text[64];
	struct tm tm;
	size_t size;

	if (!gmtime_r(&now, &tm))
		return;
	size = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S+00:00\n", &tm);
	tell(streams[CALLMSG_OUT], text, size);
}

static const struct {
	const char *name;
	void (*serve)(const int streams[CALLMSG_STREAMS]);
} services[] = {
#define SERVICE(name, function, what) {name, function},
#include "manager/dom0.def"
};

/* True if it is one of ours, and served. */
static bool serve_here(struct span name, const int streams[CALLMSG_STREAMS])
{
	for (size_t i = 0; i < ARRAY_LEN(services); i++) {
		if (!span_is(name, services[i].name))
			continue;
		services[i].serve(streams);
		callmsg_tell_status(streams[CALLMSG_STATUS], 0);
		return true;
	}
	return false;
}

/* A method of the Admin API.  Takes over three of the streams. */
static int serve_method(struct manager *m, const struct callmsg *what,
                        struct span name, int streams[CALLMSG_STREAMS])
{
	struct span argument = span_from(what->service, name.size + 1);
	bool keyword = what->target.size > 0 && what->target.at[0] == '@';
	struct request r = {
		.method = name,
		.argument = argument,
		.source = what->source,
		.target = keyword ? span_str("dom0") : what->target,
	};
	autobuffer struct buffer head = {0};

	request_format(&head, &r);
	if (head.bad)
		return -ENOMEM;
	return listener_vetted(
		m->listener, buffer_span(&head), take_fd(&streams[CALLMSG_IN]),
		take_fd(&streams[CALLMSG_OUT]),
		fcntl(streams[CALLMSG_STATUS], F_DUPFD_CLOEXEC, 0));
}

static struct span name_of(struct span service)
{
	size_t size = 0;

	while (size < service.size && service.at[size] != '+')
		size++;
	return (struct span){service.at, size};
}

/* A program that serves a qube. */
struct running {
	struct list link; /* in manager.services */
	struct manager *m;
	struct reactor_watch life; /* readable at its end */
	char source[CALLMSG_NAME_MAX + 1];
};

static void forget(struct running *r)
{
	int fd = r->life.fd;

	reactor_remove(r->m->reactor, &r->life);
	base_close(&fd);
	list_del(&r->link);
	free(r);
}

static void ended(struct reactor_watch *w, uint32_t events)
{
	(void)events;
	forget(container_of(w, struct running, life));
}

void dom0_forget(struct manager *m)
{
	list_for_each_safe (at, &m->services)
		forget(list_entry(at, struct running, link));
}

/* May it have one more?  A qube that takes all it can leaves some to others. */
static bool has_place(const struct manager *m, struct span source)
{
	uint32_t own = 0, others = 0;

	list_for_each (at, &m->services) {
		if (span_is(source,
		            list_entry(at, struct running, link)->source))
			own++;
		else
			others++;
	}
	return others < DOM0_MAX && own < (DOM0_MAX - others + 1) / 2;
}

/* 0; -ENOENT: there is no such program; or another negative errno. */
static int serve_program(struct manager *m, const struct callmsg *what,
                         int streams[CALLMSG_STREAMS], struct fault *f)
{
	struct running *r;
	int fd = -1;
	int err;

	if (!has_place(m, what->source))
		return fault_set(f, -EBUSY, "%.*s has dom0 serve too much",
		                 (int)what->source.size,
		                 (const char *)what->source.at);
	r = calloc(1, sizeof(*r));
	if (!r)
		return fault_set(f, -ENOMEM, "out of memory");
	r->m = m;
	r->life = (struct reactor_watch){.fd = -1, .ready = ended};
	memcpy(r->source, what->source.at,
	       MIN(what->source.size, (size_t)CALLMSG_NAME_MAX));
	list_add_tail(&m->services, &r->link);
	err = spawner_service(m, what, streams, &fd, f);
	if (err < 0 || reactor_add(m->reactor, &r->life, fd, EPOLLIN) < 0) {
		base_close(&fd);
		forget(r);
	}
	return err;
}

/* 0, or a negative errno; -ESRCH: nobody serves this. */
static int serve(struct manager *m, const struct callmsg *what,
                 int streams[CALLMSG_STREAMS])
{
	struct span name = name_of(what->service);
	struct fault f;
	int err = serve_program(m, what, streams, &f);

	if (err != -ENOENT) {
		if (err < 0)
			(void)fprintf(stderr, "%s\n", f.text);
		return err;
	}
	if (serve_here(name, streams))
		return 0;
	return call_is_for_qubes(name) ? serve_method(m, what, name, streams)
	                               : -ESRCH;
}

void dom0_serve(struct manager *m, const struct callmsg *what,
                int streams[CALLMSG_STREAMS])
{
	int err = serve(m, what, streams);

	if (err < 0)
		callmsg_tell_status(streams[CALLMSG_STATUS],
		                    err == -ESRCH ? CALLMSG_EXIT_NO_SERVICE
		                                  : CALLMSG_EXIT_PROBLEM);
	callmsg_close(streams);
}
