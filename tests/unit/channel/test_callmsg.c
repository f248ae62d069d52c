/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/callmsg.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memfile.h"
#include "cmocka_all.h"

#define N63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* What we must refuse, and why. */
static const struct {
	const char *why;
	const char *text;
} refused[] = {
	{"empty", ""},
	{"one name", "a+"},
	{"three names", "a+ b c"},
	{"five names", "a+ b c d e"},
	{"no service", " b c d"},
	{"service without a plus", "a b c d"},
	{"service that is an argument", "+a b c d"},
	{"slash in the service", "a/b+ b c d"},
	{"dollar in the argument", "a+$b b c d"},
	{"colon in the service", "a+b:c b c d"},
	{"at in the source", "a+ b @c d"},
	{"slash in the user", "a+ b c d/e"},
	{"newline in the target", "a+ b\n c d"},
	{"target of 64 bytes", "a+ " N63 "a c d"},
};

/* Parses a copy that fills its allocation exactly. */
static int parse_exact(const char *text, struct callmsg *m)
{
	size_t size = strlen(text);
	autofree char *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	memcpy(copy, text, size);
	return callmsg_parse((struct span){(const uint8_t *)copy, size}, m);
}

static void refuses_what_the_format_forbids(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct callmsg m = {.target = span_str("kept")};

		if (parse_exact(refused[i].text, &m) != -EPROTO)
			fail_msg("%s: accepted", refused[i].why);
		assert_true(span_is(m.target, "kept"));
	}
}

static void names_may_be_empty(void **state)
{
	struct callmsg m;

	(void)state;
	assert_int_equal(callmsg_parse(span_str("a+   "), &m), 0);
	assert_true(span_is(m.service, "a+"));
	assert_int_equal(m.target.size + m.source.size + m.user.size, 0);
	assert_int_equal(
		callmsg_parse(span_str("q.A_b+c+-d @dispvm:" N63 " s u"), &m),
		-EPROTO);
	assert_int_equal(
		callmsg_parse(span_str("q.A_b+c+-d @dispvm:@tag:t s u"), &m),
		0);
	assert_true(span_is(m.target, "@dispvm:@tag:t"));
	assert_true(span_is(m.user, "u"));
}

struct end {
	int sock[2];
	int in[CALLMSG_STREAMS];  /* ours to send */
	int out[CALLMSG_STREAMS]; /* their other ends */
};

static int set_up(void **state)
{
	static struct end e;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, e.sock), 0);
	for (size_t i = 0; i < CALLMSG_STREAMS; i++) {
		int pair[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		e.in[i] = pair[0];
		e.out[i] = pair[1];
	}
	*state = &e;
	return 0;
}

static int tear_down(void **state)
{
	struct end *e = *state;

	close(e->sock[0]);
	close(e->sock[1]);
	callmsg_close(e->in);
	callmsg_close(e->out);
	return 0;
}

/* Sends a `serve` of that service and looks at what arrives. */
static void serve_arrives(struct end *e, struct span service)
{
	struct control c = {.kind = CONTROL_serve, .value = {7, 1}}, got;
	struct callmsg m = {service, span_str("@default"), span_str("work"),
	                    span_str("root")};
	int streams[CALLMSG_STREAMS];
	autofree char *text = NULL;
	struct control_fds fds;
	struct callmsg back;
	char byte = 0;

	assert_int_equal(callmsg_send(e->sock[0], &c, &m, e->in), 0);
	assert_int_equal(
		control_receive(e->sock[1], CONTROL_CLIENT, &got, &fds), 1);
	assert_int_equal(callmsg_take(&got, &fds, &text, &back, streams), 0);
	control_close(&fds);
	assert_true(got.value[0] == 7 && got.value[1] == 1);
	assert_true(span_eq(back.service, service));
	assert_true(span_is(back.target, "@default"));
	assert_true(span_is(back.source, "work"));
	assert_true(span_is(back.user, "root"));
	assert_int_equal(write(streams[CALLMSG_STATUS], "x", 1), 1);
	assert_int_equal(read(e->out[CALLMSG_STATUS], &byte, 1), 1);
	assert_int_equal(byte, 'x');
	callmsg_close(streams);
	/* A second time would close what others have opened meanwhile. */
	for (size_t i = 0; i < CALLMSG_STREAMS; i++)
		assert_int_equal(streams[i], -1);
}

static void a_short_record_travels_in_the_message(void **state)
{
	serve_arrives(*state, span_str("qubes.Filecopy+"));
}

static void a_long_record_travels_in_a_memory_file(void **state)
{
	autofree uint8_t *name = malloc(CALLMSG_SERVICE_MAX);

	assert_non_null(name);
	memset(name, 'a', CALLMSG_SERVICE_MAX);
	name[9] = '+';
	serve_arrives(*state, (struct span){name, CALLMSG_SERVICE_MAX});
	/* Around where it stops fitting into the text. */
	for (size_t size = 480; size < 512; size++)
		serve_arrives(*state, (struct span){name, size});
}

static void a_call_has_no_streams(void **state)
{
	struct end *e = *state;
	struct control c = {.kind = CONTROL_call, .value = {1}}, got;
	struct callmsg m = {.service = span_str("a+")}, back;
	int streams[CALLMSG_STREAMS] = {-1, -1, -1, -1};
	char *text = NULL;
	struct control_fds fds;

	assert_int_equal(callmsg_send(e->sock[0], &c, &m, e->in), 0);
	assert_int_equal(
		control_receive(e->sock[1], CONTROL_KERNEL, &got, &fds), 1);
	assert_int_equal(callmsg_take(&got, &fds, &text, &back, streams),
	                 -EPROTO);
	control_close(&fds);

	assert_int_equal(callmsg_send(e->sock[0], &c, &m, NULL), 0);
	assert_int_equal(
		control_receive(e->sock[1], CONTROL_KERNEL, &got, &fds), 1);
	assert_int_equal(callmsg_take(&got, &fds, &text, &back, streams), 0);
	assert_true(span_is(back.service, "a+"));
	assert_int_equal(streams[0], -1);
	free(text);
}

static void what_could_not_be_read_is_not_sent(void **state)
{
	struct end *e = *state;
	struct control c = {.kind = CONTROL_call};
	struct callmsg m = {.service = span_str("a b+")};

	assert_int_equal(callmsg_send(e->sock[0], &c, &m, NULL), -EINVAL);
}

static void streams_are_all_there_or_none(void **state)
{
	struct end *e = *state;
	struct control c = {.kind = CONTROL_allowed, .value = {1}}, got;
	int streams[CALLMSG_STREAMS] = {-1, -1, -1, -1};
	struct control_fds fds;

	for (uint32_t count = 0; count <= CALLMSG_STREAMS; count++) {
		int want = count == CALLMSG_STREAMS ? 0 : -EPROTO;

		assert_int_equal(control_send(e->sock[0], &c, e->in, count), 0);
		assert_int_equal(
			control_receive(e->sock[1], CONTROL_CLIENT, &got, &fds),
			1);
		assert_int_equal(callmsg_take_streams(&fds, 0, streams), want);
		control_close(&fds);
	}
	assert_true(streams[0] >= 0 && streams[3] >= 0);
	callmsg_close(streams);
	fds = (struct control_fds){.lost = true};
	assert_int_equal(callmsg_take_streams(&fds, 0, streams), -EMFILE);
}

/*
 * A file that its sender can still change, or that makes its reader wait as one
 * of a strange file system can, is no record.
 */
static void a_record_is_a_sealed_memory_file(void **state)
{
	const char good[] = "a+   ";
	struct control got = {.kind = CONTROL_call};
	struct control_fds fds = {.count = 1};
	char *text = NULL;
	struct callmsg m;

	(void)state;
	fds.fd[0] = memfile_make("test", span_str(good));
	assert_true(fds.fd[0] >= 0);
	assert_int_equal(callmsg_take(&got, &fds, &text, &m, NULL), 0);
	assert_true(span_is(m.service, "a+"));
	free(take_ptr(&text));

	fds.fd[0] = memfd_create("test", MFD_ALLOW_SEALING);
	assert_int_equal(write(fds.fd[0], good, 5), 5);
	assert_int_equal(callmsg_take(&got, &fds, &text, &m, NULL), -EPROTO);
	assert_null(text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_the_format_forbids),
		cmocka_unit_test(names_may_be_empty),
		TEST(a_short_record_travels_in_the_message),
		TEST(a_long_record_travels_in_a_memory_file),
		TEST(a_call_has_no_streams),
		TEST(what_could_not_be_read_is_not_sent),
		TEST(streams_are_all_there_or_none),
		TEST(a_record_is_a_sealed_memory_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
