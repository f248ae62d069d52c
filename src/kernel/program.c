/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/program.h"

#include <linux/fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "kernel/fs/fd.h"
#include "kernel/fs/file.h"
#include "kernel/fs/stream.h"
#include "kernel/owner.h"
#include "kernel/task/cred.h"
#include "kernel/task/exec.h"
#include "kernel/task/process.h"
#include "kernel/task/session.h"
#include "kernel/task/signal.h"
#include "kernel/tty/console.h"
#include "kernel/tty/tty.h"

#define PATH_DEFAULT "/usr/local/bin:/usr/bin:/bin"

struct program {
	struct kernel *kernel;
	struct process *process; /* a reference */
	struct waiter ended;
	char name[64]; /* of the command, for messages */
};

/* Who there is in a qube; as its /etc/passwd says. */
static const struct {
	const char *name;
	uint32_t uid, gid;
} users[] = {
	{"user", 1000, 1000},
	{"root", 0, 0},
};

static struct cred *make_cred(struct span user)
{
	for (size_t i = 0; i < ARRAY_LEN(users); i++)
		if (span_is(user, users[i].name))
			return cred_create(users[i].uid, users[i].gid,
			                   &users[i].gid, 1);
	return NULL;
}

/* It has ended: so has the qube. */
static void ended(struct waiter *w, uint32_t events)
{
	struct program *p = container_of(w, struct program, ended);
	struct kernel *k = p->kernel;

	(void)events;
	if (!p->process->zombie && !p->process->reaped)
		return;
	waitq_remove(w);
	console_drain(k);
	owner_exited(k, p->process->status);
	k->loop.stop = true;
}

/* The program was loaded, or could not be. */
static void loaded(struct task *t, int err)
{
	struct kernel *k = t->kernel;
	struct program *p = k->program;
	char why[160];

	if (err == 0)
		return;
	(void)snprintf(why, sizeof(why), "%s: %s", p->name,
	               err == -ENOENT ? "no such program in the qube"
	                              : strerror(-err));
	waitq_remove(&p->ended);
	owner_failed(k, err == -ENOENT || err == -ENOTDIR ? 127 : 126, why);
	k->loop.stop = true;
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

void program_signal(struct kernel *k, int sig)
{
	struct program *p = k->program;
	abi_siginfo info;

	if (!p || sig < 1 || sig > SIGNAL_MAX)
		return;
	if (sig == SIGTSTP && stops(p->process))
		sig = SIGSTOP;
	info = signal_info_kernel(sig);
	if (k->console && console_tty(k->console)->foreground)
		tty_signal(console_tty(k->console), sig);
	else if (p->process->pgrp)
		signal_send_pgrp(p->process->pgrp, &info);
}

/* The value of a variable in a packed environment, or empty. */
static struct span variable(const struct launch_list *env, const char *name)
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
static int make_names(const struct launch *l, struct exec_list *out)
{
	const char *name = (const char *)l->args.packed.at;
	struct span path = variable(&l->env, "PATH");
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

static int open_console(struct task *t, struct file **out)
{
	struct tty *tty = console_tty(t->kernel->console);
	struct path p;
	char name[32];
	long err;

	(void)snprintf(name, sizeof(name), "/dev/pts/%u", tty->index);
	err = path_lookup(t, AT_FDCWD, name, PATH_FOLLOW, &p);
	if (err < 0)
		return (int)err;
	err = file_open(t, &p, O_RDWR, out);
	path_put(&p);
	return (int)err;
}

static int make_streams(struct task *t, const struct launch *l,
                        struct program_streams *s)
{
	struct file *console = NULL;
	int err = 0;

	for (int32_t i = 0; i < 3 && err == 0; i++) {
		struct file *f = NULL;
		int fd = take_fd(&s->fd[i]);

		if (l->stream[i] == LAUNCH_CLOSED)
			continue;
		if (l->stream[i] == LAUNCH_DESCRIPTOR) {
			err = stream_create(t->kernel, fd, t->cred->uid,
			                    t->cred->gid, &f);
		} else if (!console) {
			err = open_console(t, &console);
			f = console;
		} else {
			f = file_get(console);
		}
		if (err == 0)
			err = install(t, i, f);
	}
	return err;
}

static int enter_folder(struct task *t, const struct launch *l, struct fault *f)
{
	char name[LAUNCH_PATH_MAX + 1];
	struct path p;
	long err;

	memcpy(name, l->cwd.at, l->cwd.size);
	name[l->cwd.size] = '\0';
	err = path_lookup(t, AT_FDCWD, name, PATH_FOLLOW | PATH_DIRECTORY, &p);
	if (err < 0)
		return fault_set(f, (int)err, "start in %s: %s", name,
		                 strerror((int)-err));
	path_put(&t->fs->cwd);
	t->fs->cwd = p;
	return 0;
}

static struct fsctx *make_fsctx(const struct path *root)
{
	struct fsctx *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	*f = (struct fsctx){
		.refs = 1, .umask = 022, .root = *root, .cwd = *root};
	path_get(&f->root);
	path_get(&f->cwd);
	return f;
}

/* A task with a user, files and the root as its folder. */
static int make_task(struct kernel *k, const struct launch *l,
                     const struct path *root, struct task **out,
                     struct fault *f)
{
	struct cred *cred = make_cred(l->user);
	struct fsctx *fs = make_fsctx(root);
	struct fdtable *fds = fd_table_create(k);
	int err = -ENOMEM;

	if (cred && fs && fds)
		err = task_spawn(k, cred, fs, fds, out);
	if (err == 0)
		return 0;
	cred_put(cred);
	if (fs)
		path_fsctx_put(fs);
	if (fds)
		fd_table_put(fds, NULL);
	return fault_set(f, err, "make the first process: %s", strerror(-err));
}

static int load(struct task *t, const struct launch *l, struct fault *f)
{
	struct exec_list args = {l->args.count, l->args.packed};
	struct exec_list env = {l->env.count, l->env.packed};
	struct exec_list names;
	int err = make_names(l, &names);

	if (err == 0) {
		err = exec_start(t, &names, &args, &env, loaded);
		free((void *)(uintptr_t)names.packed.at);
	}
	return err < 0 ? fault_set(f, err, "load the program: %s",
	                           strerror(-err))
	               : 0;
}

static void remember(struct kernel *k, struct program *p, struct task *t,
                     const struct launch *l)
{
	(void)snprintf(p->name, sizeof(p->name), "%s",
	               (const char *)l->args.packed.at);
	p->kernel = k;
	p->process = process_get(t->process);
	p->ended.wake = ended;
	waitq_add(&t->process->exit_wait, &p->ended);
	k->program = p;
}

int program_start(struct kernel *k, const struct launch *l,
                  const struct path *root, struct program_streams *streams,
                  struct fault *f)
{
	struct program *p = calloc(1, sizeof(*p));
	struct task *t;
	int err;

	if (!p)
		return fault_set(f, -ENOMEM, "out of memory");
	err = make_task(k, l, root, &t, f);
	if (err < 0) {
		free(p);
		return err;
	}
	remember(k, p, t, l);
	err = session_start(t->process);
	if (err == 0)
		err = make_streams(t, l, streams);
	if (err < 0)
		return fault_set(f, err, "make the program's streams: %s",
		                 strerror(-err));
	err = enter_folder(t, l, f);
	return err < 0 ? err : load(t, l, f);
}
