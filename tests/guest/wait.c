/* SPDX-License-Identifier: Apache-2.0 */
/* fork(2), wait4(2), waitid(2), orphans. */
#include "check.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

static void exit_with(void *arg)
{
	_exit(*(int *)arg);
}

static void kill_self(void *arg)
{
	raise(*(int *)arg);
}

static void statuses(void)
{
	int code = 42, sig = SIGKILL, status;

	status = reap(child(exit_with, &code));
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
	code = 256 + 7; /* only eight bits */
	EQ(WEXITSTATUS(reap(child(exit_with, &code))), 7);
	status = reap(child(kill_self, &sig));
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	sig = SIGTERM;
	EQ(WTERMSIG(reap(child(kill_self, &sig))), SIGTERM);
	FAILS(wait(NULL), ECHILD);
	FAILS(waitpid(1, NULL, 0), ECHILD);
	FAILS(waitpid(-1, &status, 0x100), EINVAL);
}

static void read_then_exit(void *arg)
{
	int *p = arg;

	OK(close(p[1]));
	EQ(read(p[0], &p[0], 1), 0);
	_exit(3);
}

static void not_yet(void)
{
	siginfo_t si;
	int p[2], status;
	pid_t pid;

	OK(pipe(p));
	pid = child(read_then_exit, p);
	OK(close(p[0]));
	EQ(waitpid(pid, &status, WNOHANG), 0);
	memset(&si, 1, sizeof(si));
	OK(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG));
	EQ(si.si_pid, 0);
	OK(close(p[1]));
	/* Looking without taking, then taking. */
	OK(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT));
	EQ(si.si_pid, pid);
	EQ(si.si_signo, SIGCHLD);
	EQ(si.si_code, CLD_EXITED);
	EQ(si.si_status, 3);
	EQ(si.si_uid, getuid());
	OK(waitid(P_ALL, 0, &si, WEXITED));
	EQ(si.si_pid, pid);
	FAILS(waitid(P_PID, (id_t)pid, &si, WEXITED), ECHILD);
	FAILS(waitid(P_PID, (id_t)pid, &si, 0), EINVAL);
	FAILS(waitid((idtype_t)99, 0, &si, WEXITED), EINVAL);
}

static void leave_nicely(void *arg)
{
	const struct sched_param none = {0};

	(void)arg;
	OK(prctl(PR_SET_NAME, "undead"));
	OK(sched_setscheduler(0, SCHED_BATCH, &none));
	OK(setpriority(PRIO_PROCESS, 0, 5));
	_exit(0);
}

static const char *const no_processes[] = {
	"/proc",
	"/proc/self/fd",
	"/proc/thread-self",
	"/tmp",
};

static void pausing(void *arg)
{
	(void)arg;
	for (;;)
		pause();
}

/* A zombie has its name and its priority until it is waited for. */
static void zombies_are_known(void)
{
	char path[64], text[512];
	siginfo_t si;
	pid_t pid = child(leave_nicely, NULL);

	OK(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT));
	EQ(sched_getscheduler(pid), SCHED_BATCH);
	EQ(getpriority(PRIO_PROCESS, (id_t)pid), 5);
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	get_file(path, text, sizeof(text));
	CHECK(!strcmp(text, "undead\n"));
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	get_file(path, text, sizeof(text));
	CHECK(strstr(text, " (undead) Z "));
	CHECK(strstr(text, " 25 5 "));
	reap(pid);
	FAILS(sched_getscheduler(pid), ESRCH);
	FAILS(getpriority(PRIO_PROCESS, (id_t)pid), ESRCH);
	/* Whoever the first process is. */
	EQ(sched_getscheduler(1), SCHED_OTHER);
}

static int signal_by(int fd, int sig)
{
	return (int)syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
}

/* An open /proc/PID stands for the process, and for no later one. */
static void folders_as_pidfds(void)
{
	char path[64];
	int fd, status;
	pid_t pid = child(pausing, NULL);

	snprintf(path, sizeof(path), "/proc/%d", pid);
	fd = open(path, O_RDONLY | O_DIRECTORY);
	OK(fd);
	OK(signal_by(fd, 0));
	OK(signal_by(fd, SIGKILL));
	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	FAILS(signal_by(fd, 0), ESRCH);
	OK(close(fd));
	for (size_t i = 0; i < COUNT(no_processes); i++) {
		fd = open(no_processes[i], O_RDONLY | O_DIRECTORY);
		OK(fd);
		FAILS(signal_by(fd, 0), EBADF);
		OK(close(fd));
	}
}

static void stopping(void)
{
	siginfo_t si;
	int status;
	pid_t pid = child(pausing, NULL);

	OK(setpgid(pid, pid)); /* orphaned groups ignore SIGTSTP */
	OK(kill(pid, SIGSTOP));
	EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	EQ(waitpid(pid, &status, WUNTRACED | WNOHANG), 0); /* told once */
	OK(kill(pid, SIGCONT));
	EQ(waitpid(pid, &status, WCONTINUED), pid);
	CHECK(WIFCONTINUED(status));
	OK(kill(pid, SIGTSTP));
	OK(waitid(P_PID, (id_t)pid, &si, WSTOPPED));
	EQ(si.si_code, CLD_STOPPED);
	EQ(si.si_status, SIGTSTP);
	OK(kill(pid, SIGCONT));
	OK(waitid(P_PID, (id_t)pid, &si, WCONTINUED));
	EQ(si.si_code, CLD_CONTINUED);
	OK(kill(pid, SIGSTOP));
	EQ(waitpid(pid, &status, WUNTRACED), pid);
	OK(kill(pid, SIGKILL)); /* wakes even the stopped */
	OK(waitid(P_PID, (id_t)pid, &si, WEXITED));
	EQ(si.si_code, CLD_KILLED);
	EQ(si.si_status, SIGKILL);
}

static void join_group(void *arg)
{
	OK(setpgid(0, *(pid_t *)arg));
	_exit(5);
}

static void by_group(void)
{
	pid_t mine = 0, pid;
	siginfo_t si;
	int status;

	pid = child(join_group, &mine);
	OK(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT));
	FAILS(waitpid(0, &status, WNOHANG), ECHILD); /* not our group */
	EQ(waitpid(-pid, &status, 0), pid);
	EQ(WEXITSTATUS(status), 5);
	FAILS(waitpid(-pid, &status, 0), ECHILD);
}

static void be_orphan(void *arg)
{
	int *p = arg;
	pid_t parent = getpid(), pid;

	pid = fork();
	OK(pid);
	if (pid != 0)
		return; /* leaves it behind */
	while (getppid() == parent)
		sched_yield();
	parent = getppid();
	EQ(write(p[1], &parent, sizeof(parent)), sizeof(parent));
	_exit(9);
}

static void orphans(void)
{
	pid_t heir;
	int p[2], status;

	OK(pipe(p));
	OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
	apart(be_orphan, p);
	EQ(read(p[0], &heir, sizeof(heir)), sizeof(heir));
	EQ(heir, getpid());
	OK(wait(&status)); /* the orphan is ours now */
	EQ(WEXITSTATUS(status), 9);
	FAILS(wait(&status), ECHILD);
	OK(prctl(PR_SET_CHILD_SUBREAPER, 0));
	apart(be_orphan, p);
	EQ(read(p[0], &heir, sizeof(heir)), sizeof(heir));
	CHECK(heir != getpid());
	FAILS(wait(&status), ECHILD);
}

static void die_parent(void *arg)
{
	int *p = arg;

	if (fork() == 0) {
		OK(prctl(PR_SET_PDEATHSIG, SIGUSR1));
		tell(p[1]);
		for (;;)
			pause(); /* the signal ends us, and the pipe */
	}
	await(p[0]);
}

static void parent_death(void)
{
	int p[2];
	char c;

	OK(pipe(p));
	apart(die_parent, p);
	OK(close(p[1]));
	EQ(read(p[0], &c, 1), 0); /* all writers are gone */
}

enum { MEBIBYTES = 16 };

static void touch_memory(void *arg)
{
	size_t size = MEBIBYTES << 20;
	volatile char *p = malloc(size);

	(void)arg;
	CHECK(p != NULL);
	for (size_t i = 0; i < size; i += 4096)
		p[i] = 1;
	exit(0);
}

static void usage_counts(void)
{
	const struct timespec moment = {0, 1};
	struct rusage ru;
	int status;
	pid_t pid = child(touch_memory, NULL);

	EQ(wait4(pid, &status, 0, &ru), pid);
	CHECK(ru.ru_utime.tv_sec >= 0);
	CHECK(ru.ru_maxrss >= MEBIBYTES << 10);
	CHECK(ru.ru_minflt > 0);
	OK(getrusage(RUSAGE_CHILDREN, &ru));
	CHECK(ru.ru_maxrss >= MEBIBYTES << 10);
	/* To wait for a child that has ended already is no switch. */
	OK(nanosleep(&moment, NULL));
	OK(getrusage(RUSAGE_SELF, &ru));
	CHECK(ru.ru_maxrss > 0 && ru.ru_maxrss < MEBIBYTES << 10);
	CHECK(ru.ru_minflt > 0 && ru.ru_nvcsw > 0);
	FAILS(getrusage(RUSAGE_SELF, NOWHERE), EFAULT);
	FAILS(getrusage(77, &ru), EINVAL);
}

static void many(void)
{
	pid_t pid[40];
	int code = 1;

	for (size_t i = 0; i < COUNT(pid); i++)
		pid[i] = child(exit_with, &code);
	for (size_t i = COUNT(pid); i-- > 0;) /* in any order we like */
		EQ(WEXITSTATUS(reap(pid[i])), 1);
}

static void ignored(void)
{
	int code = 3;

	signal(SIGCHLD, SIG_IGN);
	child(exit_with, &code);
	FAILS(wait(NULL), ECHILD); /* waits for all, keeps nobody */
	signal(SIGCHLD, SIG_DFL);
}

/* Memory is copied, and a shared mapping is not. */
static int counter;

static void count_up(void *arg)
{
	(void)arg;
	counter++;
	EQ(counter, 1);
}

static void separate(void)
{
	apart(count_up, NULL);
	apart(count_up, NULL);
	EQ(counter, 0);
}

int main(void)
{
	statuses();
	not_yet();
	zombies_are_known();
	folders_as_pidfds();
	stopping();
	by_group();
	orphans();
	parent_death();
	usage_counts();
	many();
	ignored();
	separate();
	return 0;
}
