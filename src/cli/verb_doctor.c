/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento doctor`: which protections this host gives, and what a captured
 * kernel could do where one is missing.  Exit status 0 if `run` would work.
 */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/probe.h"
#include "cli/frame.h"
#include "cli/verbs.h"
#include "supervise/cgroup.h"

struct protection {
	const char *key;
	const char *title;
	const char *without;
	int value;
	int wanted;
};

enum {
#define PROTECTION(key, title, probe, wanted, without) AT_##key,
#include "cli/protections.def"
	AT_COUNT
};

struct doctor {
	bool json;
};

static const struct option_row rows[] = {
#define FLAG(...) OPTIONS_FLAG(struct doctor, __VA_ARGS__)
#include "cli/doctor.def"
};

static bool there(const struct protection *p)
{
	return p->value >= p->wanted;
}

/* Is the host's Linux 5.13 or later? */
static bool new_enough(const char *release)
{
	char *end;
	long major = strtol(release, &end, 10);
	long minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;

	return major > 5 || (major == 5 && minor >= 13);
}

/* Why `run` refuses, or NULL. */
static const char *refusal(const struct protection *p, const char *release)
{
	if (!new_enough(release))
		return "Linux 5.13 or later is needed";
	if (!there(&p[AT_seccomp]))
		return "seccomp filters are needed";
	if (!there(&p[AT_fsgsbase]))
		return "a CPU and kernel with FSGSBASE are needed";
	if (!there(&p[AT_landlock]) && !there(&p[AT_pid_namespace]))
		return "Landlock or PID namespaces are needed: without both "
		       "a captured kernel could reach your other processes";
	return NULL;
}

/* What is in force. */
static const char *cgroup_text(int limits)
{
	static const char *const texts[] = {
		[0] = ": one without limits is made",
		[CGROUP_MEMORY] = ": limits memory",
		[CGROUP_PIDS] = ": limits tasks",
		[CGROUP_MEMORY | CGROUP_PIDS] = ": limits memory and tasks",
	};

	return limits < 0 ? "" : texts[limits];
}

static void print_text(const struct protection *p, const char *release,
                       const char *why)
{
	(void)printf("%-28s %s\n", "Linux", release);
	for (size_t i = 0; i < AT_COUNT; i++) {
		(void)printf("%-28s %s", p[i].title,
		             there(&p[i]) ? "yes" : "no");
		if (i == AT_landlock && there(&p[i]))
			(void)printf(", ABI %d", p[i].value);
		if (i == AT_cgroup)
			(void)printf("%s", cgroup_text(p[i].value));
		if (i == AT_yama && p[i].value >= 0)
			(void)printf(", ptrace_scope %d", p[i].value);
		(void)putchar('\n');
		if (!there(&p[i]))
			(void)printf("    without it: %s\n", p[i].without);
	}
	if (why)
		(void)printf("\nbento run refuses here: %s\n", why);
	else
		(void)printf("\nbento run works here\n");
}

static void print_json(const struct protection *p, const char *release,
                       const char *why)
{
	/* Releases and our own texts need no escapes. */
	(void)printf("{\n  \"linux\": \"%s\",\n", release);
	for (size_t i = 0; i < AT_COUNT; i++)
		(void)printf("  \"%s\": {\"there\": %s, \"value\": %d},\n",
		             p[i].key, there(&p[i]) ? "true" : "false",
		             p[i].value);
	(void)printf("  \"run\": %s,\n", why ? "false" : "true");
	if (why)
		(void)printf("  \"why\": \"%s\"\n}\n", why);
	else
		(void)printf("  \"why\": null\n}\n");
}

static int doctor(void *options, struct frame_call *c)
{
	const struct protection p[] = {
#define PROTECTION(key, title, probe, wanted, without) \
	{#key, title, without, (int)(probe), wanted},
#include "cli/protections.def"
	};
	const struct doctor *o = options;
	struct utsname host;
	const char *why;

	if (uname(&host) < 0)
		return fault_errno(c->fault, "ask for the kernel's version");
	why = refusal(p, host.release);
	if (o->json)
		print_json(p, host.release, why);
	else
		print_text(p, host.release, why);
	return why ? EXIT_FAILURE : EXIT_SUCCESS;
}

int verb_doctor(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct doctor),
		.go = doctor,
	};

	return frame_run(&frame, argv);
}
