/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/prompts_terminal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/rights.h"
#include "manager/prompts.h"

static void leave(struct prompts_terminal *t)
{
	int fd = t->watch.fd;

	reactor_remove(t->reactor, &t->watch);
	base_close(&fd);
}

/* Behind "N ", if N is the question's number. */
static bool answers(const struct prompts_terminal *t, struct span *said)
{
	struct reader r = {.rest = *said};
	char number[24];
	int size = snprintf(number, sizeof(number), "%" PRIu64 " ", t->number);

	if (!span_is(rd_take(&r, (size_t)size), number))
		return false;
	*said = r.rest;
	return true;
}

static void says(struct reactor_watch *w, uint32_t events)
{
	struct prompts_terminal *t = container_of(w, struct prompts_terminal,
	                                          watch);
	uint8_t text[PROMPTS_SAID];
	ssize_t n = recv(w->fd, text, sizeof(text), MSG_DONTWAIT | MSG_TRUNC);
	struct span said = {text, n > 0 ? (size_t)n : 0};

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || (size_t)n > sizeof(text)) {
		leave(t);
		if (!t->asked)
			return;
		t->asked = false;
		t->answered(t, (struct span){NULL, 0}, -1);
	} else if (t->asked && answers(t, &said)) {
		t->asked = false;
		t->answered(t, said, 0);
	}
	explicit_bzero(text, sizeof(text));
}

void prompts_terminal_init(struct prompts_terminal *t, struct reactor *r,
                           void (*answered)(struct prompts_terminal *t,
                                            struct span said, int status))
{
	*t = (struct prompts_terminal){
		.reactor = r,
		.watch = {.fd = -1, .ready = says},
		.answered = answered,
	};
}

void prompts_terminal_fini(struct prompts_terminal *t)
{
	leave(t);
}

bool prompts_terminal_there(const struct prompts_terminal *t)
{
	return t->watch.fd >= 0;
}

int prompts_terminal_open(struct prompts_terminal *t, int *theirs,
                          struct fault *f)
{
	autoclose int ours = -1;
	autoclose int other = -1;
	int ends[2], err;

	if (prompts_terminal_there(t))
		return fault_set(f, -EBUSY,
		                 "another terminal answers questions");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return fault_errno(f, "make a socket");
	ours = ends[0];
	other = ends[1];
	err = reactor_add(t->reactor, &t->watch, ours, EPOLLIN);
	if (err < 0)
		return fault_set(f, err, "wait for the terminal");
	ours = -1; /* the watch has it */
	*theirs = take_fd(&other);
	return 0;
}

/* A message, with a descriptor unless that is -1. */
static int tell(const struct prompts_terminal *t, const char *verb, int fd)
{
	char text[48];
	ssize_t n;

	(void)snprintf(text, sizeof(text), "%s %" PRIu64, verb, t->number);
	n = rights_send(t->watch.fd, span_str(text), &fd, fd >= 0,
	                MSG_DONTWAIT);
	return n < 0 ? (int)n : 0;
}

int prompts_terminal_ask(struct prompts_terminal *t, int question)
{
	int err;

	t->number++;
	err = tell(t, "ask", question);
	if (err < 0)
		leave(t);
	t->asked = err == 0;
	return err;
}

void prompts_terminal_withdraw(struct prompts_terminal *t)
{
	if (!t->asked)
		return;
	t->asked = false;
	if (tell(t, "withdraw", -1) < 0)
		leave(t);
}
