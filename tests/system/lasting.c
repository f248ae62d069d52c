/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drives kernels of qubes that last, as a manager would, for lasting.sh.
 *
 *	lasting DIR start NAME [AT=FOLDER...]  a qube of the machine's own programs, with
 *	                           volumes, made if FOLDER is empty; says the pid of
 *	                           its keeper; it logs to DIR/NAME.log
 *	lasting DIR run NAME CMD.. with our streams, its exit status
 *	lasting DIR run-root NAME CMD..  the same as root
 *	lasting DIR speed NAME N CMD..  ms per run, the fastest of N
 *	lasting DIR start-speed NAME N CMD..  the same with a start of the qube
 *	lasting DIR pause|unpause|kill|state|shutdown NAME [MS]
 *	lasting DIR check FOLDER   the checker's word on a volume not in use
 *	lasting DIR garbage NAME   sends what no client would
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "base/libexec.h"
#include "channel/control.h"
#include "supervise/attend.h"
#include "supervise/door.h"
#include "supervise/keeper.h"
#include "supervise/machine.h"
#include "supervise/order.h"
#include "volume/volume_check.h"

#define MEMORY (1ull << 30)
#define TASKS  1000u

static int complain(const struct fault *f)
{
	(void)fprintf(stderr, "lasting: %s\n", f->text);
	return ATTEND_OURS;
}

#define VOLUMES 4u

struct folders {
	int fd[VOLUMES];
	char at[VOLUMES][64];
	uint32_t count;
};

static int open_folder(struct folders *v, const char *what, struct fault *f)
{
	static const struct volume_limits limits = {.bytes = 512 << 20};
	const char *equals = strchr(what, '=');
	int fd = equals ? open(equals + 1, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
	                : -1;
	int err;

	if (fd < 0)
		return fault_set(f, -EINVAL, "no AT=FOLDER: %s", what);
	err = volume_create(fd, &limits, HEADER_OPEN, (struct span){NULL, 0},
	                    f);
	if (err < 0 && err != -EEXIST)
		return err;
	f->text[0] = '\0';
	v->fd[v->count] = fd;
	(void)snprintf(v->at[v->count], sizeof(v->at[0]), "%.*s",
	               (int)(equals - what), what);
	v->count++;
	return 0;
}

static int mount_folders(struct start *s, const struct folders *v,
                         struct fault *f)
{
	static const char *const binds[][2] = {
		{"/home", "/rw/home"},
		{"/usr/local", "/rw/usrlocal"},
	};
	int err = 0;

	for (uint32_t i = 0; i < v->count && err == 0; i++) {
		struct launch_mount m = {
			LAUNCH_VOLUME,      LAUNCH_MOUNT_WRITABLE, 1,
			span_str(v->at[i]), span_str("volume"),
		};

		err = start_mount(s, &m, &v->fd[i], f);
		if (strcmp(v->at[i], "/rw") != 0)
			continue;
		for (size_t b = 0; b < ARRAY_LEN(binds) && err == 0; b++) {
			m = (struct launch_mount){
				LAUNCH_BIND,
				0,
				0,
				span_str(binds[b][0]),
				span_str(binds[b][1]),
			};
			err = start_mount(s, &m, NULL, f);
		}
	}
	return err;
}

/* A keeper that is our child. */
struct keeper {
	pid_t pid;
	int report;
};

static int start_keeper(struct start *s, int log, struct keeper *out,
                        struct fault *f)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fault_errno(f, "make a pipe");
	*out = (struct keeper){.pid = fork(), .report = ends[0]};
	if (out->pid == 0)
		keeper_become(s, log, ends[1]);
	if (out->pid < 0)
		return fault_errno(f, "start a keeper");
	close(ends[1]);
	return 0;
}

static int start(int dir, const char *name, const struct folders *v,
                 struct keeper *k, struct fault *f)
{
	static struct start s;
	autoclose int cell = libexec_open("bento-cell", f);
	autoclose int door = -1, log = -1;
	char file[64];
	struct machine m;
	int err;

	if (cell < 0)
		return cell;
	(void)snprintf(file, sizeof(file), "%s.log", name);
	log = openat(dir, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
	             0600);
	door = door_make(dir, name, f);
	if (door < 0 || log < 0)
		return -EIO;
	memset(&s, 0, sizeof(s));
	s.record = (struct launch){
		.flags = LAUNCH_LISTEN,
		.memory = MEMORY,
		.tasks = TASKS,
		.name = span_str(name),
	};
	err = machine_open(&m, f);
	if (err < 0)
		return err;
	err = start_fd(&s, cell, f);
	if (err == 0)
		err = start_fd(&s, door, f);
	if (err == 0)
		err = machine_add(&m, &s, f);
	if (err == 0)
		err = mount_folders(&s, v, f);
	if (err == 0)
		err = start_keeper(&s, log, k, f);
	machine_close(&m);
	return err < 0 ? err : keeper_hear(k->report, f);
}

static int do_start(int dir, const char *name, char *const what[])
{
	struct folders v = {.count = 0};
	struct fault f = {""};
	struct keeper k;
	int err = 0;

	for (; *what && v.count < VOLUMES && err == 0; what++)
		err = open_folder(&v, *what, &f);
	if (err < 0 || start(dir, name, &v, &k, &f) < 0)
		return complain(&f);
	(void)printf("%d\n", (int)k.pid);
	return 0;
}

static void pack(char *const cmd[], struct wire_list *out, char *to)
{
	size_t at = 0;

	*out = (struct wire_list){0};
	for (; cmd[out->count]; out->count++) {
		size_t size = strlen(cmd[out->count]) + 1;

		memcpy(to + at, cmd[out->count], size);
		at += size;
	}
	out->packed = (struct span){(uint8_t *)to, at};
}

static int run(int dir, const char *name, const char *user, char *const cmd[],
               struct fault *f)
{
	static char args[65536];
	static const char env[] =
		"PATH=/usr/bin:/bin\0TERM=dumb\0HOME=/home/user";
	static struct streams streams;
	struct job j = {
		.user = span_str(user),
		.env = {3, {(const uint8_t *)env, sizeof(env)}},
	};
	autoclose int control = door_enter(dir, name, f);
	autoclose int signal_fd = -1;

	if (control < 0)
		return ATTEND_OURS;
	pack(cmd, &j.args, args);
	if (attend_signals(&signal_fd, f) < 0 ||
	    streams_open(&streams, &j, 0, f) < 0)
		return ATTEND_OURS;
	if (order_run(control, &(struct order){.id = ATTEND_ID, .job = &j},
	              &streams, f) < 0 ||
	    streams_begin(&streams, f) < 0) {
		streams_close(&streams);
		return ATTEND_OURS;
	}
	return attend_program(control, &streams, signal_fd, f);
}

static int do_run(int dir, const char *name, const char *user,
                  char *const cmd[])
{
	struct fault f = {""};
	int status = run(dir, name, user, cmd, &f);

	if (f.text[0])
		(void)complain(&f);
	return status;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Sends an order and waits for what answers it, or the end. */
static int ask(int dir, const char *name, struct control *c, struct fault *f)
{
	autoclose int control = door_enter(dir, name, f);
	bool until_end = c->kind == CONTROL_kill || c->kind == CONTROL_shutdown;
	struct control_fds fds;
	struct control got;

	if (control < 0)
		return control;
	if (control_send(control, c, NULL, 0) < 0)
		return -EPIPE;
	for (;;) {
		struct pollfd p = {.fd = control, .events = POLLIN};
		int n = control_receive(control, CONTROL_KERNEL, &got, &fds);

		if (n == -EAGAIN) {
			(void)poll(&p, 1, -1);
			continue;
		}
		if (n <= 0)
			return until_end ? 0 : -EPIPE;
		control_close(&fds);
		if (!until_end)
			break;
	}
	*c = got;
	return 0;
}

static int speed(int dir, const char *name, char *const args[], bool starting)
{
	static const struct folders none;
	struct control kill = {.kind = CONTROL_kill};
	struct fault f = {""};
	double best = 1e9;

	for (int n = atoi(args[0]); n > 0; n--) {
		double begin = now_ms();
		struct keeper k = {.pid = -1};

		if (starting && start(dir, name, &none, &k, &f) < 0)
			return complain(&f);
		if (run(dir, name, "", args + 1, &f) != 0)
			return complain(&f);
		best = MIN(best, now_ms() - begin);
		if (starting && ask(dir, name, &kill, &f) < 0)
			return complain(&f);
		if (starting)
			(void)waitpid(k.pid, NULL, 0);
	}
	(void)printf("%.2f\n", best);
	return 0;
}

static int do_ask(int dir, uint32_t kind, const char *name, const char *ms)
{
	struct control c = {
		.kind = kind,
		.value = {7, ms ? strtoull(ms, NULL, 10) : 10000},
	};
	struct fault f = {""};

	if (ask(dir, name, &c, &f) < 0)
		return complain(&f);
	if (kind == CONTROL_state)
		(void)printf("memory=%llu tasks=%llu cpu=%llu up=%llu "
		             "paused=%llu\n",
		             (unsigned long long)c.value[1],
		             (unsigned long long)c.value[2],
		             (unsigned long long)c.value[3],
		             (unsigned long long)c.value[4],
		             (unsigned long long)c.value[5]);
	else if (c.kind == CONTROL_done && c.value[1] > 0)
		return (int)c.value[1];
	return 0;
}

/* Each from a client of its own, which is let go for it. */
static int garbage(int dir, const char *name)
{
	static const uint32_t kinds[] = {
		CONTROL_exited, CONTROL_opened, CONTROL_run,
		CONTROL_signal, CONTROL_window, 4711,
	};
	struct fault f = {""};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		autoclose int control = door_enter(dir, name, &f);
		struct control c = {.kind = kinds[i], .value = {1, 2, 3}};
		struct pollfd p = {.fd = control, .events = POLLIN};
		int fds[CONTROL_FDS_MAX];

		if (control < 0)
			return complain(&f);
		for (size_t n = 0; n < ARRAY_LEN(fds); n++)
			fds[n] = control;
		(void)!control_send(control, &c, fds, ARRAY_LEN(fds));
		(void)!send(control, "x", 1, MSG_NOSIGNAL);
		/* Whatever it says before, the end comes. */
		while (!(p.revents & POLLHUP))
			(void)poll(&p, 1, -1);
	}
	return 0;
}

static const struct {
	const char *name;
	uint32_t kind;
} orders[] = {
	{"pause", CONTROL_pause}, {"unpause", CONTROL_unpause},
	{"kill", CONTROL_kill},   {"shutdown", CONTROL_shutdown},
	{"state", CONTROL_state},
};

static void tell(void *arg, const char *what)
{
	(void)arg;
	(void)puts(what);
}

static int check(const char *folder)
{
	autoclose int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct volume_check_report r;
	struct volume *v;
	struct fault f;
	int err = volume_open(fd, NULL, &v, &f);

	if (err < 0)
		return complain(&f);
	err = volume_check(v, VOLUME_CHECK_CONTENTS, tell, NULL, &r);
	if (volume_close(v) < 0 || err < 0 || r.wrong > 0)
		return 1;
	(void)printf("%llu inodes\n", (unsigned long long)r.inodes);
	return 0;
}

int main(int argc, char *argv[])
{
	int dir = argc < 4 ? -1
	                   : open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *verb = argv[2];

	if (dir < 0)
		return ATTEND_OURS;
	streams_reserve();
	if (strcmp(verb, "start") == 0)
		return do_start(dir, argv[3], argv + 4);
	if (strcmp(verb, "run") == 0)
		return do_run(dir, argv[3], "", argv + 4);
	if (strcmp(verb, "run-root") == 0)
		return do_run(dir, argv[3], "root", argv + 4);
	if (strcmp(verb, "speed") == 0)
		return speed(dir, argv[3], argv + 4, false);
	if (strcmp(verb, "start-speed") == 0)
		return speed(dir, argv[3], argv + 4, true);
	if (strcmp(verb, "check") == 0)
		return check(argv[3]);
	if (strcmp(verb, "garbage") == 0)
		return garbage(dir, argv[3]);
	for (size_t i = 0; i < ARRAY_LEN(orders); i++)
		if (strcmp(verb, orders[i].name) == 0)
			return do_ask(dir, orders[i].kind, argv[3], argv[4]);
	return ATTEND_OURS;
}
