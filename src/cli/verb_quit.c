/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento quit`: ends the manager, which the next command starts again; and takes
 * away all that it keeps, when there is nothing left in it.
 */
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "cli/roster.h"
#include "cli/verbs.h"
#include "policy/policy_store.h"

struct quit_options {
	bool purge;
};

static const struct option_row rows[] = {
#define FLAG(...) OPTIONS_FLAG(struct quit_options, __VA_ARGS__)
#include "cli/quit.def"
};

/* What the manager makes in its folders; each folder goes when it is empty. */
static const struct {
	enum paths_place place;
	const char *name;
	bool folder;
} left[] = {
	{PATHS_DATA, "manager.lmdb", false},
	{PATHS_DATA, "manager.lmdb-lock", false},
	{PATHS_DATA, "volumes", true},
	{PATHS_DATA, "templates", true},
	{PATHS_DATA, "keys", true},
	{PATHS_STATE, "log", true},
	{PATHS_RUNTIME, "passing.lmdb", false},
	{PATHS_RUNTIME, "passing.boot", false},
	{PATHS_RUNTIME, "manager.sock", false},
	{PATHS_RUNTIME, "policy.sock", false},
	{PATHS_RUNTIME, "qubes", true},
	{PATHS_RUNTIME, "manager.lock", false},
	{PATHS_RUNTIME, "manager.start", false},
};

/* A pidfd of the manager; -ESRCH when none runs. */
static int find_manager(const struct paths *p, struct fault *f)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	autoclose int sock = client_connect_running(p, f);
	autoclose int pidfd = -1;

	if (sock < 0)
		return sock;
	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return fault_errno(f, "ask who the manager is");
	if (peer.uid != geteuid())
		return fault_set(f, -EPERM, "the manager is not ours");
	pidfd = (int)syscall(SYS_pidfd_open, peer.pid, 0);
	return pidfd < 0 ? fault_errno(f, "find the manager") : take_fd(&pidfd);
}

static int end_manager(const struct paths *p, struct frame_call *c)
{
	autoclose int pidfd = find_manager(p, c->fault);
	struct pollfd gone = {.fd = pidfd, .events = POLLIN};

	if (pidfd == -ESRCH)
		return 0;
	if (pidfd < 0)
		return pidfd;
	if (syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0) < 0)
		return fault_errno(c->fault, "end the manager");
	while (poll(&gone, 1, -1) < 0 && errno == EINTR)
		;
	return 0;
}

/* Only when no qube would be lost. */
static int check_empty(struct frame_call *c)
{
	autoquery struct query a = QUERY_NONE;
	autoroster struct roster r = {0};
	int err = query_init(&a, c);

	if (err == 0)
		err = roster_get(&r, &a, c->fault);
	for (size_t i = 0; i < r.count && err == 0; i++)
		if (strcmp(r.qube[i].class, "AdminVM") != 0)
			err = fault_set(c->fault, -ENOTEMPTY,
			                "%s is there still; remove it first: "
			                "bento remove %s",
			                r.qube[i].name, r.qube[i].name);
	return err;
}

/* What was being removed is left: the next manager begins with that. */
static int finish_removing(const struct paths *p, struct frame_call *c)
{
	char path[PATHS_MAX + 64];
	int err;

	(void)snprintf(path, sizeof(path), "%s/volumes", p->at[PATHS_DATA]);
	if (rmdir(path) == 0 || errno != ENOTEMPTY)
		return 0;
	err = check_empty(c);
	return err < 0 ? err : end_manager(p, c);
}

/* Logs and doors: of qubes that are no more, and of the manager. */
static void empty(const char *folder)
{
	DIR *d = opendir(folder);
	const struct dirent *e;

	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		(void)closedir(d);
}

static int purge(const struct paths *p, struct fault *f)
{
	struct policy_folders policies;
	char path[PATHS_MAX + 64];

	(void)snprintf(path, sizeof(path), "%s/log", p->at[PATHS_STATE]);
	empty(path);
	(void)snprintf(path, sizeof(path), "%s/qubes", p->at[PATHS_RUNTIME]);
	empty(path);

	for (size_t i = 0; i < ARRAY_LEN(left); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s",
		               p->at[left[i].place], left[i].name);
		if ((left[i].folder ? rmdir(path) : unlink(path)) < 0 &&
		    errno != ENOENT)
			return fault_errno(f, "remove %s", path);
	}
	/* The manager makes this for policies to come: gone if there are none. */
	if (policy_store_folders(&policies) == 0) {
		char *own = policies.path[POLICY_LAYER_CONFIG];
		char *slash = own && rmdir(own) == 0 ? strrchr(own, '/') : NULL;

		if (slash) {
			*slash = '\0';
			(void)rmdir(own);
		}
		policy_store_folders_fini(&policies);
	}
	for (size_t i = 0; i < PATHS_COUNT; i++)
		if (rmdir(p->at[i]) < 0 && errno != ENOENT)
			return fault_errno(f, "remove %s", p->at[i]);
	return 0;
}

static int go(void *options, struct frame_call *c)
{
	const struct quit_options *o = options;
	autofree struct paths *p = malloc(sizeof(*p));
	int err = p ? paths_find(p, c->fault)
	            : fault_set(c->fault, -ENOMEM, "out of memory");

	if (err == 0 && o->purge)
		err = check_empty(c);
	if (err == 0)
		err = end_manager(p, c);
	if (err == 0 && o->purge)
		err = finish_removing(p, c);
	if (err == 0 && o->purge)
		err = purge(p, c->fault);
	return err;
}

int verb_quit(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct quit_options),
		.min = 0,
		.max = 0,
		.go = go,
	};

	return frame_run(&frame, argv);
}
