/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever a parser of src/qrexec accepts, its writer makes again; of a command
 * as an argument, what means the same.  The first byte says which: a message, a
 * command line, or that.
 */
#include "qrexec/qrcommand.h"
#include "qrexec/qrmsg.h"
#include "qrexec/vmexec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_again(uint32_t type, struct span body, struct buffer *to)
{
	struct qrmsg_trigger t;
	struct qrmsg_exec e;
	struct span ident;
	uint32_t n;

	switch (type) {
	case QRMSG_HELLO:
	case QRMSG_DATA_EXIT_CODE:
		if (qrmsg_number_read(body, &n) == 0)
			qrmsg_put_number(to, type, n);
		break;
	case QRMSG_EXEC_CMDLINE:
	case QRMSG_JUST_EXEC:
	case QRMSG_SERVICE_CONNECT:
		if (qrmsg_exec_read(body, &e) == 0)
			qrmsg_put_exec(to, type, &e);
		break;
	case QRMSG_CONNECTION_TERMINATED:
		if (qrmsg_port_read(body, &e) == 0)
			qrmsg_put_port(to, type, e.domain, e.port);
		break;
	case QRMSG_SERVICE_REFUSED:
		if (qrmsg_refused_read(body, &ident) == 0)
			qrmsg_put_refused(to, ident);
		break;
	case QRMSG_TRIGGER_SERVICE3:
	case QRMSG_TRIGGER_SERVICE4:
		if (qrmsg_trigger_read(type, body, &t) == 0)
			qrmsg_put_trigger(to, type, &t);
		break;
	default:
		qrmsg_put_data(to, type, body);
	}
}

static void message(struct span wire)
{
	autobuffer struct buffer again = {0};
	struct qrmsg_header h;

	if (wire.size < QRMSG_HEADER_SIZE ||
	    qrmsg_header_read(wire.at, &h) < 0 ||
	    h.size != wire.size - QRMSG_HEADER_SIZE)
		return;
	put_again(h.type, span_from(wire, QRMSG_HEADER_SIZE), &again);
	if (again.size > 0 && !span_eq(buffer_span(&again), wire))
		abort();
}

static void command(struct span text)
{
	autobuffer struct buffer again = {0};
	struct qrcommand c;

	if (qrcommand_read(text, &c) < 0)
		return;
	qrcommand_write(&c, &again);
	if (!span_eq(buffer_span(&again), text))
		abort();
}

static void words(struct span argument)
{
	autobuffer struct buffer packed = {0}, again = {0}, unpacked = {0};
	int count = vmexec_decode(argument, &packed);
	char **list = count < 0 ? NULL
	                        : calloc((size_t)count + 1, sizeof(*list));
	char *at = (char *)packed.at;

	if (!list)
		return;
	for (int i = 0; i < count; i++) {
		list[i] = at;
		at += strlen(at) + 1;
	}
	if (at != (char *)packed.at + packed.size)
		abort();
	/* A byte may have been written as an escape that needs none. */
	vmexec_encode(list, &again);
	if (vmexec_decode(buffer_span(&again), &unpacked) != count ||
	    !span_eq(buffer_span(&unpacked), buffer_span(&packed)))
		abort();
	free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = {data + 1, size - 1};

	if (size == 0)
		return 0;
	switch (data[0]) {
	case 'm':
		message(rest);
		break;
	case 'c':
		command(rest);
		break;
	case 'w':
		words(rest);
		break;
	default:
		break;
	}
	return 0;
}
