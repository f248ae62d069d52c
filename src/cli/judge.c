/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/judge.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/visible.h"

#define ANSWER_MAX 4096u

/*
 * The manager answers on it while it runs; asking it anything starts it.  To the
 * policy a qube that is not there is no target, to the user it is a mistake.
 */
static int connect_policy(struct query *q, const char *target, struct fault *f)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	const char *folder = q->paths.at[PATHS_RUNTIME];
	autoclose int sock = -1;
	int n = snprintf(at.sun_path, sizeof(at.sun_path), "%s/policy.sock",
	                 folder);
	int err;

	if (n < 0 || (size_t)n >= sizeof(at.sun_path))
		return fault_set(f, -ENAMETOOLONG, "%s is too long a path",
		                 folder);
	err = query(q, "admin.vm.List", NULL, target[0] == '@' ? NULL : target,
	            f);
	if (err < 0)
		return err;
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || connect(sock, (struct sockaddr *)&at, sizeof(at)) < 0)
		return fault_errno(f, "ask the policy at %s", at.sun_path);
	return take_fd(&sock);
}

static int ask(int sock, const struct judge *j, struct buffer *answer,
               struct fault *f)
{
	autobuffer struct buffer b = {0};
	ssize_t n = 1;

	buffer_printf(&b,
	              "domain_id=0\nsource=%s\nintended_target=%s\n"
	              "service_and_arg=%s\nprocess_ident=0\n"
	              "assume_yes_for_ask=%s\n\n",
	              j->source, j->target, j->service,
	              j->chosen ? "yes" : "no");
	if (b.bad)
		return fault_set(f, -ENOMEM, "out of memory");
	if (send(sock, b.at, b.size, MSG_NOSIGNAL) != (ssize_t)b.size)
		return fault_errno(f, "ask the policy");
	while (n > 0) {
		uint8_t *room = answer->size < ANSWER_MAX
		                        ? buffer_reserve(answer, ANSWER_MAX)
		                        : NULL;

		if (!room)
			return fault_set(f, -EPROTO,
			                 "the policy's answer has no end");
		n = recv(sock, room, ANSWER_MAX, 0);
		answer->size += n > 0 ? (size_t)n : 0;
	}
	if (n < 0)
		return fault_errno(f, "hear the policy");
	buffer_text0(answer, "");
	return answer->bad ? fault_set(f, -ENOMEM, "out of memory") : 0;
}

/* The value behind a line's "KEY="; false without such a line. */
static bool value_of(const char *text, const char *key,
                     char out[static JUDGE_NAME_MAX + 1])
{
	size_t len = strlen(key);

	for (const char *at = text; *at; at += strcspn(at, "\n") + 1) {
		size_t line = strcspn(at, "\n");

		if (line > len && line - len <= JUDGE_NAME_MAX &&
		    strncmp(at, key, len) == 0) {
			memcpy(out, at + len, line - len);
			out[line - len] = '\0';
			visible_line(out);
			return true;
		}
		if (!at[line])
			break;
	}
	return false;
}

int judge(struct query *q, const struct judge *j,
          char target[static JUDGE_NAME_MAX + 1], struct fault *f)
{
	char result[JUDGE_NAME_MAX + 1];
	autobuffer struct buffer answer = {0};
	autoclose int sock = connect_policy(q, j->target, f);
	int err = sock < 0 ? sock : ask(sock, j, &answer, f);

	if (err < 0)
		return err;
	if (value_of((char *)answer.at, "result=", result) &&
	    strcmp(result, "allow") == 0 &&
	    value_of((char *)answer.at, "target=", target))
		return 0;
	return fault_set(f, -EACCES,
	                 "%s from %s to %s was refused; `bento policy eval` "
	                 "says by which rule",
	                 j->service, j->source, j->target);
}
