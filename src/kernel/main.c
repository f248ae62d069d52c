/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel of one qube, as a process.
 *
 * It is started with descriptors and a record (channel/launch.h), and nothing
 * else.  It makes the qube's world while it still can, gives up everything in
 * the steps of kernel/jail.h, and serves until the qube ends: with its first
 * program, or, if it lasts, when it is told to.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/oom.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "channel/launch.h"
#include "kernel/clients.h"
#include "kernel/core/kernel.h"
#include "kernel/fs/volumefs.h"
#include "kernel/fs/world.h"
#include "kernel/furnish.h"
#include "kernel/halt.h"
#include "kernel/jail.h"
#include "kernel/places.h"
#include "kernel/serve.h"
#include "kernel/task/cells.h"
#include "kernel/task/memory.h"
#include "kernel/task/process.h"
#include "kernel/trace.h"

#define OURS 125 /* exit status for our own failure */

/* The descriptors behind the record, in the order they were handed over. */
struct handed {
	int cell;
	int listener;
	int tell;
	int mounts; /* the first of them */
};

static int read_record(struct launch *l, struct fault *f)
{
	struct stat st;
	void *at;

	if (fstat(LAUNCH_FD_RECORD, &st) < 0)
		return fault_errno(f, "find the launch record");
	if (st.st_size <= 0 || (size_t)st.st_size > WIRE_SIZE_MAX)
		return fault_set(f, -EPROTO, "the launch record is no record");
	at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE,
	          LAUNCH_FD_RECORD, 0);
	if (at == MAP_FAILED)
		return fault_errno(f, "read the launch record");
	if (launch_parse((struct span){at, (size_t)st.st_size}, l) < 0)
		return fault_set(f, -EPROTO, "the launch record is damaged");
	return 0;
}

static void take_descriptors(struct handed *h, const struct launch *l)
{
	int next = LAUNCH_FD_FIRST;

	*h = (struct handed){.listener = -1, .tell = -1};
	h->cell = next++;
	if (l->flags & LAUNCH_LISTEN)
		h->listener = next++;
	if (l->flags & LAUNCH_TELL)
		h->tell = next++;
	h->mounts = next;
}

static int start_trace(struct kernel *k, const struct launch *l, int fd,
                       struct fault *f)
{
	autofree char *calls = NULL;
	int err;

	k->verbose = l->flags & LAUNCH_VERBOSE;
	if (fd < 0)
		return 0;
	if (l->trace.size > 0) {
		calls = strndup((const char *)l->trace.at, l->trace.size);
		if (!calls)
			return fault_set(f, -ENOMEM, "out of memory");
	}
	err = trace_start(k, fd, l->flags & LAUNCH_TRACE ? calls : "");
	if (err < 0)
		return fault_set(f, err, "--trace=%s: no such system call",
		                 calls ? calls : "");
	return 0;
}

/*
 * When memory is out, the machine's or that of our cgroup, the host is to end a
 * cell rather than us, with whom all of them would go.  Cells are what we are
 * while the first of them begins.
 */
static int start_cells(struct kernel *k, int cell, int score)
{
	char ours[16] = "";
	int err;

	if (pread(score, ours, sizeof(ours) - 1, 0) > 0)
		(void)dprintf(score, "%d", OOM_SCORE_ADJ_MAX);
	err = cells_create(k, cell);
	(void)!pwrite(score, ours, strlen(ours), 0);
	return err;
}

/* From here on there is less and less that we may do. */
static int enter_jail(struct kernel *k, const struct launch *l,
                      const struct handed *h, int plan, struct fault *f)
{
	autoclose int score = open("/proc/self/oom_score_adj",
	                           O_RDWR | O_CLOEXEC);
	int err = jail_files(plan, f);

	if (err < 0)
		return err;
	err = start_cells(k, h->cell, score);
	if (err < 0)
		return fault_set(f, err, "start the zygote: %s",
		                 strerror(-err));
	if (l->flags & LAUNCH_FAR)
		cells_go_far(k);
	/* Not even a cell without its filter could trace us. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return fault_errno(f, "forbid others to look at the kernel");
	return jail_calls(f);
}

static int set_up(struct kernel *k, const struct launch *l, struct fault *f)
{
	static struct world_options o;
	static struct places places;
	autoclose int plan = -1;
	struct path root, home;
	struct handed h;
	int err;

	/* Whatever else our owner had open is none of our business. */
	(void)syscall(SYS_close_range, LAUNCH_FD_FIRST + launch_descriptors(l),
	              ~0u, 0);
	take_descriptors(&h, l);
	err = kernel_init(k, l->memory, l->tasks);
	/* Files that fill memory are to find no space, not to be killed for. */
	k->limits.memory = l->memory / 2;
	k->lasts = l->flags & LAUNCH_LISTEN;
	furnish_text(k->hostname, sizeof(k->hostname), l->name);
	if (err == 0)
		err = clients_begin(k, LAUNCH_FD_CONTROL, h.listener, getuid());
	if (err < 0)
		return fault_set(f, err, "make a kernel: %s", strerror(-err));
	err = furnish_world(l, h.mounts, &o, &places, f);
	if (err < 0)
		return err;
	places_add(&places, h.cell,
	           LANDLOCK_READ | LANDLOCK_EXECUTE | LANDLOCK_FILE);
	err = jail_plan(places.place, places.count, &plan, f);
	places_fini(&places);
	if (err < 0)
		return err;
	err = process_create_init(k);
	if (err == 0)
		err = world_create(k, &o, &root, &home);
	if (err == 0)
		err = memory_create(k);
	if (err < 0)
		return fault_set(f, err, "make the qube%s: %s",
		                 err == -ENOMEM ? " in the memory it may have"
		                                : "",
		                 strerror(-err));
	err = start_trace(k, l, h.tell, f);
	if (err == 0)
		err = enter_jail(k, l, &h, plan, f);
	if (err == 0)
		clients_open(k, &root);
	path_put(&root);
	path_put(&home);
	return err;
}

int main(void)
{
	static struct launch l;
	struct kernel k = {0};
	struct fault f = {""};
	bool regular;
	int err;

	(void)prctl(PR_SET_NAME, "bento-kernel", 0, 0, 0);
	/* Streams that nobody reads are errors of the program, not our end. */
	(void)signal(SIGPIPE, SIG_IGN);
	/* Of a lease that somebody breaks: kernel/fs/volumefs_lent.h. */
	(void)signal(SIGIO, SIG_IGN);
	err = jail_begin(&f);
	if (err == 0)
		err = read_record(&l, &f);
	if (err == 0)
		err = set_up(&k, &l, &f);
	if (err < 0) {
		if (k.clients)
			clients_failed(&k, OURS, f.text);
		else
			(void)fprintf(stderr, "%s\n", f.text);
		_exit(OURS);
	}
	serve_run(&k);
	regular = k.halt != NULL;
	halt_destroy(&k);
	/* The host tidies up; nothing of ours outlives us but volumes. */
	cells_destroy(&k);
	volumefs_shutdown(&k, regular);
	_exit(EXIT_SUCCESS);
}
