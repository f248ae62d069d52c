/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/maps.h"

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "kernel/owner.h"
#include "kernel/task/cellpool.h"

#define NAME_COLUMN 72 /* as the host pads its lines */
#define TEXT_MAX    ((size_t)16 << 20)

/* A list under way: the job of the task that asked. */
struct job {
	struct owner_request request;
	struct task *task;
	long err;
	char *text; /* as the host gives it, with a NUL */
	bool done;
};

/* Names that are the same inside. */
static bool name_known(const char *name)
{
	return name[0] == '\0' || name[0] == '[' ||
	       strncmp(name, "/usr/", 5) == 0 || strncmp(name, "/etc/", 5) == 0;
}

static const char *name_inside(const char *name, char *room, size_t size)
{
	const char *last = strrchr(name, '/');

	if (name_known(name))
		return name;
	if (strncmp(name, "/memfd:", 7) == 0 || !last)
		return "/dev/shm/ (deleted)";
	(void)snprintf(room, size, "/...%s", last);
	return room;
}

static void translate_line(FILE *out, const char *line, uint64_t stack,
                           uint64_t heap)
{
	uint64_t lo, hi;
	char room[512];
	const char *name;
	int at = 0;

	/* "lo-hi perms offset dev inode" and perhaps a name. */
	if (sscanf(line, "%lx-%lx %*s %*x %*s %*u %n", &lo, &hi, &at) != 2 ||
	    at == 0)
		return;
	if (lo >= LAYOUT_LO && lo < LAYOUT_HI)
		return;
	name = line + at;
	if (strcmp(name, "[stack]") == 0)
		return; /* the zygote's, which the guest never sees */
	if (stack >= lo && stack < hi)
		name = "[stack]";
	else if (heap >= lo && heap < hi)
		name = "[heap]";
	else
		name = name_inside(name, room, sizeof(room));
	while (at > 0 && line[at - 1] == ' ')
		at--;
	if (name[0])
		(void)fprintf(out, "%-*.*s %s\n", NAME_COLUMN, at, line, name);
	else
		(void)fprintf(out, "%.*s \n", at, line);
}

char *maps_translate(const char *host, uint64_t stack, uint64_t heap,
                     size_t *size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);
	char line[512];

	if (!out)
		return NULL;
	while (*host) {
		const char *end = strchrnul(host, '\n');

		(void)snprintf(line, sizeof(line), "%.*s", (int)(end - host),
		               host);
		translate_line(out, line, stack, heap);
		host = *end ? end + 1 : end;
	}
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* The whole file, which has no size to ask for. */
static char *read_all(int fd)
{
	size_t room = 65536, have = 0;
	char *text = malloc(room);

	while (text) {
		ssize_t n = read(fd, text + have, room - have - 1);

		if (n <= 0)
			break;
		have += (size_t)n;
		if (room - have > 1)
			continue;
		room *= 2;
		if (room > TEXT_MAX)
			break;
		char *more = realloc(text, room);

		if (!more)
			break;
		text = more;
	}
	if (text)
		text[have] = '\0';
	return text;
}

static void answered(struct owner_request *r, int fd)
{
	struct job *j = container_of(r, struct job, request);

	j->done = true;
	j->err = fd < 0 ? fd : 0;
	if (fd >= 0) {
		j->text = read_all(fd);
		close(fd);
		if (!j->text)
			j->err = -ENOMEM;
	}
	task_wake(j->task);
}

static void drop(struct task *t)
{
	struct job *j = t->job;

	owner_forget(&j->request);
	free(j->text);
	free(j);
	t->job = NULL;
}

static long start(struct task *t, struct cell *c)
{
	struct job *j = calloc(1, sizeof(*j));
	int err, pidfd;

	if (!j)
		return -ENOMEM;
	list_init(&j->request.link);
	j->request.answered = answered;
	j->task = t;
	pidfd = (int)syscall(SYS_pidfd_open, c->host_pid, 0);
	err = pidfd < 0 ? -ESRCH
	                : owner_ask_maps(t->kernel, pidfd, &j->request);
	if (pidfd >= 0)
		close(pidfd);
	if (err < 0) {
		free(j);
		return err;
	}
	t->job = j;
	t->job_drop = drop;
	return task_sleep_deep(t);
}

void maps_places(const struct process *p, uint64_t *stack, uint64_t *heap)
{
	*stack = *heap = 0;
	if (!p->leader || !p->leader->slot)
		return;
	*stack = atomic_load_explicit(&p->leader->slot->stack_start,
	                              memory_order_relaxed);
	*heap = atomic_load_explicit(&p->leader->slot->brk_start,
	                             memory_order_relaxed);
}

static struct cell *cell_of(struct process *p)
{
	list_for_each (at, &p->tasks) {
		struct task *t = list_entry(at, struct task, in_process);

		if (t->cell && cellpool_hello(t->cell))
			return t->cell;
	}
	return NULL;
}

long maps_read(struct task *t, struct process *p, char **text, size_t *size)
{
	struct job *j = t->job;
	uint64_t stack, heap;
	struct cell *c;
	long err;

	if (j && !j->done)
		return task_sleep_deep(t);
	if (!j) {
		c = cell_of(p);
		if (c)
			return start(t, c);
		*text = calloc(1, 1);
		*size = 0;
		return *text ? 0 : -ENOMEM;
	}
	err = j->err;
	if (err == 0) {
		maps_places(p, &stack, &heap);
		*text = maps_translate(j->text, stack, heap, size);
		err = *text ? 0 : -ENOMEM;
	}
	drop(t);
	return err;
}
