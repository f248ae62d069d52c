/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One qube's kernel: the root from which everything is reached.
 *
 * There is one in a process, but nothing knows that: tests make several.
 */
#pragma once

#include "base/base.h"
#include "base/list.h"
#include "kernel/core/loop.h"

struct callhub;
struct cells;
struct clients;
struct console;
struct fs_world;
struct halt;
struct memory;
struct netstack;
struct owner;
struct pids;
struct process;
struct procfs;
struct task;
struct sysv;
struct terminals;
struct trace;
struct workers;
struct world;

/* What a guest can make grow, and how far.  kernel/core/limits.h charges. */
struct limits {
	uint64_t total;  /* bytes of the whole qube */
	uint64_t memory; /* of these, kernel memory and tmpfs together */
	uint64_t memory_used;
	uint32_t tasks;
	uint32_t tasks_used;
};

struct kernel {
	struct loop loop;
	struct workers *workers;
	struct limits limits;
	struct list ready;       /* tasks whose handler is to be run */
	struct task *current;    /* whose handler runs now, or NULL */
	struct list dying;       /* processes to be ended */
	bool ending;             /* somebody works on that list */
	struct pids *pids;       /* kernel/task/pid.h */
	struct process *init;    /* process 1, which is ours */
	struct cells *cells;     /* kernel/task/cells.h; NULL in unit tests */
	struct fs_world *fs;     /* kernel/fs/mount.h */
	struct world *world;     /* kernel/fs/world.h */
	struct netstack *net;    /* kernel/net/netstack.h */
	struct sysv *sysv;       /* kernel/ipc/sysv.h; NULL until needed */
	struct memory *memory;   /* kernel/task/memory.h; NULL: not watched */
	struct console *console; /* kernel/tty/console.h */
	struct terminals *terminals; /* kernel/tty/terminals.h */
	struct owner *owner;         /* kernel/owner.h; NULL in unit tests */
	struct clients *clients;     /* kernel/clients.h; likewise */
	struct callhub *callhub;     /* kernel/calls/callhub.h; likewise */
	struct list programs;        /* program.link; kernel/program.h */
	struct halt *halt; /* kernel/halt.h; NULL: the qube is not ending */
	bool paused;
	bool lasts;              /* the qube goes on when a program ends */
	struct trace *trace;     /* kernel/trace.h; NULL: not traced */
	uint64_t boot_ns;        /* CLOCK_MONOTONIC when the qube started */
	uint32_t asker_waits_on; /* slot.waits_on of the last request */
	char hostname[65];
	char domainname[65];
	uint8_t *scratch; /* SCRATCH_SIZE bytes for one transfer */
	bool verbose;
	uint64_t guest_lo, guest_hi; /* tests: where guest memory lies */
};

/*
 * An empty kernel: loop, limits and scratch memory.  Tasks, files and cells
 * are made by process_create_init(), world_create() and cells_create().
 * 0 or a negative errno.
 */
must_check int kernel_init(struct kernel *k, uint64_t memory, uint32_t tasks);
void kernel_fini(struct kernel *k);

#define SCRATCH_SIZE ((size_t)256 * 1024)
