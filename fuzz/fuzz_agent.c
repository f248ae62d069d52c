/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket on which programs ask for calls: three connections send what the
 * input says, in pieces, and end.  The manager hears of nothing that is not a
 * call as channel/callmsg.h has it; and once all connections have gone, none is
 * left in the kernel.
 *
 * An input is pieces of: connection, and whether it ends then (1 byte), size
 * (2), bytes.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "channel/agent.h"
#include "kernel/calls/callhub.h"
#include "kernel/net/sockets.h"

/* The host's, whose header does not go with the guest's numbers. */
int socketpair(int family, int type, int protocol, int fd[2]);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PEERS 3

static void turn(struct kernel *k)
{
	int quiet = 0;

	while (quiet < 2) {
		bool ran = loop_run_soon(&k->loop);

		ran |= loop_wait(&k->loop, 0) > 0;
		quiet = ran ? 0 : quiet + 1;
	}
}

struct manager {
	int fd;
	uint64_t ahead; /* number of the streams that wait for a call; or 0 */
};

/* With streams, unless it has them; and some for the next one, if it is early. */
static void allow(struct manager *m, const struct control *call)
{
	bool early = call->value[2] & CALLMSG_EARLY;
	struct control c = {CONTROL_allowed, {call->value[0]}, ""};
	uint32_t count = call->value[1] ? 0 : CALLMSG_STREAMS;
	int fd[2 * CALLMSG_STREAMS];

	if (early && !m->ahead) {
		m->ahead = c.value[1] = 1000 + call->value[0];
		count += CALLMSG_STREAMS;
	}
	for (uint32_t i = 0; i < count; i++) {
		int ends[2];

		if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
			abort();
		fd[i] = ends[0];
		close(ends[1]);
	}
	if (control_send(m->fd, &c, fd, count) < 0)
		abort();
	for (uint32_t i = 0; i < count; i++)
		close(fd[i]);
}

static void answer(struct manager *m, struct control *c)
{
	if (c->value[1] && c->value[1] != m->ahead)
		abort();
	m->ahead = c->value[1] ? 0 : m->ahead;
	if (c->value[0] % 3 == 2)
		allow(m, c);
	c->kind = CONTROL_refused;
	if (c->value[0] % 3 == 1 && control_send(m->fd, c, NULL, 0) < 0)
		abort();
}

/* Answers what the manager heard, by turns; all of it must be well formed. */
static void manage(struct kernel *k, struct manager *manager)
{
	int streams[CALLMSG_STREAMS] = {-1, -1, -1, -1};
	struct control_fds fds;
	struct control c;

	turn(k);
	while (control_receive(manager->fd, CONTROL_KERNEL, &c, &fds) > 0) {
		autofree char *text = NULL;
		struct callmsg m;

		if (c.kind == CONTROL_call) {
			if (callmsg_take(&c, &fds, &text, &m, streams) < 0)
				abort();
			answer(manager, &c);
		}
		control_close(&fds);
		turn(k);
	}
}

static int enter(struct testbed *bed)
{
	struct sockname n;
	int fd = make(bed, AF_UNIX, SOCK_STREAM);

	sockname_clear(&n, AF_UNIX, sizeof(n.un));
	memcpy(n.un.sun_path, AGENT_SOCKET, sizeof(AGENT_SOCKET));
	if (testbed_call(bed, __NR_connect, fd, n.bytes, n.size) < 0)
		abort();
	return fd;
}

static void talk(struct testbed *bed, struct manager *manager, struct reader *r)
{
	int fd[PEERS];

	for (size_t i = 0; i < PEERS; i++)
		fd[i] = enter(bed);
	while (r->rest.size > 0 && !r->bad) {
		uint8_t who = rd_u8(r);
		uint16_t want = rd_le16(r);
		struct span piece = rd_take(r, MIN(want, r->rest.size));
		int *at = &fd[who % PEERS];

		(void)testbed_call(bed, __NR_sendto, *at, piece.at, piece.size,
		                   MSG_DONTWAIT | MSG_NOSIGNAL);
		manage(&bed->kernel, manager);
		if (who & 0x80) {
			(void)shut(bed, *at);
			*at = enter(bed);
		}
	}
	for (size_t i = 0; i < PEERS; i++)
		(void)shut(bed, fd[i]);
	manage(&bed->kernel, manager);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct testbed *bed = testbed_create(0);
	struct kernel *k = &bed->kernel;
	struct reader r = {.rest = {data, size}};
	struct manager manager;
	int pair[2];

	k->lasts = true;
	if (testbed_call(bed, __NR_mkdir, "/run", 0755) < 0 ||
	    callhub_create(k, &bed->root) < 0 || !k->callhub->door ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
		abort();
	callhub_connect(k, pair[1]);
	manager = (struct manager){.fd = pair[0]};
	talk(bed, &manager, &r);
	if (k->callhub->asked_count != 0)
		abort();
	callhub_destroy(k);
	close(pair[0]);
	testbed_destroy(bed);
	return 0;
}
