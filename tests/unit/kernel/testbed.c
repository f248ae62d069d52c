/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/testbed.h"

#include <sched.h>
#include <signal.h>
#include <string.h>

#include "kernel/fs/fd.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/path.h"
#include "kernel/fs/stream.h"
#include "kernel/fs/world.h"
#include "kernel/ipc/sysv.h"
#include "kernel/net/netstack.h"
#include "kernel/tty/terminals.h"

#define MEMORY     (64u << 20)
#define TASKS      200
#define WAIT_TURNS 4000
#define TURN_NS    1000000u

/* A slot with its data window, as a cell has it. */
static void adopt(struct testbed *bed, struct task *t)
{
	t->slot = calloc(1, CHANNEL_STRIDE);
	assert_non_null(t->slot);
	assert_true(bed->made_count < ARRAY_LEN(bed->made));
	bed->made[bed->made_count++] = t;
}

static struct fsctx *make_fsctx(struct testbed *bed)
{
	struct fsctx first = {.refs = 1, .umask = 022};
	struct superblock *sb;

	if (world_open(&bed->kernel) < 0)
		fail_msg("world");
	if (tmpfs_create(&bed->kernel, 16u << 20, 0755, &sb) < 0)
		fail_msg("tmpfs");
	if (mount_add(&bed->kernel, sb, &(struct path){0}, 0, "none",
	              &bed->root) < 0)
		fail_msg("root");
	inode_superblock_put(sb);
	first.root = first.cwd = bed->root;
	return path_fsctx_copy(&first);
}

struct testbed *testbed_create(uint32_t uid)
{
	struct testbed *bed = calloc(1, sizeof(*bed));
	struct cred *cred = cred_create(uid, uid, NULL, 0);

	assert_non_null(bed);
	assert_non_null(cred);
	if (kernel_init(&bed->kernel, MEMORY, TASKS) < 0 ||
	    process_create_init(&bed->kernel) < 0)
		fail_msg("kernel");
	if (task_spawn(&bed->kernel, cred, make_fsctx(bed),
	               fd_table_create(&bed->kernel), &bed->task) < 0)
		fail_msg("task");
	adopt(bed, bed->task);
	bed->process = bed->task->process;
	(void)strcpy(bed->task->comm, "test");
	return bed;
}

static void end_all(struct testbed *bed)
{
	struct kernel *k = &bed->kernel;
	struct process *p;

	k->current = NULL; /* a test may have failed inside a handler */
	while ((p = process_next(k, 1))) {
		int32_t pid = p->pid;

		process_kill(p, SIGKILL);
		if (process_find(k, pid) == p)
			process_reap(p);
	}
	for (size_t i = 0; i < bed->made_count; i++) {
		free(bed->made[i]->slot);
		task_put(bed->made[i]);
	}
}

void testbed_destroy(struct testbed *bed)
{
	end_all(bed);
	sysv_fini(&bed->kernel);
	netstack_destroy(&bed->kernel);
	path_put(&bed->root);
	world_destroy(&bed->kernel);
	process_destroy_init(&bed->kernel);
	terminals_fini(&bed->kernel);
	kernel_fini(&bed->kernel);
	free(bed);
}

int testbed_stream(struct testbed *bed, int host)
{
	struct file *f;
	long fd;

	assert_int_equal(stream_create(&bed->kernel, host, 1000, 1000, &f), 0);
	fd = fd_open(bed->task, f, false);
	assert_true(fd >= 0);
	return (int)fd;
}

int testbed_setup(void **state)
{
	*state = testbed_create(0);
	return 0;
}

int testbed_teardown(void **state)
{
	testbed_destroy(*state);
	return 0;
}

static bool answered(const struct task *t)
{
	return atomic_load(&t->slot->state) == SLOT_DONE;
}

static long result(struct task *t)
{
	if (t->state == TASK_DEAD)
		return -ENOANSWER;
	if (!answered(t))
		return -EWAIT;
	atomic_store(&t->slot->state, SLOT_IDLE);
	return atomic_load(&t->slot->result);
}

long testbed_run(struct task *t, uint32_t nr, const uint64_t arg[6])
{
	if (t->state == TASK_DEAD)
		return -ENOANSWER;
	if (t->in_call)
		fail_msg("the task is in a call");
	atomic_store(&t->slot->nr, nr);
	for (size_t i = 0; i < 6; i++)
		atomic_store(&t->slot->arg[i], arg[i]);
	atomic_store(&t->slot->state, SLOT_REQUEST);
	syscall_serve(t);
	return result(t);
}

static void turn(struct kernel *k)
{
	bool ran = true;

	while (ran) {
		ran = loop_run_soon(&k->loop);
		while (!list_empty(&k->ready)) {
			struct task *t = list_first(&k->ready, struct task,
			                            ready_link);

			list_del(&t->ready_link);
			syscall_serve(t);
			ran = true;
		}
	}
}

long testbed_finish(struct task *t)
{
	turn(t->kernel);
	return result(t);
}

long testbed_wait(struct task *t)
{
	struct kernel *k = t->kernel;

	for (int i = 0; i < WAIT_TURNS; i++) {
		turn(k);
		if (t->state == TASK_DEAD || answered(t))
			break;
		(void)loop_wait(&k->loop, timer_now() + TURN_NS);
	}
	return result(t);
}

enum slot_action testbed_action(const struct task *t)
{
	return slot_answer(t->slot).action;
}

struct task *testbed_clone(struct testbed *bed, struct task *t, uint64_t flags)
{
	const struct task_clone how = {flags, SIGCHLD};
	struct task *child;

	if (task_clone(t, &how, &child) < 0)
		fail_msg("clone");
	adopt(bed, child);
	testbed_block(child, signal_blocked(t));
	return child;
}

struct task *testbed_fork(struct testbed *bed, struct task *t)
{
	return testbed_clone(bed, t, 0);
}

struct task *testbed_thread(struct testbed *bed, struct task *t)
{
	return testbed_clone(bed, t,
	                     CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
	                             CLONE_THREAD);
}

void testbed_block(struct task *t, uint64_t set)
{
	atomic_store(&t->slot->sigmask, set);
	signal_update(t);
}

void testbed_become(struct testbed *bed, uint32_t uid)
{
	struct cred *c = cred_create(uid, uid, NULL, 0);

	assert_non_null(c);
	cred_replace(bed->task, c);
}
