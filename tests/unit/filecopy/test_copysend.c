/* SPDX-License-Identifier: Apache-2.0 */
#include "filecopy/copysend.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cmocka_all.h"
#include "filecopy/copybed.h"

#define WORK 64u

/* Something to send from, in the folder "from". */
struct bench {
	struct copybed bed;
	int from;
	struct buffer sent;
	char skipped[WORK];
	struct fault fault;
};

static int bench_init(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	copybed_init(&b->bed);
	assert_int_equal(mkdirat(b->bed.around, "from", 0700), 0);
	b->from = openat(b->bed.around, "from",
	                 O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(b->from >= 0);
	assert_int_equal(fchdir(b->from), 0);
	*state = b;
	return 0;
}

static int bench_fini(void **state)
{
	struct bench *b = *state;

	assert_int_equal(chdir("/"), 0);
	close(b->from);
	copybed_fini(&b->bed);
	buffer_fini(&b->sent);
	free(b);
	return 0;
}

static void write_file(int folder, const char *name, const void *at,
                       size_t size)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, at, size), size);
	close(fd);
}

static void skipped(void *ctx, const char *path, const char *why)
{
	struct bench *b = ctx;

	(void)why;
	(void)snprintf(b->skipped, sizeof(b->skipped), "%s", path);
}

/* In a process of its own, over a socket that has room for little. */
static int receiver(struct bench *b, int sock)
{
	const struct copyrecv_job job = {
		.in = sock,
		.out = sock,
		.folder = b->bed.folder,
		.proc = open("/proc/self/fd", O_PATH | O_CLOEXEC),
	};
	struct copyrecv_count count;
	struct fault f;

	return copyrecv(&job, &count, &f) < 0 ? 1 : 0;
}

/* Names with blanks between them, taken apart. */
struct names {
	char text[WORK];
	char *at[8];
};

static char *const *names_of(struct names *n, const char *text)
{
	char *rest = n->text;
	size_t count = 0;

	(void)snprintf(n->text, sizeof(n->text), "%s", text);
	while ((n->at[count] = strsep(&rest, " ")))
		count++;
	return n->at;
}

static int send_to(struct bench *b, int (*other)(struct bench *b, int sock),
                   const char *files, bool no_links)
{
	struct names names;
	struct copysend_job job = {
		.files = names_of(&names, files),
		.no_links = no_links,
		.sent = &b->sent,
		.skipped = skipped,
		.ctx = b,
	};
	int pair[2], status, err;
	pid_t pid;

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(pair[0]);
		_exit(other(b, pair[1]));
	}
	close(pair[1]);
	job.in = job.out = pair[0];
	err = copysend(&job, &b->fault);
	close(pair[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return err;
}

static void make_tree(struct bench *b)
{
	autofree uint8_t *large = malloc(1u << 20);

	assert_non_null(large);
	for (size_t i = 0; i < 1u << 20; i++)
		large[i] = (uint8_t)(i * 7 >> 3);
	write_file(b->from, "large", large, 1u << 20);
	write_file(b->from, "empty", "", 0);
	assert_int_equal(mkdirat(b->from, "d", 0750), 0);
	assert_int_equal(mkdirat(b->from, "d/sub", 0750), 0);
	write_file(b->from, "d/sub/x", "text", 4);
	assert_int_equal(symlinkat("sub/x", b->from, "d/link"), 0);
}

static void what_is_sent_arrives(void **state)
{
	struct names names;
	struct bench *b = *state;
	struct stat here, there;
	char cwd[256];
	int err;

	make_tree(b);
	err = send_to(b, receiver, "large ./empty d//", false);
	if (err < 0)
		fail_msg("%d: %s", err, b->fault.text);
	copybed_has(b->bed.folder, "d/sub/x", "text");
	copybed_has(b->bed.folder, "empty", "");
	assert_int_equal(fstatat(b->bed.folder, "large", &there, 0), 0);
	assert_int_equal(fstatat(b->from, "large", &here, 0), 0);
	assert_int_equal(there.st_size, here.st_size);
	assert_int_equal(there.st_mode, here.st_mode);
	assert_memory_equal(&there.st_mtim, &here.st_mtim,
	                    sizeof(here.st_mtim));
	assert_int_equal(
		fstatat(b->bed.folder, "d/link", &there, AT_SYMLINK_NOFOLLOW),
		0);
	assert_true(S_ISLNK(there.st_mode));
	/* Folders are listed behind what is in them. */
	assert_int_equal(b->sent.size, 6 + 8 + 7 + 8 + 6 + 2);
	assert_memory_equal(b->sent.at,
	                    "large\0./empty\0d/link\0d/sub/x\0d/sub\0d", 37);
	assert_int_equal(
		copysend_measure(names_of(&names, "large ./empty d//")),
		(1u << 20) + 4);
	/* We are where we were. */
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_non_null(strstr(cwd, "/from"));
}

static void what_was_sent_can_be_removed(void **state)
{
	struct bench *b = *state;

	make_tree(b);
	assert_int_equal(send_to(b, receiver, "large empty d", false), 0);
	/* What is new stays, and the folder around it. */
	write_file(b->from, "d/new", "x", 1);
	assert_int_equal(copysend_remove(buffer_span(&b->sent), &b->fault),
	                 -ENOTEMPTY);
	assert_int_equal(copybed_count(b->from, "."), 1);
	assert_int_equal(copybed_count(b->from, "d"), 1);
	copybed_has(b->from, "d/new", "x");
}

static void holes_are_sent_as_zeros(void **state)
{
	struct bench *b = *state;
	uint8_t back[10];
	struct stat st;
	int fd;

	write_file(b->from, "sparse", "start", 5);
	assert_int_equal(truncate("sparse", 40 << 20), 0);
	fd = openat(b->from, "sparse", O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "middle", 6, 20 << 20), 6);
	close(fd);
	write_file(b->from, "tail", "", 0);
	assert_int_equal(truncate("tail", 5 << 20), 0);
	assert_int_equal(send_to(b, receiver, "sparse tail", false), 0);

	fd = openat(b->bed.folder, "sparse", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 40 << 20);
	assert_true(st.st_blocks < 512);
	assert_int_equal(pread(fd, back, 6, 0), 6);
	assert_memory_equal(back, "start", 6);
	assert_int_equal(pread(fd, back, 8, (20 << 20) - 1), 8);
	assert_memory_equal(back, "\0middle", 8);
	close(fd);
	assert_int_equal(fstatat(b->bed.folder, "tail", &st, 0), 0);
	assert_int_equal(st.st_size, 5 << 20);
}

static void what_cannot_go_is_told(void **state)
{
	struct bench *b = *state;

	assert_int_equal(symlinkat("x", b->from, "alone"), 0);
	assert_int_equal(mkdirat(b->from, "p", 0700), 0);
	assert_int_equal(mkfifoat(b->from, "p/pipe", 0600), 0);
	assert_int_equal(send_to(b, receiver, "alone", false), -EINVAL);
	assert_non_null(strstr(b->fault.text, "alone is a symbolic link"));
	assert_int_equal(send_to(b, receiver, "none", false), -ENOENT);
	assert_non_null(strstr(b->fault.text, "none"));
	assert_int_equal(send_to(b, receiver, "/", false), -EINVAL);
	assert_int_equal(send_to(b, receiver, "alone", true), 0);
	assert_string_equal(b->skipped, "alone");
	assert_int_equal(send_to(b, receiver, "p", false), 0);
	assert_string_equal(b->skipped, "p/pipe");
	assert_int_equal(copybed_count(b->bed.folder, "p"), 0);
}

static void the_current_folder_goes_under_its_name(void **state)
{
	struct bench *b = *state;

	write_file(b->from, "x", "text", 4);
	assert_int_equal(send_to(b, receiver, ".", false), 0);
	copybed_has(b->bed.folder, "from/x", "text");
}

static void a_refusal_is_explained(void **state)
{
	struct bench *b = *state;

	make_tree(b);
	write_file(b->bed.folder, "large", "old", 3);
	assert_int_equal(send_to(b, receiver, "large", false), -EREMOTEIO);
	assert_non_null(strstr(b->fault.text, "large is there already"));
	copybed_has(b->bed.folder, "large", "old");
}

/* Receivers that are not what they should be. */

/* Until the sender has closed; nothing of his is taken. */
static int wait_for_end(int sock)
{
	struct pollfd p = {.fd = sock};

	return poll(&p, 1, -1) == 1 ? 0 : 1;
}

static int says_done_at_once(struct bench *b, int sock)
{
	static const uint8_t done[COPYWIRE_RESULT_SIZE + 4];

	(void)b;
	(void)!write(sock, done, sizeof(done));
	return wait_for_end(sock);
}

static int goes_away(struct bench *b, int sock)
{
	char bytes[1000];

	(void)b;
	(void)!read(sock, bytes, sizeof(bytes));
	close(sock);
	return 0;
}

static int takes_all_and_goes(struct bench *b, int sock)
{
	char bytes[2048];
	ssize_t left = (1 << 20) + 32 + 6 + 32;

	(void)b;
	while (left > 0) {
		ssize_t n = read(sock, bytes, sizeof(bytes));

		if (n <= 0)
			return 1;
		left -= n;
	}
	close(sock);
	return 0;
}

static int says_wrong_sum(struct bench *b, int sock)
{
	static const uint8_t done[COPYWIRE_RESULT_SIZE] = {
		[8] = 1, [9] = 2, [10] = 3};
	char bytes[2048];
	ssize_t left = (1 << 20) + 32 + 6 + 32;

	(void)b;
	while (left > 0)
		left -= read(sock, bytes, sizeof(bytes));
	(void)!write(sock, done, sizeof(done)); /* as old ones do */
	return 0;
}

/* Says no while nobody takes what is sent. */
static int refuses_and_reads_nothing(struct bench *b, int sock)
{
	static const uint8_t no[] = {28, 0, 0,   0,   0,   0,   0, 0, 0,
	                             0,  0, 0,   0,   0,   0,   0, 5, 0,
	                             0,  0, 033, '[', '2', 'J', 7};

	(void)b;
	(void)!write(sock, no, sizeof(no));
	return wait_for_end(sock);
}

static int says_long_name(struct bench *b, int sock)
{
	static const uint8_t no[] = {1, 0, 0, 0, 0, 0, 0,    0,    0,    0,
	                             0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};
	char name[2048];

	(void)b;
	memset(name, 'x', sizeof(name));
	(void)!write(sock, no, sizeof(no));
	while (send(sock, name, sizeof(name), MSG_NOSIGNAL) > 0)
		;
	return 0;
}

static void strange_receivers_are_seen_through(void **state)
{
	static const struct {
		const char *why;
		int (*other)(struct bench *b, int sock);
		int want;
	} all[] = {
		{"done at once", says_done_at_once, -EPROTO},
		{"gone at once", goes_away, -ECONNRESET},
		{"gone at the end", takes_all_and_goes, -ECONNRESET},
		{"a wrong sum", says_wrong_sum, -EBADMSG},
		{"no, and a full socket", refuses_and_reads_nothing,
	         -EREMOTEIO},
		{"a name without end", says_long_name, -EREMOTEIO},
	};
	struct bench *b = *state;

	make_tree(b);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		int got = send_to(b, all[i].other, "large", false);

		if (got != all[i].want)
			fail_msg("%s: %d, %s", all[i].why, got, b->fault.text);
		assert_null(strchr(b->fault.text, '\033'));
	}
}

int main(void)
{
#define WITH_BENCH(name) \
	cmocka_unit_test_setup_teardown(name, bench_init, bench_fini)
	const struct CMUnitTest tests[] = {
		WITH_BENCH(what_is_sent_arrives),
		WITH_BENCH(what_was_sent_can_be_removed),
		WITH_BENCH(holes_are_sent_as_zeros),
		WITH_BENCH(what_cannot_go_is_told),
		WITH_BENCH(the_current_folder_goes_under_its_name),
		WITH_BENCH(a_refusal_is_explained),
		WITH_BENCH(strange_receivers_are_seen_through),
	};

	/* What hangs fails. */
	alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
