/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verb_policy_edit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cli/editor.h"
#include "policy/policy_change.h"

static const char fresh[] =
	"# service argument source target action [parameters]\n";

struct span verb_policy_edit_name(const char *name, bool *include)
{
	static const char folder[] = "include/";
	static const char end[] = ".policy";
	size_t len = strlen(name);

	*include = strncmp(name, folder, sizeof(folder) - 1) == 0;
	if (*include)
		return span_str(name + sizeof(folder) - 1);
	if (len > sizeof(end) - 1 &&
	    strcmp(name + len - (sizeof(end) - 1), end) == 0)
		len -= sizeof(end) - 1;
	return (struct span){(const uint8_t *)name, len};
}

static int write_new(const char *path, struct span text, struct fault *f)
{
	FILE *to = fopen(path, "wxe");

	if (!to)
		return fault_errno(f, "make %s", path);
	if (text.size > 0)
		(void)fwrite(text.at, 1, text.size, to);
	return fclose(to) ? fault_errno(f, "write %s", path) : 0;
}

static bool again(struct frame_call *c)
{
	char answer[16] = "";

	if (!isatty(STDIN_FILENO))
		return false;
	frame_warn(c, "%s", c->fault->text);
	(void)fprintf(stderr, "Edit it again? [Y/n] ");
	return fgets(answer, sizeof(answer), stdin) && answer[0] != 'n' &&
	       answer[0] != 'N';
}

struct editing {
	const struct policy_store *store;
	enum policy_folder folder;
	struct span name;
	struct span token;
	const struct buffer *old;
	const char *path;
};

/* One time in the editor.  0; -EINVAL: it can be tried again; or an errno. */
static int once(const struct editing *e, struct frame_call *c)
{
	autofree uint8_t *text = NULL;
	struct span new;
	int err;

	err = editor_run(e->path, c->fault);
	if (err < 0)
		return err;
	err = policy_store_read(e->path, &text, &new.size, c->fault);
	if (err < 0)
		return err;
	new.at = text;
	if (span_eq(new, buffer_span(e->old))) {
		frame_say(c, "nothing changed");
		return 0;
	}
	return policy_change_replace(e->store, e->folder, e->name, e->token,
	                             new, c->fault);
}

int verb_policy_edit(const struct policy_store *s, struct frame_call *c,
                     const char *name)
{
	char folder[] = "/tmp/bento-policy.XXXXXX";
	char token[POLICY_TOKEN_MAX] = "new";
	autobuffer struct buffer old = {0};
	char path[sizeof(folder) + 16];
	bool include;
	struct editing e = {.store = s, .old = &old, .path = path};
	int err;

	e.name = verb_policy_edit_name(name, &include);
	e.folder = include ? POLICY_INCLUDES : POLICY_MAINS;
	err = policy_change_get(s, e.folder, e.name, &old, c->fault);
	if (err == 0)
		policy_change_token(buffer_span(&old), token);
	else if (err == -ENOENT)
		buffer_text(&old, fresh);
	else
		return err;
	e.token = span_str(token);
	if (!mkdtemp(folder))
		return fault_errno(c->fault, "make %s", folder);
	(void)snprintf(path, sizeof(path), "%s/policy", folder);
	err = write_new(path, buffer_span(&old), c->fault);
	if (err == 0)
		err = once(&e, c);
	while (err == -EINVAL && again(c))
		err = once(&e, c);
	if (err == -EINVAL || err == -ESTALE || err == -EEXIST) {
		/* The work is not to be lost. */
		frame_warn(c, "what you wrote is in %s", path);
		return err;
	}
	(void)unlink(path);
	(void)rmdir(folder);
	return err;
}
