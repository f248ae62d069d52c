/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A qube's whole root as a source: the image it lies over, or the machine's
 * programs, and the export of its root volume over that.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "admin/client.h"
#include "template/tplsource.h"

static int ask(const char *method, const char *argument, const char *qube,
               struct client_answer *out, struct fault *f)
{
	const struct client_call call = {
		.method = method,
		.argument = argument,
		.target = qube,
	};
	struct paths p;
	int err = paths_find(&p, f);

	return err < 0 ? err : client_ask(&p, &call, out, f);
}

/* "image FOLDER": the files there, below the data folder. */
static int add_linked(struct tplsource *s, const char *folder, struct fault *f)
{
	struct tplstore_used u = TPLSTORE_UNUSED;
	struct tplstore store;
	autoclose int fd = -1;
	int err = tplstore_open(&store, f);

	if (err < 0)
		return err;
	fd = openat(store.data, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = fd < 0 ? fault_errno(f, "open %s", folder)
	             : tplstore_use_linked(&store, fd, &u, f);
	tplstore_close(&store);
	if (err < 0)
		return err;
	err = tplsource_add_image(s, &u, f);
	tplstore_release(&u);
	return err;
}

static int add_base(struct tplsource *s, const char *qube, struct fault *f)
{
	autoanswer struct client_answer a = {.fd = -1};
	int err = ask("bento.template.Base", NULL, qube, &a, f);
	const char *text = (const char *)a.data.at;

	if (err < 0)
		return err;
	if (span_is(a.data, "host"))
		return tplsource_add_host(s, f);
	if (a.data.size < 6 || strncmp(text, "image ", 6) != 0)
		return fault_set(f, -EPROTO, "the manager talks nonsense");
	return add_linked(s, text + 6, f);
}

int tplqube_open(struct tplsource *s, const char *name, struct fault *f)
{
	autoanswer struct client_answer a = {.fd = -1};
	int err;

	if (!tplstore_name_ok(name))
		return fault_set(f, -EINVAL, "no qube's name: %s", name);
	(void)snprintf(s->qube, sizeof(s->qube), "%s", name);
	err = add_base(s, name, f);
	if (err == 0)
		err = ask("bento.volume.Export", "root", name, &a, f);
	if (err < 0)
		return err;
	if (a.fd < 0 || a.data.size >= sizeof(s->export))
		return fault_set(f, -EPROTO, "the manager gave no archive");
	(void)snprintf(s->export, sizeof(s->export), "%s",
	               (const char *)a.data.at);
	return tplsource_add(s, "overlay", take_fd(&a.fd), f);
}

int tplqube_finish(const struct tplsource *s, struct fault *f)
{
	autoanswer struct client_answer a = {.fd = -1};

	if (!*s->export)
		return 0;
	return ask("bento.volume.Exported", s->export, s->qube, &a, f);
}
