/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento create`, qvm-create: a new qube.
 */
#include <stdio.h>
#include <string.h>

#include "cli/props.h"
#include "cli/query.h"
#include "cli/secret.h"
#include "cli/transfer.h"
#include "cli/verbs.h"

struct create_options {
	const char *class;
	const char *template;
	const char *label;
	const char *pool;
	struct option_list pools;
	struct option_list props;
	const char *root_copy;
	const char *key_file;
	bool standalone, disp, encrypt, help_classes;
	struct secret secret; /* of its volumes; empty: they are plain */
};

static const struct option_row rows[] = {
#define FLAG(...) OPTIONS_FLAG(struct create_options, __VA_ARGS__)
#define TEXT(...) OPTIONS_TEXT(struct create_options, __VA_ARGS__)
#define LIST(...) OPTIONS_LIST(struct create_options, __VA_ARGS__)
#include "cli/create.def"
};

/* "name=work label=red pool=... pool:private=..." */
static int make_payload(const struct create_options *o, struct frame_call *c,
                        struct buffer *b)
{
	buffer_printf(b, "name=%s label=%s", c->words[0],
	              o->label ? o->label : "red");
	if (o->pool)
		buffer_printf(b, " pool=%s", o->pool);
	for (size_t i = 0; i < o->pools.count; i++) {
		const char *pair = o->pools.item[i];

		if (!strchr(pair, '='))
			return frame_usage(c, "--pool %s: it is VOLUME=POOL",
			                   pair);
		buffer_printf(b, " pool:%s", pair);
	}
	return b->bad ? fault_set(c->fault, -ENOMEM, "out of memory") : 0;
}

static int create(const struct create_options *o, const char *class,
                  struct query *a, struct frame_call *c)
{
	autobuffer struct buffer payload = {0};
	char method[64];
	struct client_call call = {
		.method = method,
		.argument = o->template,
	};
	int err = make_payload(o, c, &payload);

	if (err < 0)
		return err;
	call.payload = buffer_span(&payload);
	(void)snprintf(method, sizeof(method), "admin.vm.%s.%.31s",
	               o->pool || o->pools.count ? "CreateInPool" : "Create",
	               class);
	a->doing = "creating";
	return query_with(a, &call, c->fault);
}

/* The qube is there; what of this fails is said, and the qube stays. */
static int set_props(const struct create_options *o, struct query *a,
                     struct frame_call *c)
{
	int status = EXIT_SUCCESS;

	for (size_t i = 0; i < o->props.count; i++) {
		const char *pair = o->props.item[i];
		char name[64];
		struct client_call call = {
			.method = "admin.vm.property.Set",
			.argument = name,
			.target = c->words[0],
		};
		struct fault f;

		(void)snprintf(name, sizeof(name), "%.*s",
		               (int)strcspn(pair, "="), pair);
		call.payload = span_str(
			props_meant(name, pair + strcspn(pair, "=") + 1));
		if (query_with(a, &call, &f) == 0)
			continue;
		frame_warn(c, "cannot set %s (but the qube is made): %s", name,
		           f.text);
		status = FRAME_USAGE;
	}
	return status;
}

static int check(const struct create_options *o, struct frame_call *c)
{
	if (c->count != 1)
		return frame_usage(c, "which qube? give one name for it");
	if ((o->class != NULL) + o->standalone + o->disp > 1)
		return frame_usage(c, "--class, --standalone, --disp: one of "
		                      "them");
	for (size_t i = 0; i < o->props.count; i++)
		if (!strchr(o->props.item[i], '='))
			return frame_usage(c, "--prop %s: it is NAME=VALUE",
			                   o->props.item[i]);
	return 0;
}

static int print_classes(struct query *a, struct frame_call *c)
{
	int err = query(a, "admin.vmclass.List", NULL, NULL, c->fault);

	if (err == 0)
		(void)fputs(query_text(a), stdout);
	return err;
}

/* The root volume from an archive of the host. */
static int import_root(const struct create_options *o, struct query *a,
                       struct frame_call *c)
{
	struct fault f;

	if (!o->root_copy ||
	    transfer_in(a, c->words[0], "root", o->root_copy, NULL, &f) == 0)
		return EXIT_SUCCESS;
	frame_warn(c, "cannot import the root (but the qube is made): %s",
	           f.text);
	return 3;
}

/* Encrypts what the new qube keeps, while there is nothing in it. */
static int encrypt_all(struct query *a, const char *qube,
                       const struct secret *s, struct fault *f)
{
	static const char *const volumes[] = {"root", "private"};
	int err = 0;

	a->doing = "encrypting";
	for (size_t i = 0; i < ARRAY_LEN(volumes) && err == 0; i++) {
		err = query(a, "admin.vm.volume.Info", volumes[i], qube, f);
		/* What is discarded at its end is not kept on a disk. */
		if (err == 0 && strstr(query_text(a), "\nencryption="))
			err = secret_send(
				a, "bento.volume.Encrypt", qube, volumes[i],
				s->keyfile ? "keyfile\n" : "passphrase\n", s,
				f);
	}
	return err;
}

/* A qube that could not be encrypted is none that was asked for. */
static int encrypt(struct query *a, const char *qube, const struct secret *s,
                   struct fault *f)
{
	int err = encrypt_all(a, qube, s, f);
	struct fault ignored;

	if (err < 0)
		(void)!query(a, "admin.vm.Remove", NULL, qube, &ignored);
	return err;
}

static int get_secret(const struct create_options *o, struct secret *s,
                      const struct frame_call *c)
{
	char question[96];

	if (o->key_file)
		return secret_read(s, o->key_file, c->fault);
	(void)snprintf(question, sizeof(question), "New passphrase of %.60s",
	               c->words[0]);
	return secret_ask(s, question, true, c->fault);
}

static int go(void *options, struct frame_call *c)
{
	struct create_options *o = options;
	struct secret *s = &o->secret;
	autoquery struct query a = QUERY_NONE;
	int err = query_init(&a, c);
	int status, root;

	if (err == 0 && o->help_classes)
		return print_classes(&a, c);
	if (err == 0)
		err = check(o, c);
	if (err == 0 && (o->encrypt || o->key_file))
		err = get_secret(o, s, c);
	if (err == 0)
		err = create(o,
		             o->standalone ? "StandaloneVM"
		             : o->disp     ? "DispVM"
		             : o->class    ? o->class
		                           : "AppVM",
		             &a, c);
	if (err == 0 && s->size > 0)
		err = encrypt(&a, c->words[0], s, c->fault);
	secret_wipe(s);
	if (err < 0)
		return err;
	root = import_root(o, &a, c);
	status = set_props(o, &a, c);
	return root ? root : status;
}

int verb_create(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct create_options),
		.min = 0,
		.max = FRAME_ANY,
		.go = go,
	};

	return frame_run(&frame, argv);
}
