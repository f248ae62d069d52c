/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/secret.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define TRIES     3
#define WORD_ROOM 64u

static const char *program(void)
{
	const char *path = getenv("BENTO_ASKPASS");

	return path && *path ? path : NULL;
}

bool secret_askable(void)
{
	autoclose int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	return tty >= 0 || program();
}

void secret_wipe(struct secret *s)
{
	explicit_bzero(s, sizeof(*s));
	(void)munlock(s, sizeof(*s));
}

/* Reads to the end, or of a terminal to the end of the line. */
static int read_some(struct secret *s, int fd, bool line, struct fault *f)
{
	ssize_t n = 1;

	(void)mlock(s, sizeof(*s));
	s->size = 0;
	while (n > 0 && s->size <= SECRET_MAX &&
	       !(line && s->size > 0 && s->at[s->size - 1] == '\n')) {
		n = read(fd, s->at + s->size, SECRET_MAX + 1 - s->size);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n < 0)
			return fault_errno(f, "read a secret");
		else
			s->size += (size_t)n;
	}
	if (s->size > SECRET_MAX)
		return fault_set(f, -E2BIG, "a secret has at most %u bytes",
		                 SECRET_MAX);
	return 0;
}

int secret_read(struct secret *s, const char *file, struct fault *f)
{
	autoclose int fd = strcmp(file, "-") == 0
	                           ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
	                           : open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fault_errno(f, "open the key file %s", file);
	s->keyfile = true;
	return read_some(s, fd, false, f);
}

static int ask_terminal(struct secret *s, int tty, const char *question,
                        struct fault *f)
{
	struct termios old, quiet;
	bool changed = tcgetattr(tty, &old) == 0;
	int err;

	(void)dprintf(tty, "%s: ", question);
	if (changed) {
		quiet = old;
		quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
		(void)tcsetattr(tty, TCSAFLUSH, &quiet);
	}
	err = read_some(s, tty, true, f);
	if (changed)
		(void)tcsetattr(tty, TCSAFLUSH, &old);
	(void)dprintf(tty, "\n");
	return err;
}

static int ask_program(struct secret *s, const char *question, struct fault *f)
{
	const char *path = program();
	int ends[2], status = 0, err;
	pid_t pid;

	if (!path)
		return fault_set(f, -ENOTTY,
		                 "nobody can be asked for a passphrase here: "
		                 "there is no terminal, and no $BENTO_ASKPASS");
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fault_errno(f, "make a pipe");
	pid = fork();
	if (pid == 0) {
		if (dup2(ends[1], STDOUT_FILENO) >= 0)
			(void)execlp(path, path, question, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	err = pid < 0 ? fault_errno(f, "start %s", path)
	              : read_some(s, ends[0], true, f);
	close(ends[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (err == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		err = fault_set(f, -ECANCELED, "%s gave no passphrase", path);
	return err;
}

static int ask_once(struct secret *s, const char *question, struct fault *f)
{
	autoclose int tty = -1;
	int err;

	if (!program())
		tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	err = tty >= 0 ? ask_terminal(s, tty, question, f)
	               : ask_program(s, question, f);
	s->keyfile = false;
	if (err < 0)
		return err;
	if (s->size > 0 && s->at[s->size - 1] == '\n')
		s->at[--s->size] = 0;
	return s->size == 0 ? fault_set(f, -EINVAL, "an empty passphrase") : 0;
}

int secret_ask(struct secret *s, const char *question, bool twice,
               struct fault *f)
{
	struct secret again = {.size = 0};
	int err = ask_once(s, question, f);

	if (err < 0 || !twice)
		return err;
	err = ask_once(&again, "Once more", f);
	if (err == 0 &&
	    (again.size != s->size || memcmp(again.at, s->at, s->size) != 0))
		err = fault_set(f, -EINVAL, "these are two passphrases");
	secret_wipe(&again);
	return err;
}

int secret_send(struct query *a, const char *method, const char *qube,
                const char *volume, const char *head, const struct secret *s,
                struct fault *f)
{
	const struct client_call call = {
		.method = method,
		.argument = volume,
		.target = qube,
		.payload = span_str(head),
	};
	autoclose int sock = client_begin(&a->paths, &call, f);

	if (sock < 0)
		return sock;
	/* By itself: no other memory gets to see it. */
	if (send(sock, s->at, s->size, MSG_NOSIGNAL) != (ssize_t)s->size)
		return fault_errno(f, "tell the manager");
	return query_finish(a, &call, sock, f);
}

int secret_unlock(struct query *a, const char *which, struct fault *f)
{
	char qube[WORD_ROOM], volume[WORD_ROOM], question[3 * WORD_ROOM];
	struct secret s = {.size = 0};
	int err = 0;

	if (sscanf(which, "%63[^: ]:%63[^ ]", qube, volume) != 2)
		return fault_set(f, -EPROTO, "the manager talks nonsense");
	(void)snprintf(question, sizeof(question), "Passphrase of %s:%s", qube,
	               volume);
	for (int i = 0; i < TRIES; i++) {
		err = secret_ask(&s, question, false, f);
		if (err == 0)
			err = secret_send(a, "bento.volume.Unlock", qube,
			                  volume, "", &s, f);
		if (err != -EREMOTEIO || !query_refused(a, "VolumeKeyError") ||
		    program())
			break;
		(void)fprintf(stderr, "%s\n", f->text);
	}
	secret_wipe(&s);
	return err;
}
