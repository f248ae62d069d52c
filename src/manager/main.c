/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manager: qubes come, live and go here.  One for each user, started by the
 * first command that needs it (admin/launcher.h).
 *
 * Two locks.  manager.start is held from before we look whether there is another
 * until one listens.  manager.lock is held as long as we, or a worker of ours,
 * live: what follows can be sure that nobody else writes.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "admin/client.h"
#include "admin/launcher.h"
#include "base/rights.h"
#include "manager/census.h"
#include "manager/confine.h"
#include "manager/disk.h"
#include "manager/dom0.h"
#include "manager/domain.h"
#include "manager/keyring.h"
#include "manager/listener.h"
#include "manager/manager.h"
#include "manager/notices.h"
#include "manager/preload.h"
#include "manager/prompts.h"
#include "manager/spawner.h"
#include "manager/verdicts.h"
#include "manager/worker.h"
#include "policy/policy_store.h"

#define BACKLOG 1024

struct service {
	struct manager m;
	struct reactor_watch signals;
};

static void signal_ready(struct reactor_watch *w, uint32_t events)
{
	struct service *s = container_of(w, struct service, signals);
	struct signalfd_siginfo si;

	(void)events;
	while (read(w->fd, &si, sizeof(si)) == sizeof(si))
		reactor_stop(s->m.reactor);
}

static int watch_signals(struct service *s, struct fault *f)
{
	sigset_t set;
	int fd, err;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return fault_errno(f, "block signals");
	(void)signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return fault_errno(f, "make a signal descriptor");
	s->signals.ready = signal_ready;
	err = reactor_add(s->m.reactor, &s->signals, fd, EPOLLIN);
	if (err < 0) {
		close(fd);
		return fault_set(f, err, "watch signals: %s", strerror(-err));
	}
	return 0;
}

/* Opens a lock file and waits until it is ours. */
static int take_lock(int folder, const char *name, struct fault *f)
{
	autoclose int fd = openat(
		folder, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return fault_errno(f, "open %s", name);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return fault_errno(f, "lock %s", name);
	return take_fd(&fd);
}

static int open_folders(struct manager *m, struct fault *f)
{
	autoclose int state = -1;

	m->data = paths_open(&m->paths, PATHS_DATA, f);
	m->runtime = m->data < 0 ? -1 : paths_open(&m->paths, PATHS_RUNTIME, f);
	state = m->runtime < 0 ? -1 : paths_open(&m->paths, PATHS_STATE, f);
	if (state < 0)
		return -EIO;
	m->logs = paths_open_below(state, "log", f);
	m->volumes = m->logs < 0 ? -1 : paths_open_below(m->data, "volumes", f);
	m->doors = m->volumes < 0 ? -1
	                          : paths_open_below(m->runtime, "qubes", f);
	return m->doors < 0 ? -EIO : 0;
}

static int listen_there(const struct manager *m, const char *file,
                        struct fault *f)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	autoclose int sock = socket(
		AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (sock < 0)
		return fault_errno(f, "make a socket");
	(void)snprintf(name.sun_path, sizeof(name.sun_path),
	               "/proc/self/fd/%d/%s", m->runtime, file);
	/* Nobody listens there: we hold both locks. */
	(void)unlinkat(m->runtime, file, 0);
	if (bind(sock, (const struct sockaddr *)&name, sizeof(name)) < 0)
		return fault_errno(f, "make %s", file);
	if (listen(sock, BACKLOG) < 0)
		return fault_errno(f, "listen on %s", file);
	return take_fd(&sock);
}

static int open_policy(struct manager *m, struct fault *f)
{
	struct policy_folders folders;

	if (policy_store_folders(&folders) < 0 ||
	    policy_store_open(&folders, &m->policy) < 0)
		return fault_set(f, -ENOMEM, "out of memory");
	return 0;
}

/* All that must be right before anybody is answered. */
static int prepare(struct service *s, struct fault *f)
{
	struct manager *m = &s->m;
	int err = reactor_create(&m->reactor, f);

	if (err == 0)
		err = watch_signals(s, f);
	if (err == 0)
		err = spawner_watch(m, f);
	if (err == 0)
		err = ledger_open(m->data, m->runtime, &m->ledger, f);
	if (err == 0)
		err = ledger_begin(m->ledger, true, f);
	if (err < 0)
		return err;
	qube_first(m->ledger);
	err = ledger_commit(m->ledger, f);
	if (err == 0)
		err = worker_create_all(m, f);
	if (err == 0)
		err = keyring_create(&m->keys, f);
	if (err == 0)
		err = disk_sweep(m, f);
	if (err == 0)
		err = domain_create_all(m, f);
	if (err == 0)
		err = prompts_create(m, &m->prompts, f);
	if (err == 0)
		err = notices_create(m, &m->notices, f);
	if (err == 0)
		err = preload_create_all(m, f);
	return err < 0 ? err : domain_adopt(m, f);
}

static int serve(struct service *s, struct fault *f)
{
	int sock = listen_there(&s->m, "policy.sock", f);
	int err;

	if (sock < 0)
		return sock;
	err = verdicts_create(&s->m, sock, &s->m.verdicts, f);
	if (err < 0)
		return err;
	sock = listen_there(&s->m, "manager.sock", f);
	return sock < 0 ? sock
	                : listener_create(&s->m, sock, &s->m.listener, f);
}

/* Tells whoever started us, and lets go of its pipe. */
static void say(const char *text, int null)
{
	(void)!write(STDOUT_FILENO, text, strlen(text));
	(void)dup2(null, STDOUT_FILENO);
}

static void finish(struct service *s)
{
	struct manager *m = &s->m;

	listener_destroy(m->listener);
	verdicts_destroy(m->verdicts);
	worker_destroy_all(m);
	preload_destroy_all(m);
	domain_destroy_all(m);
	dom0_forget(m);
	prompts_destroy(m->prompts);
	notices_destroy(m->notices);
	policy_store_close(m->policy);
	census_forget(m);
	spawner_destroy(m);
	ledger_close(m->ledger);
	free(m->ends);
	keyring_destroy(m->keys);
	events_fini(&m->events);
	reactor_destroy(m->reactor);
}

static int manage(struct service *s, struct fault *f)
{
	autoclose int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct manager *m = &s->m;
	int start, other, err;

	if (null < 0)
		return fault_errno(f, "open /dev/null");
	err = paths_find(&m->paths, f);
	if (err == 0)
		err = open_folders(m, f);
	if (err < 0)
		return err;
	start = take_lock(m->runtime, "manager.start", f);
	if (start < 0)
		return start;
	other = client_connect_running(&m->paths, f);
	if (other >= 0) {
		close(other);
		say(LAUNCHER_READY, null);
		return 0;
	}
	/* Only a manager that is about to be gone still has it. */
	m->life = take_lock(m->runtime, "manager.lock", f);
	if (m->life < 0)
		return m->life;
	err = open_policy(m, f);
	if (err == 0)
		err = spawner_create(m, start, f);
	if (err < 0)
		return err;
	err = prepare(s, f);
	if (err == 0)
		err = serve(s, f);
	if (err == 0)
		err = confine_manager(m, f);
	if (err == 0) {
		say(LAUNCHER_READY, null);
		close(start);
		err = reactor_run(m->reactor, f);
	}
	finish(s);
	return err;
}

/* What we are told of secrets is in no core dump. */
static void forbid_core(void)
{
	static const struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
}

/* Where no earlier manager can have been. */
static uint64_t clock_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void usage(void)
{
	(void)puts("usage: bento-manager\n\n"
	           "Keeps your qubes.  The first command that needs it starts "
	           "it.");
}

int main(int argc, char *argv[])
{
	static struct service s;
	struct fault f = {""};

	if (argc > 1) {
		usage();
		return strcmp(argv[1], "--help") == 0 ? EXIT_SUCCESS
		                                      : EXIT_FAILURE;
	}
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)umask(0077);
	(void)!chdir("/");
	forbid_core();
	/* Each qube that runs takes a few, too. */
	s.m.usual_files = rights_allow_many();
	events_init(&s.m.events);
	list_init(&s.m.trunks);
	list_init(&s.m.services);
	s.m.served = s.m.served_before = clock_ns();
	if (manage(&s, &f) < 0) {
		(void)fprintf(stderr, "bento-manager: %s\n", f.text);
		(void)printf("%s\n", f.text);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
