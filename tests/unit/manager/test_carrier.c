/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"
#include "manager/carrier.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#define FULL 8 /* more connections than wait to be accepted */

/*
 * Hosts that do not answer: listeners who accept nobody, and with whom as many wait
 * already as may.  Nothing comes of the next connection, neither yes nor no.
 */
struct deaf {
	int listener;
	int waits[FULL];
	char folder[32];
	struct carrier carrier;
};

static void begin(struct deaf *d, int family, struct sockaddr *name,
                  socklen_t *size)
{
	d->listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(d->listener >= 0);
	assert_int_equal(bind(d->listener, name, *size), 0);
	assert_int_equal(listen(d->listener, 0), 0);
	assert_int_equal(getsockname(d->listener, name, size), 0);
	for (int i = 0; i < FULL; i++) {
		d->waits[i] = socket(
			family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(d->waits[i], name, *size);
	}
}

static void end(struct deaf *d)
{
	for (int i = 0; i < FULL; i++)
		close(d->waits[i]);
	close(d->listener);
}

/* How a carrier ends that waits no longer than a moment. */
static int carried(struct carrier *c)
{
	int ends[2], how;
	pid_t pid;

	c->patience_ms = 1;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	pid = fork();
	if (pid == 0)
		carrier_become(c, ends[0], ends[0]);
	assert_int_equal(waitpid(pid, &how, 0), pid);
	close(ends[0]);
	close(ends[1]);
	return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

static void a_host_that_does_not_answer_is_left(void **state)
{
	struct sockaddr_in name = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(name);
	struct deaf d = {.listener = -1};

	(void)state;
	begin(&d, AF_INET, (struct sockaddr *)&name, &size);
	d.carrier.tcp.port = ntohs(name.sin_port);
	(void)snprintf(d.carrier.tcp.host, sizeof(d.carrier.tcp.host),
	               "127.0.0.1");
	assert_int_equal(carried(&d.carrier), 125);
	end(&d);
}

static void a_socket_that_does_not_answer_is_left(void **state)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	socklen_t size = sizeof(name);
	struct deaf d = {.listener = -1, .folder = "/tmp/carrier-XXXXXX"};

	(void)state;
	assert_non_null(mkdtemp(d.folder));
	(void)snprintf(name.sun_path, sizeof(name.sun_path), "%s/s", d.folder);
	(void)snprintf(d.carrier.path, sizeof(d.carrier.path), "%s",
	               name.sun_path);
	begin(&d, AF_UNIX, (struct sockaddr *)&name, &size);
	assert_int_equal(carried(&d.carrier), 125);
	end(&d);
	(void)unlink(d.carrier.path);
	(void)rmdir(d.folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_that_does_not_answer_is_left),
		cmocka_unit_test(a_socket_that_does_not_answer_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
