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
#include "cli/options.h"
#include "cli/verbs.h"

struct protection {
	const char *key;
	const char *title;
	const char *without;
	int value;
	int wanted;
};

enum {
#define PROTECTION(key, title, probe, wanted, without) AT_##key,
#include "cli/doctor.def"
	AT_COUNT
};

static int set_json(void *to, const char *value, struct fault *f)
{
	bool *json = to;

	(void)value, (void)f;
	*json = true;
	return 0;
}

static const struct option_row rows[] = {
	{"json", OPTION_NONE, set_json, "", "for machines"},
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

static void print_text(const struct protection *p, const char *release,
                       const char *why)
{
	(void)printf("%-28s %s\n", "Linux", release);
	for (size_t i = 0; i < AT_COUNT; i++) {
		(void)printf("%-28s %s", p[i].title,
		             there(&p[i]) ? "yes" : "no");
		if (i == AT_landlock && there(&p[i]))
			(void)printf(", ABI %d", p[i].value);
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

int doctor_verb(char *const argv[])
{
	const struct protection p[] = {
#define PROTECTION(key, title, probe, wanted, without) \
	{#key, title, without, (int)(probe), wanted},
#include "cli/doctor.def"
	};
	struct utsname host;
	struct fault f;
	bool json = false;
	const char *why;
	int next;

	next = options_read(rows, ARRAY_LEN(rows), &json, argv, &f);
	if (next >= 0 && argv[next])
		next = fault_set(&f, -EINVAL, "what is \"%s\"?", argv[next]);
	if (next >= 0 && uname(&host) < 0)
		next = fault_errno(&f, "ask for the kernel's version");
	if (next < 0) {
		(void)fprintf(stderr, "bento doctor: %s\n", f.text);
		return VERBS_OURS;
	}
	why = refusal(p, host.release);
	if (json)
		print_json(p, host.release, why);
	else
		print_text(p, host.release, why);
	return why ? EXIT_FAILURE : EXIT_SUCCESS;
}
