/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fake_manager.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "cmocka_all.h"
#include "scratch.h"

#include "admin/reply.h"
#include "admin/request.h"
#include "cli/verbs.h"

static void put_span(struct buffer *b, struct span s)
{
	buffer_put(b, s.at, s.size);
}

/* "METHOD[+ARGUMENT] TARGET" */
static void describe(struct buffer *b, const struct request *r)
{
	put_span(b, r->method);
	if (r->argument.size > 0) {
		buffer_text(b, "+");
		put_span(b, r->argument);
	}
	buffer_text(b, " ");
	put_span(b, r->target);
}

static const char *find(struct fake_manager *m, const char *request)
{
	const char *last = FAKE_NO("QubesException", "not in the script");

	for (size_t i = 0; i < m->count; i++) {
		if (strcmp(m->rows[i].request, request) != 0)
			continue;
		last = m->rows[i].answer;
		if (m->used[i])
			continue;
		m->used[i] = true;
		break;
	}
	return last;
}

static void answer(struct fake_manager *m, struct span wire, struct buffer *to)
{
	autobuffer struct buffer text = {0};
	struct request r;
	const char *how;

	if (request_parse(wire, &r) < 0)
		return;
	describe(&text, &r);
	put_span(&m->asked, buffer_span(&text));
	if (r.payload.size > 0) {
		buffer_text(&m->asked, " ");
		put_span(&m->asked, r.payload);
	}
	buffer_text(&m->asked, "\n");
	buffer_text0(&text, "");
	how = find(m, (const char *)text.at);
	if (how[0] == '\002') {
		char *type = strdup(how + 1);
		char *message = strchr(type, '\003');

		*message++ = 0;
		reply_exception(to, type, message);
		free(type);
	} else {
		reply_ok(to, span_str(how));
	}
}

static void serve(struct fake_manager *m, int sock)
{
	autobuffer struct buffer in = {0};
	autobuffer struct buffer out = {0};
	ssize_t n;

	do {
		uint8_t *at = buffer_reserve(&in, 4096);

		n = at ? read(sock, at, 4096) : -1;
		in.size += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	pthread_mutex_lock(&m->lock);
	answer(m, buffer_span(&in), &out);
	pthread_mutex_unlock(&m->lock);
	if (send(sock, out.at, out.size, MSG_NOSIGNAL) < 0)
		return;
}

static void *run(void *data)
{
	struct fake_manager *m = data;
	int sock;

	while ((sock = accept4(m->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		serve(m, sock);
		close(sock);
	}
	return NULL;
}

void fake_manager_start(struct fake_manager *m, const struct fake_row *rows,
                        size_t count)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	char path[128];

	*m = (struct fake_manager){.rows = rows, .count = count};
	assert_true(count <= ARRAY_LEN(m->used));
	assert_int_equal(scratch_make(m->folder), 0);
	(void)snprintf(path, sizeof(path), "%s/bento", m->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)setenv("XDG_RUNTIME_DIR", m->folder, 1);
	(void)setenv("XDG_DATA_HOME", m->folder, 1);
	(void)setenv("XDG_STATE_HOME", m->folder, 1);
	(void)snprintf(name.sun_path, sizeof(name.sun_path),
	               "%s/bento/manager.sock", m->folder);
	m->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(m->listener >= 0);
	assert_int_equal(
		bind(m->listener, (const struct sockaddr *)&name, sizeof(name)),
		0);
	assert_int_equal(listen(m->listener, 16), 0);
	pthread_mutex_init(&m->lock, NULL);
	assert_int_equal(pthread_create(&m->thread, NULL, run, m), 0);
}

void fake_manager_stop(struct fake_manager *m)
{

	(void)shutdown(m->listener, SHUT_RDWR);
	pthread_join(m->thread, NULL);
	close(m->listener);
	pthread_mutex_destroy(&m->lock);
	buffer_fini(&m->asked);
	buffer_fini(&m->out);
	buffer_fini(&m->err);
	assert_int_equal(scratch_drop(m->folder), 0);
}

/* Puts `fd` in the place of a stream; what was there comes back. */
static int swap(int stream, int fd)
{
	int saved = dup(stream);

	assert_true(saved >= 0);
	assert_true(dup2(fd, stream) >= 0);
	return saved;
}

static void unswap(int stream, int saved)
{
	assert_true(dup2(saved, stream) >= 0);
	close(saved);
}

static void read_back(struct buffer *b, int fd)
{
	char text[2048];
	ssize_t n;

	buffer_clear(b);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	while ((n = read(fd, text, sizeof(text))) > 0)
		buffer_put(b, text, (size_t)n);
	buffer_put(b, "", 1);
}

int fake_manager_run(struct fake_manager *m, const char *input,
                     const char *const argv[])
{
	const struct verb *v = verbs_find(argv[0]);
	autoclose int in = memfd_create("in", MFD_CLOEXEC);
	autoclose int out = memfd_create("out", MFD_CLOEXEC);
	autoclose int err = memfd_create("err", MFD_CLOEXEC);
	int saved[3];
	int status;

	assert_non_null(v);
	assert_true(in >= 0 && out >= 0 && err >= 0);
	assert_int_equal(write(in, input, strlen(input)), strlen(input));
	assert_int_equal(lseek(in, 0, SEEK_SET), 0);
	(void)fflush(NULL);
	saved[0] = swap(0, in);
	saved[1] = swap(1, out);
	saved[2] = swap(2, err);
	clearerr(stdin);
	status = v->run((char *const *)(uintptr_t)argv);
	(void)fflush(NULL);
	for (int i = 0; i < 3; i++)
		unswap(i, saved[i]);
	read_back(&m->out, out);
	read_back(&m->err, err);
	return status;
}

const char *fake_manager_out(struct fake_manager *m)
{
	return (const char *)m->out.at;
}

const char *fake_manager_err(struct fake_manager *m)
{
	return (const char *)m->err.at;
}

const char *fake_manager_asked(struct fake_manager *m)
{
	pthread_mutex_lock(&m->lock);
	buffer_put(&m->asked, "", 1);
	m->asked.size--;
	pthread_mutex_unlock(&m->lock);
	return (const char *)m->asked.at;
}
