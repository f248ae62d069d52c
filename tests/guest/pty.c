/* SPDX-License-Identifier: Apache-2.0 */
/* Pseudo-terminals: modes, signals from keys, job control, size, hang-up. */
#include "check.h"

#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;
static char name[64];

static void open_pair(void)
{
	struct termios t;

	master = posix_openpt(O_RDWR | O_NOCTTY);
	OK(master);
	OK(grantpt(master));
	OK(unlockpt(master));
	EQ(ptsname_r(master, name, sizeof(name)), 0);
	CHECK(!strncmp(name, "/dev/pts/", 9));
	slave = open(name, O_RDWR | O_NOCTTY);
	OK(slave);
	OK(tcgetattr(slave, &t));
	CHECK(t.c_lflag & ICANON && t.c_lflag & ECHO && t.c_lflag & ISIG);
	EQ(t.c_cc[VINTR], 3);
	EQ(t.c_cc[VEOF], 4);
}

static void close_pair(void)
{
	close(master);
	close(slave);
}

/* Reads exactly this from a descriptor. */
static void expect(int fd, const char *want)
{
	char buf[256];
	size_t have = 0, len = strlen(want);

	while (have < len) {
		ssize_t n = read(fd, buf + have, len - have);

		CHECK(n > 0);
		have += (size_t)n;
	}
	buf[have] = 0;
	if (strcmp(buf, want) != 0)
		fprintf(stderr, "got <%s>, want <%s>\n", buf, want);
	CHECK(!strcmp(buf, want));
}

static void type(const char *keys)
{
	EQ(write(master, keys, strlen(keys)), strlen(keys));
}

static int pending(int fd)
{
	struct pollfd pf = {fd, POLLIN, 0};

	return poll(&pf, 1, 0);
}

/* Until a line is there: keys arrive when the terminal gets to them. */
static void wait_for_input(void)
{
	struct pollfd pf = {slave, POLLIN, 0};

	EQ(poll(&pf, 1, -1), 1);
}

static void canonical(void)
{
	char buf[32];

	open_pair();
	CHECK(isatty(slave));
	type("abc");
	EQ(pending(slave), 0); /* no line yet */
	expect(master, "abc"); /* the echo */
	type("\177d\n");
	expect(master, "\b \bd\r\n");
	wait_for_input();
	EQ(read(slave, buf, sizeof(buf)), 4);
	CHECK(!memcmp(buf, "abd\n", 4));
	type("junk\025kept\n"); /* ^U kills the line */
	EQ(read(slave, buf, sizeof(buf)), 5);
	CHECK(!memcmp(buf, "kept\n", 5));
	type("one two\027x\n"); /* ^W a word */
	EQ(read(slave, buf, sizeof(buf)), 6);
	CHECK(!memcmp(buf, "one x\n", 6));
	type("half\004"); /* ^D gives what is there */
	EQ(read(slave, buf, sizeof(buf)), 4);
	type("\004");
	EQ(read(slave, buf, sizeof(buf)), 0); /* alone: end of file */
	type("l1\nl2\n");
	EQ(read(slave, buf, 2), 2);
	EQ(read(slave, buf, sizeof(buf)), 1);
	EQ(read(slave, buf, sizeof(buf)), 3);
	type("cr\r"); /* ICRNL */
	EQ(read(slave, buf, sizeof(buf)), 3);
	EQ(buf[2], '\n');
	type("\026\003\n"); /* ^V takes the next as it is */
	EQ(read(slave, buf, sizeof(buf)), 2);
	EQ(buf[0], 3);
	OK(tcflush(master, TCIFLUSH));
	close_pair();
}

static void output(void)
{
	struct termios t;

	open_pair();
	EQ(write(slave, "a\nb", 3), 3);
	expect(master, "a\r\nb");
	OK(tcgetattr(slave, &t));
	t.c_oflag &= ~(tcflag_t)OPOST;
	OK(tcsetattr(slave, TCSANOW, &t));
	EQ(write(slave, "a\nb", 3), 3);
	expect(master, "a\nb");
	close_pair();
}

static void raw(void)
{
	struct termios t;
	char buf[8];

	open_pair();
	OK(tcgetattr(slave, &t));
	cfmakeraw(&t);
	OK(tcsetattr(slave, TCSADRAIN, &t));
	type("\003x\004");
	EQ(read(slave, buf, sizeof(buf)), 3);
	CHECK(!memcmp(buf, "\003x\004", 3));
	EQ(pending(master), 0); /* no echo */
	/* MIN and TIME. */
	t.c_cc[VMIN] = 0;
	t.c_cc[VTIME] = 0;
	OK(tcsetattr(slave, TCSANOW, &t));
	EQ(read(slave, buf, sizeof(buf)), 0);
	t.c_cc[VTIME] = 1;
	OK(tcsetattr(slave, TCSANOW, &t));
	EQ(read(slave, buf, sizeof(buf)), 0);
	t.c_cc[VMIN] = 3;
	t.c_cc[VTIME] = 0;
	OK(tcsetattr(slave, TCSANOW, &t));
	type("12");
	EQ(pending(slave), 0);
	type("3");
	EQ(read(slave, buf, sizeof(buf)), 3);
	OK(fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK));
	FAILS(read(slave, buf, 1), EAGAIN);
	close_pair();
}

/* What was typed before the mode changed is not lost by the change. */
static void typed_ahead(void)
{
	struct termios cooked, rawmode;
	char buf[8];

	open_pair();
	OK(tcgetattr(slave, &cooked));
	rawmode = cooked;
	cfmakeraw(&rawmode);
	type("a line\n");
	wait_for_input();
	OK(tcsetattr(slave, TCSADRAIN, &rawmode));
	EQ(read(slave, buf, sizeof(buf)), 7);
	CHECK(!memcmp(buf, "a line\n", 7));
	OK(tcsetattr(slave, TCSADRAIN, &cooked));
	/* Part of a line can be read once lines do not matter. */
	type("part");
	expect(master, "a line\r\npart");
	OK(tcsetattr(slave, TCSADRAIN, &rawmode));
	EQ(read(slave, buf, sizeof(buf)), 4);
	CHECK(!memcmp(buf, "part", 4));
	/* And the other way: raw bytes with a newline are a line. */
	type("x\n");
	wait_for_input();
	OK(tcsetattr(slave, TCSADRAIN, &cooked));
	EQ(read(slave, buf, sizeof(buf)), 2);
	/* But a change that flushes does. */
	type("gone\n");
	wait_for_input();
	OK(tcsetattr(slave, TCSAFLUSH, &rawmode));
	EQ(pending(slave), 0);
	close_pair();
}

static volatile sig_atomic_t got;

static void note(int sig)
{
	got = sig;
}

static void size_watcher(void *arg)
{
	int *p = arg;
	sigset_t set, none;
	struct winsize ws;

	sigemptyset(&none);
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	signal(SIGWINCH, note);
	OK(setsid());
	OK(ioctl(slave, TIOCSCTTY, 0));
	tell(p[1]);
	FAILS(sigsuspend(&none), EINTR);
	EQ(got, SIGWINCH);
	OK(ioctl(slave, TIOCGWINSZ, &ws));
	EQ(ws.ws_row, 40);
	EQ(ws.ws_col, 100);
}

static void sizes(void)
{
	struct winsize ws = {.ws_row = 40, .ws_col = 100};
	int p[2];
	pid_t pid;

	open_pair();
	OK(pipe(p));
	pid = child(size_watcher, p);
	await(p[0]);
	OK(ioctl(master, TIOCSWINSZ, &ws));
	passes(pid);
	close_pair();
}

static void key_target(void *arg)
{
	int *p = arg;
	pid_t front;
	int status;

	signal(SIGTTOU, SIG_IGN);
	OK(setsid());
	OK(close(slave));
	slave = open(name, O_RDWR); /* becomes our terminal */
	OK(slave);
	EQ(tcgetsid(slave), getpid());
	EQ(tcgetpgrp(slave), getpid());
	OK(close(open("/dev/tty", O_RDWR)));
	/* A job of its own in front: ^C hits it and spares us. */
	for (int i = 0; i < 3; i++) {
		static const int want[] = {SIGINT, SIGQUIT, SIGTSTP};

		front = fork();
		if (front == 0) {
			struct sigaction sa = {.sa_handler = SIG_DFL};

			OK(setpgid(0, 0));
			OK(tcsetpgrp(slave, getpid()));
			signal(SIGTTOU, SIG_DFL);
			sigaction(want[i], &sa, NULL);
			tell(p[1]);
			for (;;)
				pause();
		}
		EQ(waitpid(front, &status, WUNTRACED), front);
		if (want[i] == SIGTSTP) {
			CHECK(WIFSTOPPED(status));
			EQ(WSTOPSIG(status), SIGTSTP);
			OK(kill(front, SIGKILL));
			EQ(waitpid(front, &status, 0), front);
		} else {
			CHECK(WIFSIGNALED(status));
			EQ(WTERMSIG(status), want[i]);
		}
		OK(tcsetpgrp(slave, getpgrp()));
	}
	/* Who reads in the background is stopped. */
	front = fork();
	if (front == 0) {
		char c;

		OK(setpgid(0, 0));
		read(slave, &c, 1);
		_exit(1);
	}
	EQ(waitpid(front, &status, WUNTRACED), front);
	CHECK(WIFSTOPPED(status));
	EQ(WSTOPSIG(status), SIGTTIN);
	OK(kill(front, SIGKILL));
	EQ(waitpid(front, &status, 0), front);
	FAILS(tcsetpgrp(slave, 0x3ffffff), ESRCH);
}

static void keys(void)
{
	int p[2];
	pid_t pid;

	open_pair();
	OK(pipe(p));
	pid = child(key_target, p);
	await(p[0]);
	type("\003");
	await(p[0]);
	type("\034");
	await(p[0]);
	type("\032");
	passes(pid);
	close_pair();
}

static void lead_and_go(void *arg)
{
	(void)arg;
	OK(setsid());
	OK(ioctl(slave, TIOCSCTTY, 0));
}

/* The end of a session is no end of its terminal while others have it. */
static void left_behind(void)
{
	struct pollfd pf;
	char c;

	open_pair();
	passes(child(lead_and_go, NULL));
	pf = (struct pollfd){master, POLLIN, 0};
	EQ(poll(&pf, 1, 0), 0);
	EQ(write(slave, "x", 1), 1);
	EQ(read(master, &c, 1), 1);
	FAILS(tcgetsid(master), ENOTTY);
	/* It is free for the next. */
	passes(child(lead_and_go, NULL));
	OK(close(slave));
	pf.events = POLLIN;
	EQ(poll(&pf, 1, 0), 1);
	EQ(pf.revents, POLLHUP);
	OK(close(master));
}

static void hung_up(void *arg)
{
	int *p = arg;
	sigset_t set, none;
	char c;

	sigemptyset(&none);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	signal(SIGHUP, note);
	OK(close(master));
	OK(setsid());
	OK(ioctl(slave, TIOCSCTTY, 0));
	tell(p[1]);
	FAILS(sigsuspend(&none), EINTR);
	EQ(got, SIGHUP);
	EQ(read(slave, &c, 1), 0);
	FAILS(write(slave, "x", 1), EIO);
}

static void hangup(void)
{
	int p[2];
	pid_t pid;
	char c;

	open_pair();
	OK(pipe(p));
	pid = child(hung_up, p);
	await(p[0]);
	OK(close(slave));
	OK(close(master));
	passes(pid);
	/* The other way: the last slave goes, the master sees it. */
	open_pair();
	EQ(write(slave, "bye", 3), 3);
	OK(close(slave));
	expect(master, "bye");
	FAILS(read(master, &c, 1), EIO);
	{
		struct pollfd pf = {master, POLLIN, 0};

		EQ(poll(&pf, 1, -1), 1);
		CHECK(pf.revents & POLLHUP);
	}
	OK(close(master));
}

static void misc(void)
{
	struct termios t;
	struct stat st;
	int n;

	open_pair();
	OK(fstat(slave, &st));
	CHECK(S_ISCHR(st.st_mode));
	EQ(st.st_uid, getuid());
	OK(ioctl(master, TIOCGPTN, (unsigned *)&n));
	EQ(n, atoi(name + 9));
	CHECK(!strcmp(ttyname(slave), name));
	type("abc\n");
	wait_for_input();
	OK(ioctl(slave, FIONREAD, &n));
	EQ(n, 4);
	OK(tcflush(slave, TCIFLUSH));
	OK(ioctl(slave, FIONREAD, &n));
	EQ(n, 0);
	n = open("/dev/null", O_RDWR);
	FAILS(tcgetattr(n, &t), ENOTTY);
	OK(close(n));
	close_pair();
}

static void via_forkpty(void)
{
	int m, status;
	pid_t pid = forkpty(&m, NULL, NULL, NULL);

	OK(pid);
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", "test -t 0 && echo yes $((6*7))",
		      NULL);
		_exit(1);
	}
	expect(m, "yes 42\r\n");
	status = reap(pid);
	EQ(WEXITSTATUS(status), 0);
	OK(close(m));
}

/* Settings that root has fixed. */
static void fixed(void)
{
	struct termios lock, t;

	open_pair();
	OK(ioctl(slave, TIOCGLCKTRMIOS, &lock));
	EQ(lock.c_lflag, 0);
	lock.c_lflag = ECHO;
	lock.c_cc[VINTR] = 1;
	if (getuid() != 0) {
		FAILS(ioctl(slave, TIOCSLCKTRMIOS, &lock), EPERM);
	} else {
		OK(ioctl(slave, TIOCSLCKTRMIOS, &lock));
		OK(tcgetattr(slave, &t));
		t.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
		t.c_cc[VINTR] = 'x';
		t.c_cc[VEOF] = 'y';
		OK(tcsetattr(slave, TCSANOW, &t));
		OK(tcgetattr(slave, &t));
		CHECK((t.c_lflag & ECHO) && !(t.c_lflag & ICANON));
		EQ(t.c_cc[VINTR], 3);
		EQ(t.c_cc[VEOF], 'y');
	}
	OK(close(slave));
	OK(close(master));
}

int main(void)
{
	int probe = posix_openpt(O_RDWR | O_NOCTTY);

	if (probe < 0)
		SKIP("no pseudo-terminals here");
	close(probe);
	canonical();
	output();
	raw();
	typed_ahead();
	sizes();
	keys();
	left_behind();
	hangup();
	misc();
	via_forkpty();
	fixed();
	return 0;
}
