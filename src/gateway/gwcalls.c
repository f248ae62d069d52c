/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/gwcalls.h"

static const int no_streams[GWDATA_STREAMS] = {-1, -1, -1, -1};

static struct gwcalls_one *find_free(struct gwcalls *c, uint32_t domain,
                                     const struct gwchan_ends *ends)
{
	for (size_t i = 0; i < ARRAY_LEN(c->one); i++) {
		struct gwcalls_one *o = &c->one[i];

		if (o->state != GWCALLS_FREE)
			continue;
		*o = (struct gwcalls_one){
			.domain = domain,
			.port = ends->port,
			.ends = *ends,
			.ask = {.fd = -1, .packed = -1, .at = GWPOLL_NONE},
			.chan = {.listener = -1, .at = GWPOLL_NONE},
		};
		gwdata_init(&o->data, GWDATA_SERVER, no_streams);
		return o;
	}
	return NULL;
}

static void end(struct gwcalls_one *o)
{
	gwask_fini(&o->ask);
	gwchan_fini(&o->chan);
	gwdata_fini(&o->data);
	o->state = GWCALLS_FREE;
}

static void begin_join(struct gwcalls_one *o)
{
	gwchan_connect(&o->chan, &o->ends, false);
	o->state = GWCALLS_JOINING;
}

bool gwcalls_serve(struct gwcalls *c, uint32_t domain,
                   const struct gwchan_ends *ends, const char *manager,
                   const struct gwask_call *call, bool just_start)
{
	struct gwcalls_one *o = find_free(c, domain, ends);

	if (!o)
		return false;
	o->just_start = just_start;
	o->state = GWCALLS_ASKING;
	if (gwask_call(&o->ask, manager, call) < 0) {
		gwdata_set_code(&o->data, QRMSG_PROBLEM);
		begin_join(o);
	}
	return true;
}

bool gwcalls_refuse(struct gwcalls *c, uint32_t domain,
                    const struct gwchan_ends *ends, uint32_t code)
{
	struct gwcalls_one *o = find_free(c, domain, ends);

	if (!o)
		return false;
	gwdata_set_code(&o->data, code);
	begin_join(o);
	return true;
}

bool gwcalls_join(struct gwcalls *c, uint32_t domain,
                  const struct gwchan_ends *ends,
                  const int streams[GWDATA_STREAMS])
{
	struct gwcalls_one *o = find_free(c, domain, ends);
	struct fault f;

	if (o) {
		gwdata_init(&o->data, GWDATA_CALLER, streams);
		o->state = GWCALLS_JOINING;
		if (gwchan_listen(&o->chan, ends, false, &f) == 0)
			return true;
		end(o);
		return false;
	}
	for (size_t i = 0; i < GWDATA_STREAMS; i++)
		base_close(&(int){streams[i]});
	return false;
}

void gwcalls_poll(struct gwcalls *c, struct gwpoll *p)
{
	for (size_t i = 0; i < ARRAY_LEN(c->one); i++) {
		struct gwcalls_one *o = &c->one[i];

		if (o->state == GWCALLS_ASKING)
			gwask_poll(&o->ask, p);
		else if (o->state == GWCALLS_JOINING)
			gwchan_poll(&o->chan, p);
		else if (o->state == GWCALLS_RUNNING)
			gwdata_poll(&o->data, p);
	}
}

/* The manager has answered, or has not. */
static void answered(struct gwcalls_one *o, int err)
{
	int streams[GWDATA_STREAMS];

	if (err == 0)
		err = gwask_streams(&o->ask, streams);
	gwask_fini(&o->ask);
	if (err == 0)
		gwdata_init(&o->data, GWDATA_SERVER, streams);
	if (err == 0 && o->just_start) {
		gwdata_fini(&o->data);
		gwdata_init(&o->data, GWDATA_SERVER, no_streams);
		gwdata_set_code(&o->data, 0);
	}
	if (err < 0)
		gwdata_set_code(&o->data, QRMSG_PROBLEM);
	begin_join(o);
}

/* True when the call is over. */
static bool step(struct gwcalls_one *o, const struct gwpoll *p)
{
	int got;

	switch (o->state) {
	case GWCALLS_ASKING:
		got = gwask_step(&o->ask, p);
		if (got != -EAGAIN)
			answered(o, got);
		return false;
	case GWCALLS_JOINING:
		got = gwchan_step(&o->chan, p);
		if (got == -EAGAIN)
			return false;
		if (got < 0)
			return true;
		gwchan_fini(&o->chan);
		gwdata_attach(&o->data, got);
		o->state = GWCALLS_RUNNING;
		return false;
	case GWCALLS_RUNNING:
		gwdata_step(&o->data, p);
		return o->data.over;
	case GWCALLS_FREE:
	default:
		return false;
	}
}

void gwcalls_step(struct gwcalls *c, const struct gwpoll *p)
{
	for (size_t i = 0; i < ARRAY_LEN(c->one); i++) {
		struct gwcalls_one *o = &c->one[i];

		if (!step(o, p))
			continue;
		end(o);
		if (c->over)
			c->over(c->ctx, o->domain, o->port);
	}
}

void gwcalls_drop(struct gwcalls *c)
{
	for (size_t i = 0; i < ARRAY_LEN(c->one); i++)
		if (c->one[i].state != GWCALLS_FREE)
			end(&c->one[i]);
}
