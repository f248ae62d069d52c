/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_calls.h"

enum { NOTHING = 0, NAME = 1, PAYLOAD = 2 };

struct work {
	struct policy_store *store;
	const struct policy_call *call;
	enum policy_folder folder;
	struct buffer *out;
};

static int call_list(const struct work *w, struct fault *f)
{
	struct policy_names names = {0};
	int err = policy_change_list(w->store, w->folder, &names, f);

	for (size_t i = 0; i < names.count && err == 0; i++)
		buffer_printf(w->out, "%s\n", names.name[i]);
	policy_source_fini(&names);
	return err;
}

static int call_get(const struct work *w, struct fault *f)
{
	autobuffer struct buffer text = {0};
	char token[POLICY_TOKEN_MAX];
	int err = policy_change_get(w->store, w->folder, w->call->argument,
	                            &text, f);

	if (err < 0)
		return err;
	policy_change_token(buffer_span(&text), token);
	buffer_printf(w->out, "%s\n", token);
	buffer_put(w->out, text.at, text.size);
	return 0;
}

/* Takes the token off the payload's front. */
static struct span take_token(struct reader *r)
{
	struct span token;
	size_t size = 0;

	while (size < r->rest.size && r->rest.at[size] != '\n')
		size++;
	token = rd_take(r, size);
	(void)rd_take(r, 1);
	return token;
}

static int call_replace(const struct work *w, struct fault *f)
{
	struct reader r = {.rest = w->call->payload};
	struct span token = take_token(&r);

	if (r.bad)
		return fault_set(f, -EINVAL,
		                 "the token and a line end are "
		                 "missing");
	return policy_change_replace(w->store, w->folder, w->call->argument,
	                             token, r.rest, f);
}

static int call_remove(const struct work *w, struct fault *f)
{
	return policy_change_remove(w->store, w->folder, w->call->argument,
	                            w->call->payload, f);
}

/* Main files of which a rule names the service. */
static int call_files(const struct work *w, struct fault *f)
{
	const struct policy_rules *rules;
	int err = policy_store_look(w->store, &rules, f);
	uint32_t last = UINT32_MAX;

	for (size_t i = 0; err == 0 && i < rules->count; i++) {
		const struct policy_rule *r = &rules->rule[i];

		if (r->any_service || r->file == last ||
		    !span_eq(r->service, w->call->argument))
			continue;
		last = r->file;
		buffer_printf(w->out, "%s\n", rules->file[r->file]);
	}
	return err;
}

static const struct row {
	const char *method;
	int (*run)(const struct work *w, struct fault *f);
	enum policy_folder folder;
	unsigned takes;
} rows[] = {
#define CALL(method, function, folder, takes) \
	{method, call_##function, folder, takes},
#include "policy/policy_calls.def"
};

static const struct row *find(struct span method)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (span_is(method, rows[i].method))
			return &rows[i];
	return NULL;
}

bool policy_calls_has(struct span method)
{
	return find(method);
}

/* Errors by their names on the wire. */
static const char *name_of(int err)
{
	switch (err) {
	case -ENOENT:
		return "PolicyAdminFileNotFoundException";
	case -ESTALE:
	case -EEXIST:
		return "PolicyAdminTokenException";
	case -EINVAL:
		return "PolicyAdminSyntaxException";
	default:
		return "PolicyAdminException";
	}
}

int policy_calls_serve(struct policy_store *s, const struct policy_call *c,
                       struct buffer *out, const char **exception,
                       struct fault *f)
{
	const struct row *row = find(c->method);
	struct work w = {s, c, POLICY_MAINS, out};
	int err;

	*exception = "PolicyAdminException";
	if (!row)
		return fault_set(f, -ENOSYS, "there is no such method");
	if (!(row->takes & NAME) != !c->argument.size)
		return fault_set(f, -EPROTO, "%s takes %s argument",
		                 row->method, row->takes & NAME ? "an" : "no");
	if (!(row->takes & PAYLOAD) != !c->payload.size)
		return fault_set(f, -EPROTO, "%s takes %s payload", row->method,
		                 row->takes & PAYLOAD ? "a" : "no");
	w.folder = row->folder;
	err = row->run(&w, f);
	if (err == 0 && out->bad)
		err = fault_set(f, -ENOMEM, "out of memory");
	if (err < 0)
		*exception = name_of(err);
	return err;
}
