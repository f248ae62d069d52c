/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento run`: everything is checked and opened, then a kernel is started, and
 * we stay until the program has ended.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "base/libexec.h"
#include "cli/environment.h"
#include "cli/inside.h"
#include "cli/options.h"
#include "cli/share.h"
#include "cli/verbs.h"
#include "supervise/attend.h"
#include "supervise/machine.h"
#include "supervise/order.h"
#include "supervise/start.h"
#include "supervise/streams.h"
#include "template/tplmount.h"

#define PIDS_DEFAULT 4096u
#define PIDS_MAX     32000u /* numbers of processes end at 32768 */

struct run {
	struct shares shares;
	struct machine machine;
	const char *template; /* NULL: the machine's own programs */
	struct tplmount image;
	struct environment env;
	const char *asked[ENVIRONMENT_MAX]; /* --env, set last */
	uint32_t asked_count;
	const char *user;            /* NULL: the usual one */
	const char *only_disposable; /* the last option that is, or NULL */
	const char *cwd;             /* NULL: none was asked for */
	const char *trace;
	uint64_t memory;
	uint32_t pids;
	uint32_t flags;
	bool no_start, detach, filter, no_filter;
	bool help;
};

/* The option says how a qube is to be started. */
static int only_disposable(struct run *r, const char *option)
{
	r->only_disposable = option;
	return 0;
}

static int set_ro(void *to, const char *value, struct fault *f)
{
	struct run *r = to;

	(void)only_disposable(r, "ro");
	return share_add(&r->shares, value, false, f);
}

static int set_rw(void *to, const char *value, struct fault *f)
{
	struct run *r = to;

	(void)only_disposable(r, "rw");
	return share_add(&r->shares, value, true, f);
}

static int set_template(void *to, const char *value, struct fault *f)
{
	struct run *r = to;

	(void)f;
	r->template = value;
	return only_disposable(r, "template");
}

static int set_env(void *to, const char *value, struct fault *f)
{
	struct run *r = to;

	if (r->asked_count == ARRAY_LEN(r->asked))
		return fault_set(f, -E2BIG, "too many variables");
	r->asked[r->asked_count++] = value;
	return 0;
}

static int set_user(void *to, const char *value, struct fault *f)
{
	struct run *r = to;

	r->user = value;
	return *value ? 0 : fault_set(f, -EINVAL, "--user: which one?");
}

static int set_cwd(void *to, const char *value, struct fault *f)
{
	struct run *r = to;

	if (!launch_path_ok(span_str(value)))
		return fault_set(f, -EINVAL,
		                 "--cwd %s: not an absolute path of the qube",
		                 value);
	r->cwd = value;
	return 0;
}

static int set_memory(void *to, const char *value, struct fault *f)
{
	struct run *r = to;

	(void)only_disposable(r, "memory");
	return options_size(value, &r->memory, f);
}

static int set_pids(void *to, const char *value, struct fault *f)
{
	struct run *r = to;

	(void)only_disposable(r, "pids");
	return options_number(value, PIDS_MAX, &r->pids, f);
}

static int set_trace(void *to, const char *value, struct fault *f)
{
	struct run *r = to;

	if (value && strlen(value) > PATH_MAX)
		return fault_set(f, -EINVAL, "too many calls to trace");
	r->flags |= LAUNCH_TRACE;
	r->trace = value ? value : "";
	return only_disposable(r, "trace");
}

static int set_verbose(void *to, const char *value, struct fault *f)
{
	struct run *r = to;

	(void)value, (void)f;
	r->flags |= LAUNCH_VERBOSE;
	return only_disposable(r, "verbose");
}

static int set_far(void *to, const char *value, struct fault *f)
{
	struct run *r = to;

	(void)value, (void)f;
	r->flags |= LAUNCH_FAR;
	return only_disposable(r, "far");
}

static int set_no_start(void *to, const char *value, struct fault *f)
{
	struct run *r = to;

	(void)value, (void)f;
	r->no_start = true;
	return 0;
}

static int set_detach(void *to, const char *value, struct fault *f)
{
	struct run *r = to;

	(void)value, (void)f;
	r->detach = true;
	return 0;
}

static int set_filter(void *to, const char *value, struct fault *f)
{
	struct run *r = to;

	(void)value, (void)f;
	r->filter = true;
	return 0;
}

static int set_no_filter(void *to, const char *value, struct fault *f)
{
	struct run *r = to;

	(void)value, (void)f;
	r->no_filter = true;
	return 0;
}

static int set_help(void *to, const char *value, struct fault *f)
{
	struct run *r = to;

	(void)value, (void)f;
	r->help = true;
	return 0;
}

static const struct option_row rows[] = {
#define OPTION OPTIONS_OPTION
#include "cli/run.def"
};

/* The clean environment, then what --env says. */
static int make_environment(struct run *r, struct fault *f)
{
	int err = environment_begin(&r->env, f);

	for (uint32_t i = 0; i < r->asked_count && err == 0; i++)
		err = environment_ask(&r->env, r->asked[i], f);
	return err;
}

/*
 * Where the program starts: as asked; else where we are, if that is shared;
 * else at home.
 */
static struct span starting_folder(const struct run *r,
                                   char at[static LAUNCH_PATH_MAX + 1])
{
	autofree char *here = getcwd(NULL, 0);

	if (r->cwd)
		return span_str(r->cwd);
	if (here && share_covers(&r->shares, here, at))
		return span_str(at);
	return span_str("");
}

/* What the qube's programs are: a template image, or the machine's own. */
static int open_programs(struct run *r, struct fault *f)
{
	return r->template ? tplmount_open(&r->image, r->template, f)
	                   : machine_open(&r->machine, f);
}

static int add_programs(struct run *r, struct start *s, struct fault *f)
{
	return r->template ? tplmount_add(&r->image, s, f)
	                   : machine_add(&r->machine, s, f);
}

/* The descriptors in the order channel/launch.h gives. */
static int add_descriptors(struct run *r, struct start *s, int cell,
                           const struct streams *streams, struct fault *f)
{
	int err = open_programs(r, f);

	if (err == 0)
		err = start_fd(s, cell, f);
	if (err == 0 && r->flags & LAUNCH_TELL)
		err = start_fd(s, streams->theirs[STREAMS_TELL], f);
	if (err == 0)
		err = add_programs(r, s, f);
	return err < 0 ? err : share_mount(&r->shares, s, f);
}

static int start(struct run *r, struct start *s, struct job *j,
                 struct streams *streams, struct started *k, struct fault *f)
{
	autoclose int cell = libexec_open("bento-cell", f);
	int err;

	if (cell < 0)
		return cell;
	err = streams_open(streams, j,
	                   r->flags & LAUNCH_TELL ? STREAMS_TRACED : 0, f);
	if (err < 0)
		return err;
	err = add_descriptors(r, s, cell, streams, f);
	if (err == 0)
		err = start_kernel(s, k, f);
	/* It is read once there is a kernel, with all that comes with it. */
	if (err == 0)
		err = order_run(k->control,
		                &(struct order){.id = ATTEND_ID, .job = j},
		                streams, f);
	if (err == 0)
		err = streams_begin(streams, f);
	if (err < 0)
		streams_close(streams);
	return err;
}

static int pack(struct run *r, char *const cmd[], struct job *j,
                struct fault *f)
{
	uint32_t count = 0;
	int err;

	while (cmd[count])
		count++;
	err = make_environment(r, f);
	if (err < 0)
		return err;
	err = environment_pack(cmd, count, &j->args);
	if (err == 0)
		err = environment_pack(r->env.entry, r->env.count, &j->env);
	return err < 0 ? fault_set(f, err, "out of memory") : 0;
}

__attribute__((noinline)) /* a large frame: not on its caller's, too */
static int
run(struct run *r, char *const cmd[], struct fault *f)
{
	char at[LAUNCH_PATH_MAX + 1];
	static struct streams streams;
	static struct start s;
	struct job j = {.user = span_str(r->user ? r->user : "")};
	autoclose int signal_fd = -1;
	struct started k;
	int status = VERBS_OURS;

	s.record = (struct launch){
		.flags = r->flags,
		.memory = r->memory,
		.tasks = r->pids,
		.name = span_str("qube"),
		.trace = span_str(r->trace),
	};
	j.cwd = starting_folder(r, at);
	if (pack(r, cmd, &j, f) == 0 && attend_signals(&signal_fd, f) == 0 &&
	    start(r, &s, &j, &streams, &k, f) == 0)
		status = attend_qube(&k, &streams, signal_fd, f);
	free((void *)(uintptr_t)j.args.packed.at);
	free((void *)(uintptr_t)j.env.packed.at);
	machine_close(&r->machine);
	tplmount_close(&r->image);
	return status;
}

static uint64_t half_of_memory(void)
{
	struct sysinfo info;

	if (sysinfo(&info) < 0)
		return 1ull << 30;
	return (uint64_t)info.totalram * info.mem_unit / 2;
}

/* In a qube that lasts.  `words` is its name, "--", and the command. */
static int run_inside(struct run *r, char *const words[], struct fault *f)
{
	const struct frame_call call = {.fault = f};
	autoquery struct query q = QUERY_NONE;
	struct inside i = {
		.qube = words[0],
		.start = !r->no_start,
		.user = r->user,
		.cwd = r->cwd ? r->cwd : "",
		.command = words + 2,
		.how = r->detach      ? INSIDE_ASIDE
	               : r->filter    ? INSIDE_VISIBLE
	               : r->no_filter ? 0
	                              : INSIDE_VISIBLE_IF_PLAIN,
	};
	int err;

	if (r->only_disposable) {
		(void)!fault_set(f, -EINVAL,
		                 "--%s is for disposable qubes; %s has "
		                 "properties instead: bento prefs %s",
		                 r->only_disposable, i.qube, i.qube);
		return VERBS_OURS;
	}
	err = make_environment(r, f);
	i.env = &r->env;
	if (err == 0)
		err = query_init(&q, &call);
	return err < 0 ? VERBS_OURS : inside_run(&i, &q, f);
}

static int run_with(struct run *r, char *const argv[], struct fault *f)
{
	int next = options_read(rows, ARRAY_LEN(rows), r, argv, f);
	bool ended;

	if (next < 0)
		return VERBS_OURS;
	if (r->help) {
		(void)puts("bento run [OPTION...] [QUBE] -- CMD [ARG...]\n");
		options_print(rows, ARRAY_LEN(rows));
		return EXIT_SUCCESS;
	}
	ended = strcmp(argv[next - 1], "--") == 0;
	if (!ended && argv[next] && argv[next + 1] &&
	    strcmp(argv[next + 1], "--") == 0)
		return run_inside(r, argv + next, f);
	if (argv[next] && r->detach) {
		(void)!fault_set(f, -EINVAL,
		                 "--detach wants a QUBE, which goes on without "
		                 "us: bento run -d QUBE -- CMD");
		return VERBS_OURS;
	}
	if (argv[next])
		return run(r, argv + next, f);
	(void)snprintf(f->text, sizeof(f->text),
	               "run what? give a command behind the options");
	return VERBS_OURS;
}

int verb_run(char *const argv[])
{
	autofree struct run *r = calloc(1, sizeof(*r));
	struct fault f = {""};
	int status;

	streams_reserve();
	if (!r) {
		(void)fputs("bento run: out of memory\n", stderr);
		return VERBS_OURS;
	}
	r->image.used = TPLSTORE_UNUSED;
	r->image.root_fd = -1;
	r->trace = "";
	r->memory = half_of_memory();
	r->pids = PIDS_DEFAULT;
	status = run_with(r, argv, &f);
	if (f.text[0])
		(void)fprintf(stderr, "bento run: %s\n", f.text);
	share_fini(&r->shares);
	environment_fini(&r->env);
	return status;
}
