/* SPDX-License-Identifier: Apache-2.0 */
#include "policybed.h"

#include <stdio.h>

#include "base/buffer.h"
#include "policy/policy_eval.h"

static int bed_read(void *ctx, const char *path, uint8_t **text, size_t *size,
                    struct fault *f)
{
	for (const struct policybed_file *i = ctx; i->path; i++) {
		if (strcmp(i->path, path) != 0)
			continue;
		*size = strlen(i->text);
		*text = malloc(*size);
		if (!*text)
			return fault_set(f, -ENOMEM, "out of memory");
		memcpy(*text, i->text, *size);
		return 0;
	}
	return fault_set(f, -ENOENT, "%s is not there", path);
}

static int bed_list(void *ctx, const char *path, struct policy_names *names,
                    struct fault *f)
{
	size_t len = strlen(path);

	for (const struct policybed_file *i = ctx; i->path; i++) {
		if (strncmp(i->path, path, len) != 0 || i->path[len] != '/' ||
		    strchr(i->path + len + 1, '/'))
			continue;
		if (policy_source_add(names, i->path + len + 1) < 0)
			return fault_set(f, -ENOMEM, "out of memory");
	}
	return names->count ? 0 : fault_set(f, -ENOENT, "%s: none", path);
}

struct policy_source policybed_source(const struct policybed_file *files)
{
	return (struct policy_source){(void *)(uintptr_t)files, bed_read,
	                              bed_list};
}

int policybed_parse(const char *text, struct policy_rules **out,
                    struct fault *f)
{
	const struct policybed_file files[] = {
		{"/p/policy.d/test.policy", text},
		{NULL, NULL},
	};
	const struct policy_source source = policybed_source(files);
	struct policy_rules *rules = policy_rules_create();
	int err;

	if (!rules)
		return -ENOMEM;
	err = policy_parse_file(rules, &source, files[0].path, "/p/policy.d",
	                        f);
	if (err < 0)
		policy_rules_destroy(rules);
	else
		*out = rules;
	return err;
}

#define SPAN(s)                                     \
	{                                           \
		(const uint8_t *)(s), sizeof(s) - 1 \
	}
#define U(n) SPAN("00000000-0000-4000-8000-00000000000" n)

static const struct span work_tags[] = {SPAN("a"), SPAN("b")};
static const struct span mail_tags[] = {SPAN("b")};
static const struct span base_tags[] = {SPAN("d")};
static const struct span tpl_tags[] = {SPAN("updates")};
static const struct span net_tags[] = {SPAN("updates-proxy")};

static const struct policy_qube qubes[] = {
	{.name = SPAN("dom0"),
         .klass = SPAN("AdminVM"),
         .uuid = SPAN("00000000-0000-0000-0000-000000000000"),
         .running = true},
	{.name = SPAN("work"),
         .klass = SPAN("AppVM"),
         .uuid = U("1"),
         .label = SPAN("blue"),
         .tags = work_tags,
         .tag_count = 2,
         .running = true,
         .default_dispvm = SPAN("base")},
	{.name = SPAN("mail"),
         .klass = SPAN("AppVM"),
         .uuid = U("2"),
         .label = SPAN("red"),
         .tags = mail_tags,
         .tag_count = 1,
         .default_dispvm = SPAN("other")},
	{.name = SPAN("vault"),
         .klass = SPAN("AppVM"),
         .uuid = U("3"),
         .internal = true},
	{.name = SPAN("base"),
         .klass = SPAN("AppVM"),
         .uuid = U("4"),
         .tags = base_tags,
         .tag_count = 1,
         .template_for_dispvms = true,
         .default_dispvm = SPAN("mail")},
	{.name = SPAN("other"),
         .klass = SPAN("AppVM"),
         .uuid = U("5"),
         .running = true,
         .template_for_dispvms = true},
	{.name = SPAN("disp1"),
         .klass = SPAN("DispVM"),
         .uuid = U("6"),
         .template = SPAN("base"),
         .running = true},
	{.name = SPAN("tpl"),
         .klass = SPAN("TemplateVM"),
         .uuid = U("7"),
         .tags = tpl_tags,
         .tag_count = 1},
	{.name = SPAN("net"),
         .klass = SPAN("AppVM"),
         .uuid = U("8"),
         .tags = net_tags,
         .tag_count = 1},
};

const struct policy_system policybed_system = {qubes, ARRAY_LEN(qubes)};

void policybed_tell(const struct policy_system *s,
                    const struct policy_answer *a, char *to, size_t room)
{
	static const char *const names[] = {"deny", "allow", "ask"};
	autobuffer struct buffer b = {0};
	char name[128];

	buffer_text(&b, names[a->action]);
	if (a->action == POLICY_ALLOW) {
		if (policy_system_write(s, a->target, false, name,
		                        sizeof(name)) < 0)
			abort();
		buffer_printf(&b, " %s%s%.*s%s", name,
		              a->user.size ? " user=" : "", (int)a->user.size,
		              (const char *)a->user.at,
		              a->autostart ? "" : " autostart=no");
	}
	for (size_t i = 0; a->action == POLICY_ASK && i < a->offer_count; i++) {
		if (policy_system_write(s, a->offer[i], false, name,
		                        sizeof(name)) < 0)
			abort();
		buffer_printf(&b, " %s%s", name, i == a->preset ? "*" : "");
	}
	buffer_text0(&b, a->notify ? " (notify)" : "");
	if (b.bad || b.size > room)
		abort();
	memcpy(to, b.at, b.size);
}
