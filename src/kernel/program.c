/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/program.h"

#include <linux/fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "channel/launch.h"
#include "kernel/accounts.h"
#include "kernel/clients.h"
#include "kernel/fs/fd.h"
#include "kernel/fs/file.h"
#include "kernel/fs/hand.h"
#include "kernel/fs/stream.h"
#include "kernel/halt.h"
#include "kernel/task/cred.h"
#include "kernel/task/exec.h"
#include "kernel/task/process.h"
#include "kernel/task/signal.h"
#include "kernel/tty/console.h"
#include "kernel/tty/tty.h"

#define PATH_DEFAULT "/usr/local/bin:/usr/bin:/bin"

#define NOT_FOUND      127 /* exit statuses, as shells have them */
#define NOT_EXECUTABLE 126
#define OURS           125

struct program {
	struct kernel *kernel;
	struct list link;          /* in kernel.programs */
	struct list client_link;   /* in clients_programs() */
	struct client *client;     /* NULL: it has gone, or there is none */
	struct program_over *over; /* who hears of its end, or NULL */
	uint64_t id;
	struct process *process; /* a reference */
	struct waiter ended;
	struct console *console; /* or NULL */
	uint32_t flags;          /* CONTROL_RUN_* */
	uint64_t started_ns;
	char name[64];                    /* of the command, for messages */
	char about[CONTROL_TEXT_MAX + 1]; /* its account and command line */
};

struct program *program_of_client(struct list *link)
{
	return list_entry(link, struct program, client_link);
}

uint64_t program_id(const struct program *p)
{
	return p->id;
}

void program_none_left(struct kernel *k)
{
	if (!k->lasts && list_empty(&k->programs))
		k->loop.stop = true;
}

/* Tells how it ended who is no client. */
static void tell_over(struct program *p, uint32_t exit_status)
{
	struct program_over *o = p->over;

	p->over = NULL;
	if (!o)
		return;
	o->program = NULL;
	o->ended(o, exit_status);
}

void program_forget(struct program *p)
{
	p->over = NULL;
}

static uint32_t exit_status(uint32_t wait_status)
{
	uint32_t sig = wait_status & 0x7f;

	return sig ? 128 + sig : wait_status >> 8 & 0xff;
}

static void destroy(struct program *p)
{
	console_destroy(p->console);
	waitq_remove(&p->ended);
	list_del(&p->link);
	list_del(&p->client_link);
	process_put(p->process);
	free(p);
}

/* Its last output has been taken. */
static void finished(void *who)
{
	struct program *p = who;
	struct kernel *k = p->kernel;
	struct control c = {
		.kind = CONTROL_exited,
		.value = {p->id, p->process->status},
	};

	clients_tell(p->client, &c);
	tell_over(p, exit_status(p->process->status));
	destroy(p);
	program_none_left(k);
	halt_look(k);
}

static void ended(struct waiter *w, uint32_t events)
{
	struct program *p = container_of(w, struct program, ended);

	(void)events;
	if (!p->process->zombie && !p->process->reaped)
		return;
	waitq_remove(w);
	if (p->console)
		console_drain(p->console, finished, p);
	else
		finished(p);
}

static struct program *of_process(struct kernel *k, const struct process *of)
{
	list_for_each (at, &k->programs) {
		struct program *p = list_entry(at, struct program, link);

		if (p->process == of)
			return p;
	}
	return NULL;
}

/* The program was loaded, or could not be. */
static void loaded(struct task *t, int err)
{
	struct kernel *k = t->kernel;
	struct program *p = of_process(k, t->process);
	int status = err == -ENOENT || err == -ENOTDIR ? NOT_FOUND
	                                               : NOT_EXECUTABLE;
	struct control c = {.kind = CONTROL_started};

	if (!p)
		return;
	c.value[0] = p->id;
	if (err == 0) {
		c.value[1] = (uint64_t)t->process->pid;
		clients_tell(p->client, &c);
		return;
	}
	c.kind = CONTROL_failed;
	c.value[1] = (uint64_t)status;
	c.value[2] = (uint64_t)-err;
	(void)snprintf(c.text, sizeof(c.text), "%s: %s", p->name,
	               err == -ENOENT ? "no such program in the qube"
	                              : strerror(-err));
	clients_tell(p->client, &c);
	tell_over(p, (uint32_t)status);
	destroy(p);
	process_kill(t->process, (uint32_t)status << 8);
	program_none_left(k);
	halt_look(k);
}

/*
 * Does SIGTSTP have its usual meaning there?  The group has no parent in its
 * session, and such groups are not stopped by it; but outside there is a shell
 * that will continue us.
 */
static bool stops(const struct process *p)
{
	const struct sighand *h = process_sighand(p);

	return h && h->action[SIGTSTP].handler == 0;
}

void program_signal(struct program *p, int sig)
{
	struct tty *tty = p->console ? console_tty(p->console) : NULL;
	abi_siginfo info;

	if (sig < 1 || sig > SIGNAL_MAX)
		return;
	if (sig == SIGTSTP && stops(p->process))
		sig = SIGSTOP;
	info = signal_info_kernel(sig);
	if (tty && tty->foreground)
		tty_signal(tty, sig);
	else if (p->process->pgrp)
		signal_send_pgrp(p->process->pgrp, &info);
}

void program_resize(struct program *p, uint16_t rows, uint16_t columns)
{
	if (p->console)
		console_resize(p->console, rows, columns);
}

void program_leave(struct program *p)
{
	abi_siginfo cont = signal_info_kernel(SIGCONT);
	struct process *of = p->process;

	list_del(&p->client_link);
	p->client = NULL;
	if (p->flags & CONTROL_RUN_TERMINAL && p->console)
		return;
	if (p->console)
		console_leave(p->console);
	if (p->console || p->flags & CONTROL_RUN_STAYS)
		return;
	/* It may end at once, and `p` with it. */
	process_get(of);
	program_signal(p, SIGHUP);
	if (of->pgrp)
		signal_send_pgrp(of->pgrp, &cont);
	process_put(of);
}

/* ---- finding them again ---- */

void program_list(struct kernel *k, int32_t after, struct control *out)
{
	const struct program *found = NULL;

	list_for_each (at, &k->programs) {
		struct program *p = list_entry(at, struct program, link);

		if (p->process->pid > after &&
		    (!found || p->process->pid < found->process->pid))
			found = p;
	}
	*out = (struct control){.kind = CONTROL_listed};
	if (!found)
		return;
	out->value[1] = (uint64_t)found->process->pid;
	out->value[2] = (found->console ? CONTROL_LISTED_TERMINAL : 0) |
	                (found->client || found->over ? CONTROL_LISTED_CLIENT
	                                              : 0) |
	                (found->process->stopped ? CONTROL_LISTED_STOPPED : 0);
	out->value[3] = timer_now() - found->started_ns;
	memcpy(out->text, found->about, sizeof(out->text));
}

static struct program *of_pid(struct kernel *k, int32_t pid)
{
	list_for_each (at, &k->programs) {
		struct program *p = list_entry(at, struct program, link);

		if (p->process->pid == pid && !p->process->zombie)
			return p;
	}
	return NULL;
}

static int may_attach(const struct program *p, int32_t pid, struct fault *f)
{
	if (!p)
		return fault_set(f, -ESRCH, "no program has the number %d",
		                 pid);
	if (p->over)
		return fault_set(f, -EBUSY, "%d serves a call", pid);
	if (p->client && !p->console)
		return fault_set(f, -EBUSY,
		                 "%d has no terminal, and somebody has it",
		                 pid);
	return 0;
}

int program_attach(struct kernel *k, int32_t pid,
                   const struct program_taker *by, struct fault *f)
{
	struct program *p = of_pid(k, pid);
	autoclose int terminal = by->terminal;
	struct client *former;
	int err = may_attach(p, pid, f);

	if (err < 0)
		return err;
	if (p->console && terminal < 0)
		return fault_set(f, -EPROTO, "%d has a terminal", pid);
	if (p->console) {
		err = console_attach(p->console, take_fd(&terminal), by->rows,
		                     by->columns);
		if (err < 0)
			return fault_set(f, err, "show its terminal: %s",
			                 strerror(-err));
	}
	/* Nothing below can fail. */
	former = p->client;
	list_del(&p->client_link);
	list_add_tail(clients_programs(by->client), &p->client_link);
	p->client = by->client;
	clients_tell(former, &(struct control){.kind = CONTROL_taken,
	                                       .value = {p->id}});
	p->id = by->id;
	p->flags |= CONTROL_RUN_STAYS;
	clients_tell(p->client,
	             &(struct control){.kind = CONTROL_started,
	                               .value = {p->id, (uint64_t)pid}});
	return 0;
}

/* ---- starting them ---- */

/* The value of a variable in a packed environment, or empty. */
static struct span variable(const struct wire_list *env, const char *name)
{
	size_t len = strlen(name), at = 0;

	while (at < env->packed.size) {
		const char *entry = (const char *)env->packed.at + at;
		size_t size = strlen(entry);

		if (size > len && entry[len] == '=' &&
		    memcmp(entry, name, len) == 0)
			return span_str(entry + len + 1);
		at += size + 1;
	}
	return (struct span){NULL, 0};
}

/* Appends DIR/NAME and its NUL. */
static void add_name(uint8_t *to, size_t *at, struct span dir, const char *name)
{
	size_t size = strlen(name) + 1;

	if (dir.size > 0) {
		memcpy(to + *at, dir.at, dir.size);
		*at += dir.size;
		to[(*at)++] = '/';
	}
	memcpy(to + *at, name, size);
	*at += size;
}

/*
 * Where to look for the command: in the folders of PATH, unless it names one
 * itself.  The caller frees out->packed.at.
 */
static int make_names(const struct job *j, struct exec_list *out)
{
	const char *name = (const char *)j->args.packed.at;
	struct span path = variable(&j->env, "PATH");
	size_t dirs = 1, room, at = 0, start = 0;
	uint8_t *packed;

	if (path.size == 0)
		path = span_str(PATH_DEFAULT);
	for (size_t i = 0; i < path.size; i++)
		dirs += path.at[i] == ':';
	if (!size_mul(dirs, strlen(name) + 3, &room) ||
	    !size_add(room, path.size, &room))
		return -ENOMEM;
	packed = malloc(room);
	if (!packed)
		return -ENOMEM;
	*out = (struct exec_list){0};
	if (strchr(name, '/') || !name[0]) {
		add_name(packed, &at, (struct span){NULL, 0}, name);
		out->count = 1;
	}
	for (size_t i = 0; out->count != 1 || at != strlen(name) + 1; i++) {
		struct span dir = {path.at + start, i - start};

		if (i < path.size && path.at[i] != ':')
			continue;
		add_name(packed, &at, dir.size ? dir : span_str("."), name);
		out->count++;
		start = i + 1;
		if (i >= path.size)
			break;
	}
	out->packed = (struct span){packed, at};
	return 0;
}

/* Puts a file at a number of the new task's table. */
static int install(struct task *t, int32_t fd, struct file *f)
{
	return fd_replace(t, fd, f, false);
}

static int open_console(struct task *t, struct console *c, struct file **out)
{
	struct path p;
	char name[32];
	long err;

	(void)snprintf(name, sizeof(name), "/dev/pts/%u",
	               console_tty(c)->index);
	err = path_lookup(t, AT_FDCWD, name, PATH_FOLLOW, &p);
	if (err < 0)
		return (int)err;
	err = file_open(t, &p, O_RDWR, out);
	path_put(&p);
	return (int)err;
}

void program_take_streams(struct program_streams *s, const struct job *j,
                          struct control_fds *fds)
{
	uint32_t next = 1;

	s->terminal = -1;
	for (size_t i = 0; i < ARRAY_LEN(s->fd); i++)
		s->fd[i] = j->stream[i] == JOB_DESCRIPTOR
		                   ? control_take(fds, next++)
		                   : -1;
	for (size_t i = 0; i < ARRAY_LEN(s->fd) && s->terminal < 0; i++)
		if (j->stream[i] == JOB_TERMINAL)
			s->terminal = control_take(fds, next);
}

void program_close_streams(struct program_streams *s)
{
	for (size_t i = 0; i < ARRAY_LEN(s->fd); i++)
		base_close(&s->fd[i]);
	base_close(&s->terminal);
}

static int make_streams(struct program *p, struct task *t, const struct job *j,
                        struct program_streams *s)
{
	struct file *console = NULL;
	int err = 0;

	if (s->terminal >= 0)
		err = console_create(p->kernel, take_fd(&s->terminal), j->rows,
		                     j->columns, &p->console);
	if (p->console && p->flags & CONTROL_RUN_STAYS)
		console_stay(p->console);
	for (int32_t i = 0; i < 3 && err == 0; i++) {
		struct file *f = NULL;

		if (j->stream[i] == JOB_CLOSED)
			continue;
		if (j->stream[i] == JOB_DESCRIPTOR) {
			err = stream_create(t->kernel, take_fd(&s->fd[i]),
			                    t->cred->uid, t->cred->gid, &f);
		} else if (!console) {
			err = open_console(t, p->console, &console);
			f = console;
		} else {
			f = file_get(console);
		}
		if (err == 0)
			err = install(t, i, f);
	}
	return err;
}

static int enter_folder(struct task *t, const struct program_order *o,
                        const struct account *who, struct fault *f)
{
	char name[LAUNCH_PATH_MAX + 1];
	struct span at = o->job->cwd;
	struct path p;
	long err;

	if (at.size == 0)
		at = span_str(who->home);
	memcpy(name, at.at, at.size);
	name[at.size] = '\0';
	err = path_lookup(t, AT_FDCWD, name, PATH_FOLLOW | PATH_DIRECTORY, &p);
	/* Accounts of services may have no home: they start in /. */
	if (err < 0 && o->job->cwd.size == 0)
		return 0;
	if (err < 0)
		return fault_set(f, (int)err, "start in %s: %s", name,
		                 strerror((int)-err));
	path_put(&t->fs->cwd);
	t->fs->cwd = p;
	return 0;
}

/* A task with a user, files and the root as its folder. */
static int make_task(struct kernel *k, const struct job *j,
                     const struct path *root, struct task **out,
                     struct account *who, struct fault *f)
{
	struct cred *cred = NULL;
	struct task *t;
	int err = hand_take(k, root, &t);

	if (err < 0)
		return fault_set(f, err, "make a process: %s", strerror(-err));
	err = accounts_find(t, j->user, who);
	if (err < 0) {
		err = err == -ENOENT
		              ? fault_set(f, err,
		                          "no such user in the qube: %.*s",
		                          (int)j->user.size,
		                          (const char *)j->user.at)
		              : fault_set(f, err, "look the user up: %s",
		                          strerror(-err));
	} else {
		cred = cred_create(who->uid, who->gid, who->groups,
		                   who->group_count);
		if (!cred)
			err = fault_set(f, -ENOMEM, "out of memory");
	}
	if (err < 0) {
		hand_drop(t);
		return err;
	}
	cred_replace(t, cred);
	*out = t;
	return 0;
}

/* The job's variables, and those of a login that are not among them. */
static int make_environment(const struct wire_list *env,
                            const struct account *who, struct buffer *b,
                            struct exec_list *out)
{
	const char *const login[][2] = {
		{"HOME", who->home},
		{"USER", who->name},
		{"LOGNAME", who->name},
		{"SHELL", *who->shell ? who->shell : "/bin/sh"},
	};
	uint32_t count = env->count;

	buffer_put(b, env->packed.at, env->packed.size);
	for (size_t i = 0; i < ARRAY_LEN(login); i++) {
		if (variable(env, login[i][0]).at)
			continue;
		buffer_text(b, login[i][0]);
		buffer_text(b, "=");
		buffer_text0(b, login[i][1]);
		count++;
	}
	*out = (struct exec_list){count, buffer_span(b)};
	return b->bad ? -ENOMEM : 0;
}

static int load(struct task *t, const struct program_order *o,
                const struct account *who, struct fault *f)
{
	struct exec_list args = {o->job->args.count, o->job->args.packed};
	autofree uint8_t *to_free = NULL;
	struct exec_list names, env;
	struct buffer b = {0};
	int err = make_environment(&o->job->env, who, &b, &env);

	to_free = b.at;
	if (err == 0)
		err = make_names(o->job, &names);
	if (err == 0) {
		err = exec_start(t, &names, &args, &env, loaded);
		free((void *)(uintptr_t)names.packed.at);
	}
	return err < 0 ? fault_set(f, err, "load the program: %s",
	                           strerror(-err))
	               : 0;
}

/* "ACCOUNT COMMAND ARGUMENT...", as much as there is room for. */
static void describe(struct program *p, const struct program_order *o,
                     const struct account *who)
{
	const struct wire_list *args = &o->job->args;
	size_t at = (size_t)snprintf(p->about, sizeof(p->about), "%s ",
	                             who->name);
	size_t size = MIN(args->packed.size - 1, sizeof(p->about) - 1 - at);

	for (size_t i = 0; i < size; i++) {
		uint8_t c = args->packed.at[i];

		p->about[at + i] = c ? (char)c : ' ';
	}
}

static struct program *create(struct kernel *k, const struct program_order *o,
                              struct task *t, const struct account *who)
{
	struct program *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	(void)snprintf(p->name, sizeof(p->name), "%s",
	               (const char *)o->job->args.packed.at);
	p->kernel = k;
	p->client = o->client;
	p->over = o->over;
	p->id = o->id;
	p->flags = o->flags;
	p->started_ns = timer_now();
	describe(p, o, who);
	p->process = process_get(t->process);
	p->ended.wake = ended;
	waitq_add(&t->process->exit_wait, &p->ended);
	list_add_tail(&k->programs, &p->link);
	list_init(&p->client_link);
	if (p->client)
		list_add_tail(clients_programs(p->client), &p->client_link);
	if (p->over)
		p->over->program = p;
	return p;
}

int program_start(struct kernel *k, const struct program_order *o,
                  const struct path *root, struct fault *f)
{
	struct program *p = NULL;
	struct account who;
	struct task *t;
	int err;

	err = make_task(k, o->job, root, &t, &who, f);
	if (err < 0) {
		program_close_streams(o->streams);
		return err;
	}
	p = create(k, o, t, &who);
	if (!p) {
		err = fault_set(f, -ENOMEM, "out of memory");
		goto kill;
	}
	err = make_streams(p, t, o->job, o->streams);
	if (err < 0)
		err = fault_set(f, err, "make the program's streams: %s",
		                strerror(-err));
	if (err == 0)
		err = enter_folder(t, o, &who, f);
	if (err == 0)
		err = load(t, o, &who, f);
	if (err == 0)
		goto put;
	if (o->over)
		o->over->program = NULL;
	destroy(p);
kill:
	process_kill(t->process, OURS << 8);
put:
	program_close_streams(o->streams);
	task_put(t);
	return err;
}
