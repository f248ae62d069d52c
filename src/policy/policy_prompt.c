/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_prompt.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include "base/memfile.h"
#include "base/whole.h"
#include "policy/policy_json.h"
#include "policy/policy_question.h"

#define ANSWER_ROOM 256u

/* One line, without its end; -EPIPE if it does not end, or is too long. */
static int read_line(int fd, char line[ANSWER_ROOM])
{
	size_t size = 0;

	for (;;) {
		ssize_t n = read(fd, line + size, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EPIPE;
		if (line[size] == '\n') {
			line[size] = 0;
			return 0;
		}
		if (++size == ANSWER_ROOM)
			return -EPIPE;
	}
}

int policy_prompt_terminal(const struct policy_prompt *p, int in, int out,
                           struct policy_answer *a)
{
	struct policy_question *q = NULL;
	autobuffer struct buffer json = {0};
	autobuffer struct buffer shown = {0};
	char answer[POLICY_QUESTION_ANSWER] = "deny";
	char line[ANSWER_ROOM];
	struct fault f;

	if (a->action != POLICY_ASK)
		return 0;
	if (policy_json_ask(p->system, p->request, a, &json) == 0 &&
	    policy_question_read(buffer_span(&json), &q, &f) == 0)
		policy_question_show(q, &shown);
	if (q && !shown.bad && whole_write(out, buffer_span(&shown)) == 0 &&
	    read_line(in, line) == 0)
		policy_question_answer(q, span_str(line), answer);
	policy_prompt_settle(p, span_str(answer), 0, a);
	policy_question_free(q);
	return shown.size == 0 || shown.bad ? -ENOMEM : 0;
}

int policy_prompt_question(const struct policy_prompt *p,
                           const struct policy_answer *a, struct fault *f)
{
	autobuffer struct buffer b = {0};
	int fd;

	if (policy_json_ask(p->system, p->request, a, &b) < 0)
		return fault_set(f, -ENOMEM, "out of memory");
	fd = memfile_make("prompt", buffer_span(&b));
	if (fd < 0)
		return fault_set(f, fd, "make a file for the question: %s",
		                 strerror(-fd));
	return fd;
}

/*
 * Starts the program with nothing but the question on its standard input and its
 * answer on its standard output; it keeps our environment and standard error.
 */
static int start(const struct policy_prompt *p, char *const argv[],
                 const struct policy_answer *a, pid_t *pid, int *answer,
                 struct fault *f)
{
	posix_spawn_file_actions_t actions;
	autoclose int question = policy_prompt_question(p, a, f);
	autoclose int from = -1;
	autoclose int to = -1;
	int ends[2];
	int err;

	if (question < 0)
		return question;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fault_errno(f, "make a pipe");
	from = ends[0];
	to = ends[1];
	if (posix_spawn_file_actions_init(&actions) != 0)
		return fault_set(f, -ENOMEM, "out of memory");
	err = posix_spawn_file_actions_adddup2(&actions, question, 0);
	if (err == 0)
		err = posix_spawn_file_actions_adddup2(&actions, to, 1);
	if (err == 0)
		err = posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (err != 0)
		return fault_set(f, -err, "start %s: %s", argv[0],
		                 strerror(err));
	*answer = take_fd(&from);
	return 0;
}

void policy_prompt_settle(const struct policy_prompt *p, struct span said,
                          int status, struct policy_answer *a)
{
	struct reader r = {.rest = said};
	size_t which = a->offer_count;

	if (said.size > 0 && said.at[said.size - 1] == '\n')
		r.rest.size--;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
	    span_is(rd_take(&r, strlen("allow:")), "allow:"))
		which = policy_eval_offered(p->system, a, r.rest);
	policy_eval_choose(a, which);
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Reads to the end; what is more than fits is no answer.  The size, or -1. */
static ssize_t read_answer(int fd, int timeout_ms, uint8_t to[ANSWER_ROOM])
{
	int64_t end = now_ms() + timeout_ms;
	size_t size = 0;

	for (;;) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		int64_t left = timeout_ms < 0 ? -1 : MAX(end - now_ms(), 0);
		int ready = poll(&wait, 1, (int)left);
		ssize_t n;

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return -1;
		n = read(fd, to + size, ANSWER_ROOM - size);
		if (n == 0)
			return (ssize_t)size;
		if (n < 0 && errno != EINTR)
			return -1;
		size += n > 0 ? (size_t)n : 0;
		if (size == ANSWER_ROOM)
			return -1;
	}
}

int policy_prompt_program(const struct policy_prompt *p, char *const argv[],
                          int timeout_ms, struct policy_answer *a,
                          struct fault *f)
{
	autoclose int answer = -1;
	uint8_t said[ANSWER_ROOM];
	int status = 0;
	ssize_t size;
	pid_t pid;
	int err;

	if (a->action != POLICY_ASK)
		return 0;
	err = start(p, argv, a, &pid, &answer, f);
	if (err < 0) {
		policy_eval_choose(a, a->offer_count);
		return err;
	}
	size = read_answer(answer, timeout_ms, said);
	if (size < 0)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	policy_prompt_settle(
		p, (struct span){said, size < 0 ? 0 : (size_t)size}, status, a);
	return 0;
}
