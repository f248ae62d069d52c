/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/exec.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/fd.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/world.h"
#include "kernel/ipc/shm.h"
#include "kernel/task/cells.h"
#include "kernel/task/cred.h"
#include "kernel/task/elf.h"
#include "kernel/task/execcred.h"
#include "kernel/task/itimer.h"
#include "kernel/task/process.h"
#include "kernel/task/script.h"
#include "kernel/task/signal.h"

#define SCRIPTS_MAX 5      /* interpreters that are scripts themselves */
#define HEAD_ROOM   16384u /* for what scripts put before the arguments */
#define STRING_MAX  (32u * 4096u)

/* The program a task starts with. */
struct exec_first {
	struct exec_list names; /* point into text */
	struct span strings;    /* an empty path, arguments, environment */
	uint32_t argc, envc;
	int err; /* of the names tried so far */
	void (*done)(struct task *t, int err);
	size_t size;
	char text[];
};

/* One exec under way; nothing of it outlives a run of the handler. */
struct exec {
	struct task *t;
	int32_t dir;
	uint32_t flags; /* AT_* */
	uint32_t argc, envc;
	size_t room; /* of text */
	char *text;  /* HEAD_ROOM free bytes, then the strings */
	char *at;    /* in text: where the strings begin now */
	char *end;
	char *environ; /* where the environment begins */
	struct file *file;
	struct file *interp;
	struct cred *cred; /* the new one */
	bool secure;
	bool by_fd;             /* the name is a descriptor's: /dev/fd/N */
	char name[4096 + 32];   /* what is executed, in the end */
	char execfn[4096 + 32]; /* what was asked for */
	uint8_t head[SCRIPT_HEAD];
};

/* Strings. */

static int push_front(struct exec *x, struct span s)
{
	if ((size_t)(x->at - x->text) < s.size + 1)
		return -E2BIG;
	x->at -= s.size + 1;
	memcpy(x->at, s.at, s.size);
	x->at[s.size] = 0;
	return 0;
}

/* Drops the first string. */
static void pop_front(struct exec *x)
{
	x->at += strlen(x->at) + 1;
}

/* `count` strings from `from` on: where they end, or NULL. */
static char *skip(const struct exec *x, char *from, uint32_t count)
{
	while (count-- > 0) {
		char *nul = from < x->end
		                    ? memchr(from, 0, (size_t)(x->end - from))
		                    : NULL;

		if (!nul || nul - from >= STRING_MAX)
			return NULL;
		from = nul + 1;
	}
	return from;
}

static long limit(const struct task *t)
{
	uint64_t stack = t->process->rlimit[RLIMIT_STACK].cur / 4;

	return (long)MAX(MIN(stack, (uint64_t)LIMIT_ARG_STRINGS), 131072u);
}

/* Fetches path, arguments and environment; x->at is at the arguments. */
static long fetch(struct exec *x, uaddr_t from, size_t size)
{
	struct task *t = x->t;
	char *args, *env;

	if (size > (size_t)limit(t) + sizeof(x->execfn))
		return -E2BIG;
	x->room = HEAD_ROOM + size;
	x->text = limits_alloc(t->kernel, x->room);
	if (!x->text)
		return -ENOMEM;
	x->at = x->text + HEAD_ROOM;
	x->end = x->at + size;
	if (t->first)
		memcpy(x->at, t->first->strings.at, size);
	else if (user_read(t, from, x->at, size) < 0)
		return -EFAULT;
	args = skip(x, x->at, 1);
	env = args ? skip(x, args, x->argc) : NULL;
	if (!env || skip(x, env, x->envc) != x->end)
		return -EFAULT;
	x->environ = env;
	return 0;
}

/* The name to look up and to show. */
static long take_name(struct exec *x)
{
	size_t len = strlen(x->at);

	if (x->t->first)
		(void)snprintf(x->name, sizeof(x->name), "%s",
		               (const char *)x->t->first->names.packed.at);
	else if (len >= LIMIT_PATH)
		return -ENAMETOOLONG;
	else
		memcpy(x->name, x->at, len + 1);
	if (x->name[0] == 0 && !(x->flags & AT_EMPTY_PATH))
		return -ENOENT;
	x->by_fd = x->dir != AT_FDCWD && x->name[0] != '/';
	if (!x->by_fd)
		(void)snprintf(x->execfn, sizeof(x->execfn), "%s", x->name);
	else
		(void)snprintf(x->execfn, sizeof(x->execfn),
		               "/dev/fd/%d%s%.4000s", x->dir,
		               x->name[0] ? "/" : "", x->name);
	pop_front(x);
	if (x->argc == 0) {
		x->argc = 1;
		return push_front(x, span_str(""));
	}
	return 0;
}

/* Files. */

/* Opens a program, or an interpreter, after all checks. */
static long open_program(struct exec *x, int32_t dir, const char *name,
                         uint32_t flags, struct file **out)
{
	struct path p = {0};
	struct inode *i;
	long err = path_lookup(x->t, dir, name, flags, &p);

	if (err < 0)
		return err;
	i = path_inode(&p);
	if (!i)
		err = -ENOENT;
	else if (inode_is(i, S_IFLNK))
		err = -ELOOP;
	else if (!inode_is(i, S_IFREG) || !(i->mode & 0111))
		err = -EACCES;
	else
		err = path_permission(x->t, &p, X_OK);
	if (err == 0 && i->writers > 0)
		err = -ETXTBSY;
	if (err == 0)
		err = file_open(x->t, &p, O_RDONLY, out);
	path_put(&p);
	return err;
}

/* Reads up to `size` bytes at `pos`.  Returns how many there were. */
static long read_at(struct file *f, void *to, size_t size, uint64_t pos)
{
	int64_t at = (int64_t)pos;
	size_t done = 0;

	if (!f->ops->read)
		return -ENOEXEC;
	while (done < size) {
		struct uio u;
		long n;

		uio_init_kernel(&u, (uint8_t *)to + done, size - done);
		n = f->ops->read(f, &u, &at);
		if (n < 0)
			return n;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (long)done;
}

/* The interpreter's path of an ELF file, into x->name; 0: it has none. */
static long read_interp(struct exec *x, const struct elf *e)
{
	size_t size = (size_t)e->count * ELF_ENTRY_SIZE;
	autofree uint8_t *entries = malloc(size);
	struct elf_interp where;
	long n;

	if (!entries)
		return -ENOMEM;
	n = read_at(x->file, entries, size, e->offset);
	if (n < 0)
		return n;
	if ((size_t)n != size)
		return -ENOEXEC;
	n = elf_find_interp((struct span){entries, size}, &where);
	if (n < 0 || where.size == 0)
		return n;
	n = read_at(x->file, x->name, where.size, where.offset);
	if (n < 0)
		return n;
	if ((uint64_t)n != where.size)
		return -EIO;
	n = elf_check_interp((struct span){(uint8_t *)x->name, where.size});
	return n < 0 ? n : 1;
}

static long open_interp(struct exec *x)
{
	uint8_t head[ELF_HEADER_SIZE];
	struct elf e;
	long n = open_program(x, AT_FDCWD, x->name, PATH_FOLLOW, &x->interp);

	if (n < 0)
		return n;
	n = read_at(x->interp, head, sizeof(head), 0);
	if (n < 0)
		return n;
	if ((size_t)n != sizeof(head))
		return -EIO;
	return elf_header((struct span){head, (size_t)n}, &e) < 0 ? -ELIBBAD
	                                                          : 0;
}

/* A script's interpreter takes its place: x->name and the arguments. */
static long become_interp(struct exec *x, const struct script *s, int depth)
{
	const char *name = depth == 0 ? x->execfn : x->name;
	int err;

	if (depth == 0 && x->by_fd && fd_cloexec(x->t, x->dir) == 1)
		return -ENOENT; /* the interpreter could not open it */
	pop_front(x);
	err = push_front(x, span_str(name));
	if (err == 0 && s->arg.size > 0) {
		err = push_front(x, s->arg);
		x->argc++;
	}
	if (err == 0)
		err = push_front(x, s->interp);
	x->argc++;
	memcpy(x->name, s->interp.at, s->interp.size);
	x->name[s->interp.size] = 0;
	return err;
}

/* Follows scripts to an ELF file, and finds its interpreter. */
static long find_program(struct exec *x)
{
	uint32_t flags = x->flags & AT_SYMLINK_NOFOLLOW ? 0 : PATH_FOLLOW;
	int32_t dir = x->dir;
	struct script s;
	struct elf e;
	long n;

	if (x->flags & AT_EMPTY_PATH)
		flags |= PATH_EMPTY;
	for (int depth = 0;; depth++) {
		struct span head = {x->head, 0};

		if (depth > SCRIPTS_MAX)
			return -ELOOP;
		n = open_program(x, dir, x->name, flags, &x->file);
		if (n < 0)
			return n;
		n = read_at(x->file, x->head, sizeof(x->head), 0);
		if (n < 0)
			return n;
		head.size = (size_t)n;
		n = script_parse(head, &s);
		if (n == -ENOENT) {
			n = elf_header(head, &e);
			break;
		}
		if (n == 0)
			n = become_interp(x, &s, depth);
		if (n < 0)
			return n;
		file_put(x->file);
		x->file = NULL;
		dir = AT_FDCWD;
		flags = PATH_FOLLOW;
	}
	if (n < 0)
		return n;
	n = read_interp(x, &e);
	return n <= 0 ? n : open_interp(x);
}

/* Credentials: execcred.h. */

/* Does another process share what the program would look names up by? */
static bool shares_fs(const struct task *t)
{
	uint32_t ours = 0;

	list_for_each (at, &t->process->tasks)
		ours += list_entry(at, struct task, in_process)->fs == t->fs;
	return t->fs->refs > ours;
}

static long make_cred(struct exec *x)
{
	struct execcred_of of = {
		.t = x->t,
		.file = x->file,
		.no_new_privs = x->t->no_new_privs,
		.shares_fs = shares_fs(x->t),
	};

	return execcred_make(&of, &x->cred, &x->secure);
}

/* Does the new program have more, or other, rights than the old one? */
static bool cred_differs(const struct cred *a, const struct cred *b)
{
	return a->uid != b->uid || a->euid != b->euid || a->suid != b->suid ||
	       a->gid != b->gid || a->egid != b->egid || a->sgid != b->sgid ||
	       (b->cap_permitted & ~a->cap_permitted);
}

/* The point of no return. */

static void end_other_tasks(struct task *t)
{
	struct process *p = t->process;
	struct list *at = p->tasks.next;

	while (at != &p->tasks) {
		struct task *other = list_entry(at, struct task, in_process);

		at = at->next;
		if (other != t)
			task_exit(other, 0);
	}
	task_take_pid(t);
}

static struct sighand *own_sighand(struct task *t)
{
	struct sighand *h = t->sighand;

	if (h->refs == 1)
		return h;
	h = limits_alloc(t->kernel, sizeof(*h));
	if (!h)
		return NULL;
	*h = *t->sighand;
	h->refs = 1;
	return h;
}

static struct process_strings *make_strings(const struct exec *x)
{
	size_t size = (size_t)(x->end - x->at);
	struct process_strings *s = limits_alloc(x->t->kernel,
	                                         sizeof(*s) + size);

	if (!s)
		return NULL;
	s->refs = 1;
	s->size = size;
	memcpy(s->data, x->at, size);
	return s;
}

static void set_comm(struct task *t, const char *name)
{
	const char *slash = strrchr(name, '/');

	(void)snprintf(t->comm, sizeof(t->comm), "%.*s", TASK_COMM - 1,
	               slash ? slash + 1 : name);
}

static void record(struct exec *x, struct process_strings *s)
{
	struct process *p = x->t->process;
	size_t args = (size_t)(x->environ - x->at);

	process_set_strings(p, s);
	p->cmdline = s->data;
	p->cmdline_size = args;
	p->environ = s->data + args;
	p->environ_size = s->size - args;
	process_set_exe(p, file_get(x->file));
	set_comm(x->t, x->execfn);
}

static bool readable(const struct exec *x)
{
	return path_permission(x->t, &x->file->path, R_OK) == 0;
}

static void fill_image(const struct exec *x, struct image *img)
{
	struct process *p = x->t->process;

	*img = (struct image){
		.argc = x->argc,
		.envc = x->envc,
		.secure = x->secure,
		.uid = x->cred->uid,
		.euid = x->cred->euid,
		.gid = x->cred->gid,
		.egid = x->cred->egid,
		.stack_size = p->rlimit[RLIMIT_STACK].cur,
	};
	(void)!getrandom(img->random, sizeof(img->random), 0);
}

/* What only needs memory, and must be there before the line. */
struct prepared {
	struct sighand *sighand;
	struct fdtable *fds;
	struct process_strings *strings;
	int host_fd[2];
	uint64_t from[2], size[2]; /* of the file in that object */
	bool in_place;
};

/* The object behind the program (0) or its interpreter (1). */
static long object_fd(struct exec *x, struct file *f, struct prepared *q,
                      size_t which)
{
	struct file_object o = {.size = UINT64_MAX};
	long err;

	if (!f || !x->t->kernel->cells)
		return 0;
	if (!f->ops->object)
		return -EACCES;
	err = f->ops->object(f, x->t, PROT_READ | PROT_EXEC, false, &o);
	if (err < 0)
		return err;
	q->host_fd[which] = o.host_fd;
	q->from[which] = o.from;
	q->size[which] = o.size;
	return 0;
}

static long prepare(struct exec *x, struct prepared *q)
{
	struct task *t = x->t;
	long err = make_cred(x);

	q->host_fd[0] = q->host_fd[1] = -1;
	if (err == 0)
		err = object_fd(x, x->file, q, 0);
	if (err == 0)
		err = object_fd(x, x->interp, q, 1);
	if (err < 0)
		return err;
	q->in_place = t->cell && t->process->task_count == 1 &&
	              t->cell->tasks.next == t->cell->tasks.prev &&
	              !cred_differs(t->cred, x->cred);
	q->strings = make_strings(x);
	q->sighand = own_sighand(t);
	q->fds = fd_table_shared(t->fds) ? fd_table_copy(t->fds)
	                                 : fd_table_get(t->fds);
	if (q->strings && q->sighand && q->fds)
		return 0;
	process_put_strings(t->kernel, q->strings);
	if (q->sighand != t->sighand)
		signal_sighand_put(q->sighand, t->kernel);
	if (q->fds)
		fd_table_put(q->fds, NULL);
	return -ENOMEM;
}

static long commit(struct exec *x)
{
	struct task *t = x->t;
	struct process *p = t->process;
	struct fdtable *old_fds = t->fds;
	struct prepared q = {0};
	bool changes;
	struct image img;
	long err = prepare(x, &q);

	if (err == 0 && push_front(x, span_str(x->execfn)) < 0)
		err = -E2BIG;
	if (err < 0)
		return err;
	fill_image(x, &img);
	for (size_t i = 0; i < ARRAY_LEN(q.host_fd); i++) {
		img.from[i] = q.from[i];
		img.size[i] = q.size[i];
	}
	img.strings_size = (uint32_t)(x->end - x->at);
	pop_front(x);

	/* Nothing below can fail but by ending the process. */
	end_other_tasks(t);
	if (q.sighand != t->sighand)
		signal_sighand_put(t->sighand, t->kernel);
	t->sighand = q.sighand;
	signal_sighand_reset(t->sighand);
	t->fds = q.fds;
	fd_table_put(old_fds, t);
	fd_table_exec(t->fds, t);
	itimer_exec(p);
	shm_process_gone(p);
	changes = cred_differs(t->cred, x->cred);
	record(x, q.strings);
	p->dumpable = !changes && x->cred->uid == x->cred->euid &&
	              x->cred->gid == x->cred->egid && readable(x);
	p->execed = true;
	p->program_count++;
	t->pdeath_signal = changes ? 0 : t->pdeath_signal;
	t->clear_tid = 0;
	t->mask_saved = false;
	t->restart.nr = 0;
	cred_replace(t, cred_get(x->cred));
	err = -ENOANSWER;
	if (t->kernel->cells)
		err = cells_load(t, &img, x->at - strlen(x->execfn) - 1,
		                 q.host_fd[0], q.host_fd[1], q.in_place);
	if (err != -ENOANSWER)
		process_kill(p, 9 /* SIGKILL */);
	signal_update(t);
	task_release_vfork(t);
	return -ENOANSWER;
}

static void clean(struct exec *x)
{
	if (x->file)
		file_put(x->file);
	if (x->interp)
		file_put(x->interp);
	cred_put(x->cred);
	limits_free(x->t->kernel, x->text, x->room);
}

static long exec_once(struct task *t, uint32_t flags, size_t size,
                      uint32_t argc, uint32_t envc)
{
	struct exec *x = limits_alloc(t->kernel, sizeof(*x));
	long err;

	if (!x)
		return -ENOMEM;
	x->t = t;
	x->dir = t->first ? AT_FDCWD : (int32_t)t->req.arg[0];
	x->flags = flags;
	x->argc = argc;
	x->envc = envc;
	err = fetch(x, (uaddr_t){t->req.arg[2]}, size);
	if (err == 0)
		err = take_name(x);
	if (err == 0)
		err = find_program(x);
	if (err == 0)
		err = commit(x);
	clean(x);
	limits_free(t->kernel, x, sizeof(*x));
	return err;
}

/* The first program: goes on to the next name, or tells how it went. */
static long run_first(struct task *t)
{
	struct exec_first *f = t->first;
	void (*done)(struct task * t, int err) = f->done;
	long err = -ENOENT;

	while (f->names.count > 0) {
		size_t len = strlen((const char *)f->names.packed.at) + 1;

		err = exec_once(t, 0, f->strings.size, f->argc, f->envc);
		if (err == -EWAIT)
			return err;
		if (err != -ENOENT && err != -ENOTDIR && err != -EACCES)
			break;
		/* "Permission denied" says more than "no such file". */
		if (f->err == 0 || err == -EACCES)
			f->err = (int)err;
		f->names.packed = span_from(f->names.packed, len);
		f->names.count--;
		err = f->err;
	}
	exec_forget(t);
	if (done)
		done(t, err == -ENOANSWER ? 0 : (int)err);
	return -ENOANSWER;
}

long exec_run(struct task *t)
{
	uint64_t flags = t->req.arg[1];
	uint64_t size = t->req.arg[3];
	uint64_t argc = t->req.arg[4];
	uint64_t envc = t->req.arg[5];

	if (t->first)
		return run_first(t);
	if (flags & ~(uint64_t)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	if (size > LIMIT_ARG_STRINGS + LIMIT_PATH || argc > size || envc > size)
		return -E2BIG;
	return exec_once(t, (uint32_t)flags, size, (uint32_t)argc,
	                 (uint32_t)envc);
}

void exec_forget(struct task *t)
{
	struct exec_first *f = t->first;

	t->first = NULL;
	if (f)
		limits_free(t->kernel, f, sizeof(*f) + f->size);
}

int exec_start(struct task *t, const struct exec_list *names,
               const struct exec_list *args, const struct exec_list *env,
               void (*done)(struct task *t, int err))
{
	size_t size = names->packed.size + 1 + args->packed.size +
	              env->packed.size;
	struct exec_first *f = limits_alloc(t->kernel, sizeof(*f) + size);
	char *to;

	if (!f)
		return -ENOMEM;
	f->size = size;
	f->argc = args->count;
	f->envc = env->count;
	f->done = done;
	to = f->text;
	memcpy(to, names->packed.at, names->packed.size);
	f->names = (struct exec_list){names->count,
	                              {(uint8_t *)to, names->packed.size}};
	to += names->packed.size;
	f->strings = (struct span){(uint8_t *)to, size - names->packed.size};
	*to++ = 0;
	if (args->packed.size)
		memcpy(to, args->packed.at, args->packed.size);
	if (env->packed.size)
		memcpy(to + args->packed.size, env->packed.at,
		       env->packed.size);
	t->first = f;
	/* It runs, and waits, like any other request of the task. */
	t->req = (struct request){.nr = OP_exec};
	t->in_call = true;
	t->first_run = true;
	t->state = TASK_READY;
	list_add_tail(&t->kernel->ready, &t->ready_link);
	return 0;
}
