/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/call.h"

#include <stdarg.h>
#include <stdio.h>

#include "manager/handlers.h"
#include "manager/listener.h"
#include "manager/manager.h"
#include "manager/preload.h"

#define GLOBAL "admin.property." /* methods about the whole installation */

enum target { DOM0, ANY, QUBE };
enum way { READS, WRITES, STREAM };
enum presence { NO, MAY, MUST };

struct method {
	int (*handle)(struct call *c);
	const char *name;
	enum target target;
	enum way way;
	enum presence argument, payload;
};

static const struct method methods[] = {
#define METHOD(handler, name, target, way, argument, payload, what) \
	{handler, name, target, way, argument, payload},
#include "admin/methods.def"
};

static const char *const exceptions[] = {
#define EXCEPTION(name) #name,
#include "manager/exceptions.def"
};

const char *call_exception_name(enum exception ex)
{
	return exceptions[ex];
}

/* A '*' of the pattern is one word without a dot. */
static bool matches(const char *pattern, struct span name)
{
	size_t i = 0;

	for (; *pattern; pattern++) {
		size_t from = i;

		if (*pattern != '*') {
			if (i == name.size || name.at[i] != (uint8_t)*pattern)
				return false;
			i++;
			continue;
		}
		while (i < name.size && name.at[i] != '.')
			i++;
		if (i == from)
			return false;
	}
	return i == name.size;
}

static const struct method *find_method(struct span name)
{
	/* A name without a star is meant before one with. */
	for (int star = 0; star < 2; star++)
		for (size_t i = 0; i < ARRAY_LEN(methods); i++)
			if (!strchr(methods[i].name, '*') == !star &&
			    matches(methods[i].name, name))
				return &methods[i];
	return NULL;
}

bool call_is_stream(struct span head)
{
	const struct method *m;
	struct request r;

	if (request_parse(head, &r) < 0)
		return false;
	m = find_method(r.method);
	return m && m->way == STREAM;
}

/* What is ours alone hands out descriptors. */
bool call_is_for_qubes(struct span name)
{
	const struct method *m = find_method(name);

	return m && strncmp(m->name, "bento.", strlen("bento.")) != 0;
}

int call_source(struct call *c, struct qube *out)
{
	char name[REQUEST_WORD_MAX + 1];
	const struct span *s = &c->request.source;

	memcpy(name, s->at, s->size);
	name[s->size] = '\0';
	if (qube_find(c->m->ledger, name, out) < 0 ||
	    out->class == QUBE_AdminVM)
		return call_fail(c, EX_PermissionDenied,
		                 "only a qube may ask this");
	return 0;
}

int call_fail(struct call *c, enum exception ex, const char *fmt, ...)
{
	va_list ap;

	c->ex = ex;
	va_start(ap, fmt);
	(void)vsnprintf(c->why, sizeof(c->why), fmt, ap);
	va_end(ap);
	return -EREMOTEIO;
}

int call_fault(struct call *c, int err, const struct fault *f)
{
	(void)err;
	return call_fail(c, EX_QubesException, "%s", f->text);
}

int call_step(struct call *c)
{
	struct fault f;
	int err = ledger_commit(c->m->ledger, &f);

	if (err < 0) {
		events_drop(&c->m->events);
		return call_fault(c, err, &f);
	}
	events_flush(&c->m->events);
	err = ledger_begin(c->m->ledger, true, &f);
	return err < 0 ? call_fault(c, err, &f) : 0;
}

bool call_word(const struct call *c, const char *key, char *out, size_t room)
{
	struct span rest = c->request.payload;
	size_t len = strlen(key);

	while (rest.size > 0) {
		size_t size = 0;

		while (size < rest.size && rest.at[size] != ' ' &&
		       rest.at[size] != '\n')
			size++;

		if (size > len && memcmp(rest.at, key, len) == 0 &&
		    rest.at[len] == '=' && size - len - 1 < room) {
			memcpy(out, rest.at + len + 1, size - len - 1);
			out[size - len - 1] = '\0';
			return strlen(out) == size - len - 1;
		}
		rest = span_from(rest, size + 1);
	}
	return false;
}

int call_text(struct call *c, char *out, size_t room, bool lines)
{
	struct span p = c->request.payload;

	if (p.size >= room)
		return call_fail(c, EX_QubesValueError,
		                 "that is too long: at most %zu bytes",
		                 room - 1);
	for (size_t i = 0; i < p.size; i++)
		if ((p.at[i] < ' ' && !(lines && p.at[i] == '\n')) ||
		    p.at[i] > '~')
			return call_fail(c, EX_QubesValueError,
			                 "a value is of printable ASCII");
	if (p.size)
		memcpy(out, p.at, p.size);
	out[p.size] = '\0';
	return 0;
}

static void destroy(struct call *c)
{
	list_del(&c->waiting);
	buffer_fini(&c->wire);
	buffer_fini(&c->answer);
	base_close(&c->fd);
	free(c);
}

void call_forget(struct call *c)
{
	c->conn = NULL;
}

static bool is_global(const struct call *c)
{
	return strncmp(c->name, GLOBAL, strlen(GLOBAL)) == 0;
}

void call_finish(struct call *c, int result)
{
	autobuffer struct buffer b = {0};

	assert(result <= 0);
	if (c->answer.bad)
		result = call_fail(c, EX_QubesMemoryError, "out of memory");
	if (result < 0)
		reply_exception(&b, call_exception_name(c->ex), c->why);
	else
		reply_ok(&b, buffer_span(&c->answer));
	if (result == 0 && c->changes)
		preload_changed(c->m, is_global(c) ? NULL : c->target.uuid);
	if (c->conn)
		listener_answer(c->conn, buffer_span(&b),
		                result < 0 ? -1 : take_fd(&c->fd));
	destroy(c);
}

/* Does the request keep to its row, and is there such a qube? */
static int check_row(struct call *c, const struct method *m)
{
	char target[REQUEST_WORD_MAX + 1];
	const struct request *r = &c->request;

	memcpy(target, r->target.at, r->target.size);
	target[r->target.size] = '\0';
	if (r->argument.size)
		memcpy(c->argument, r->argument.at, r->argument.size);
	if (!span_is(r->source, "dom0") && !c->vetted)
		return call_fail(c, EX_PermissionDenied,
		                 "only dom0 may ask here");
	if (qube_find(c->m->ledger, target, &c->target) < 0)
		return call_fail(c, EX_QubesVMNotFoundError,
		                 "No such domain: '%s'", target);
	if ((m->target == DOM0 && c->target.class != QUBE_AdminVM) ||
	    (m->target == QUBE && c->target.class == QUBE_AdminVM))
		return call_fail(c, EX_PermissionDenied, "%s is not for '%s'",
		                 m->name, c->target.name);
	if ((m->argument == NO && r->argument.size) ||
	    (m->argument == MUST && !r->argument.size) ||
	    (m->payload == NO && r->payload.size) ||
	    (m->payload == MUST && !r->payload.size))
		return call_fail(c, EX_ProtocolError,
		                 "%s does not take %s like this", m->name,
		                 (m->argument == NO) == !r->argument.size
		                         ? "a payload"
		                         : "an argument");
	return 0;
}

/* Runs the handler in its transaction. */
static int handle(struct call *c, const struct method *m)
{
	struct ledger *l = c->m->ledger;
	struct fault f;
	int err = ledger_begin(l, m->way == WRITES, &f);
	int ret;

	if (err < 0)
		return call_fault(c, err, &f);
	ret = check_row(c, m);
	if (ret == 0)
		ret = m->handle(c);
	if (ret < 0 || m->way != WRITES) {
		ledger_abort(l);
		events_drop(&c->m->events);
		return ret;
	}
	err = ledger_commit(l, &f);
	if (err < 0) {
		events_drop(&c->m->events);
		return call_fault(c, err, &f);
	}
	events_flush(&c->m->events);
	return ret;
}

void call_again(struct call *c)
{
	const struct method *method = find_method(c->request.method);
	int ret;

	assert(method);
	c->again = false;
	ret = handle(c, method);
	assert(ret != CALL_STREAM);
	if (ret != CALL_LATER)
		call_finish(c, ret);
}

/* Does it change what its target, or a disposable of that, is started as? */
static bool changes_target(const struct method *m)
{
	static const char *const names[] = {
		GLOBAL,
		"admin.vm.property.",
		"admin.vm.volume.",
		"bento.template.",
		"bento.volume.",
	};

	for (size_t i = 0; i < ARRAY_LEN(names) && m->way != READS; i++)
		if (strncmp(m->name, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

int call_start(struct manager *m, struct conn *conn, struct buffer *wire)
{
	struct call *c = calloc(1, sizeof(*c));
	const struct method *method = NULL;
	int ret;

	if (!c)
		return -ENOMEM;
	c->m = m;
	c->conn = conn;
	c->fd = -1;
	list_init(&c->waiting);
	c->wire = *wire;
	*wire = (struct buffer){0};
	if (request_parse(buffer_span(&c->wire), &c->request) == 0)
		method = find_method(c->request.method);
	if (method && listener_is_vetted(conn) &&
	    !call_is_for_qubes(c->request.method))
		method = NULL;
	if (!method) {
		destroy(c);
		return -EPROTO;
	}
	c->name = method->name;
	c->changes = changes_target(method);
	c->vetted = listener_is_vetted(conn);
	listener_set_call(conn, c);
	ret = handle(c, method);
	if (ret == CALL_LATER)
		return 0;
	if (ret == CALL_STREAM) {
		listener_set_call(conn, NULL);
		destroy(c);
		return 0;
	}
	call_finish(c, ret);
	return 0;
}

void call_put_line(struct call *c, struct span value)
{
	for (size_t i = 0; i < value.size; i++) {
		if (value.at[i] == '\\')
			buffer_text(&c->answer, "\\\\");
		else if (value.at[i] == '\n')
			buffer_text(&c->answer, "\\n");
		else
			buffer_put(&c->answer, &value.at[i], 1);
	}
	buffer_text(&c->answer, "\n");
}
