/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/world.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/fs/file.h"
#include "kernel/fs/inode.h"
#include "kernel/testbed.h"
#include "scratch.h"

/* A host with a template (usr, etc, bin -> usr/bin) and a folder to share. */
struct host {
	char dir[64];
	struct testbed *bed;
	struct path root;
	struct path home;
};

static void put_file(const struct host *h, const char *name, const char *text,
                     mode_t mode)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", h->dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void put_dir(const struct host *h, const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", h->dir, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

static int hold(const struct host *h, const char *name)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", h->dir, name);
	fd = open(path, O_PATH | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static int setup(void **state)
{
	struct host *h = calloc(1, sizeof(*h));
	struct world_options *o = calloc(1, sizeof(*o));
	struct fsctx first = {.refs = 1, .umask = 022};

	assert_int_equal(scratch_make(h->dir), 0);
	put_dir(h, "usr");
	put_dir(h, "usr/bin");
	put_file(h, "usr/bin/tool", "#!tool", 0755);
	put_dir(h, "etc");
	put_file(h, "etc/shadow", "root:secret", 0644);
	put_file(h, "etc/hidden", "secret", 0600);
	put_file(h, "etc/services", "http 80/tcp\n", 0644);
	put_file(h, "etc/hostname", "thehost", 0644);
	put_dir(h, "tools");
	put_dir(h, "tools/usr");
	put_dir(h, "tools/usr/bin");
	put_file(h, "tools/usr/bin/tool", "#!ours", 0755);
	put_file(h, "tools/usr/bin/more", "#!more", 0755);
	put_dir(h, "tools/etc");
	put_dir(h, "tools/etc/rpc");
	put_file(h, "tools/etc/rpc/service", "#!service", 0755);
	put_dir(h, "share");
	put_file(h, "share/old", "old text", 0644);
	o->template_count = 3;
	(void)strcpy(o->template[0].name, "usr");
	o->template[0].fd = hold(h, "usr");
	(void)strcpy(o->template[1].name, "etc");
	o->template[1].fd = hold(h, "etc");
	(void)strcpy(o->template[2].name, "bin");
	o->template[2].fd = -1;
	(void)strcpy(o->template[2].link, "usr/bin");
	o->tools_fd = hold(h, "tools");
	o->share_count = 1;
	o->share[0].fd = hold(h, "share");
	o->share[0].writable = true;
	(void)strcpy(o->share[0].at, "/home/user/work/share");
	o->host_uid = getuid();
	o->host_gid = getgid();
	o->user_uid = o->user_gid = 1000;
	h->bed = testbed_create(0);
	assert_int_equal(world_create(&h->bed->kernel, o, &h->root, &h->home),
	                 0);
	first.root = h->root;
	first.cwd = h->home;
	path_fsctx_put(h->bed->task->fs);
	h->bed->task->fs = path_fsctx_copy(&first);
	free(o);
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	struct host *h = *state;

	path_put(&h->root);
	path_put(&h->home);
	testbed_destroy(h->bed);
	assert_int_equal(scratch_drop(h->dir), 0);
	free(h);
	return 0;
}

/* The inode at an absolute path inside, a reference in *p; or the error. */
static long find(struct host *h, const char *name, struct path *p)
{
	long err = path_lookup(h->bed->task, AT_FDCWD, name, PATH_FOLLOW, p);

	return err == 0 && !path_inode(p) ? -ENOENT : err;
}

static void contents_are(struct host *h, const char *name, const char *want)
{
	struct path p;
	struct file *f;
	char got[256];
	struct uio u;
	long size;

	if (find(h, name, &p) < 0)
		fail_msg("%s is not there", name);
	assert_int_equal(file_open(h->bed->task, &p, O_RDONLY, &f), 0);
	uio_init_kernel(&u, got, sizeof(got) - 1);
	size = f->ops->read(f, &u, &f->pos);
	assert_true(size >= 0);
	got[size] = '\0';
	assert_string_equal(got, want);
	file_put(f);
	path_put(&p);
}

static long try_open(struct host *h, const char *name, uint32_t flags)
{
	struct path p;
	struct file *f;
	long err = find(h, name, &p);

	if (err < 0)
		return err;
	err = file_open(h->bed->task, &p, flags, &f);
	path_put(&p);
	if (err < 0)
		return err;
	file_put(f);
	return 0;
}

static void append(struct host *h, const char *name, const char *text)
{
	struct path p;
	struct file *f;
	struct uio u;

	assert_int_equal(find(h, name, &p), 0);
	assert_int_equal(file_open(h->bed->task, &p, O_WRONLY | O_APPEND, &f),
	                 0);
	uio_init_kernel(&u, (void *)(uintptr_t)text, strlen(text));
	assert_int_equal(f->ops->write(f, &u, &f->pos), strlen(text));
	file_put(f);
	path_put(&p);
}

static void shows_the_template(void **state)
{
	struct host *h = *state;
	struct path a;
	struct path b;

	contents_are(h, "/usr/bin/tool", "#!tool");
	contents_are(h, "/bin/tool", "#!tool");
	contents_are(h, "/etc/services", "http 80/tcp\n");
	assert_int_equal(find(h, "/usr/bin/tool", &a), 0);
	assert_int_equal(find(h, "/bin/tool", &b), 0);
	assert_ptr_equal(path_inode(&a), path_inode(&b));
	path_put(&a);
	path_put(&b);
}

static void shows_our_tools_under_the_template(void **state)
{
	struct host *h = *state;
	struct path p;

	contents_are(h, "/usr/bin/more", "#!more");
	contents_are(h, "/bin/more", "#!more");
	contents_are(h, "/etc/rpc/service", "#!service");
	assert_int_equal(find(h, "/etc/rpc/service", &p), 0);
	assert_int_equal(path_inode(&p)->uid, 0);
	assert_int_equal(path_inode(&p)->gid, 0);
	path_put(&p);
	append(h, "/etc/rpc/service", " changed");
	contents_are(h, "/etc/rpc/service", "#!service changed");
}

static void hides_what_is_the_hosts(void **state)
{
	struct host *h = *state;

	contents_are(h, "/etc/hostname", "qube\n");
	assert_int_equal(try_open(h, "/etc/hidden", O_RDONLY), -EACCES);
	assert_int_equal(try_open(h, "/etc/gshadow", O_RDONLY), -ENOENT);
}

static void keeps_changes_to_itself(void **state)
{
	struct host *h = *state;
	struct path p;
	uint64_t ino;

	assert_int_equal(find(h, "/usr/bin/tool", &p), 0);
	ino = path_inode(&p)->ino;
	path_put(&p);
	append(h, "/usr/bin/tool", " changed");
	contents_are(h, "/usr/bin/tool", "#!tool changed");
	assert_int_equal(find(h, "/usr/bin/tool", &p), 0);
	assert_int_equal(path_inode(&p)->ino, ino);
	assert_int_equal(path_inode(&p)->mode & 0777, 0755);
	path_put(&p);
}

static void writes_through_to_a_share(void **state)
{
	struct host *h = *state;
	char path[128];
	char got[64] = {0};
	int fd;

	contents_are(h, "/home/user/work/share/old", "old text");
	append(h, "/home/user/work/share/old", ", new text");
	(void)snprintf(path, sizeof(path), "%s/share/old", h->dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, got, sizeof(got) - 1), 18);
	assert_string_equal(got, "old text, new text");
	close(fd);
}

static void sees_what_the_host_does_in_a_share(void **state)
{
	struct host *h = *state;

	assert_int_equal(try_open(h, "/home/user/work/share/n", O_RDONLY),
	                 -ENOENT);
	put_file(h, "share/n", "n", 0644);
	contents_are(h, "/home/user/work/share/n", "n");
}

static void gives_the_user_a_home(void **state)
{
	struct host *h = *state;

	assert_int_equal(path_inode(&h->home)->uid, 1000);
	assert_int_equal(try_open(h, "/run/user/1000", O_RDONLY), 0);
	assert_int_equal(try_open(h, "/var/tmp", O_RDONLY), 0);
}

static void has_devices(void **state)
{
	struct host *h = *state;

	contents_are(h, "/dev/null", "");
	append(h, "/dev/null", "anything");
	assert_int_equal(try_open(h, "/dev/urandom", O_RDONLY), 0);
	assert_int_equal(try_open(h, "/dev/full", O_RDWR), 0);
}

static void tells_about_processes(void **state)
{
	struct host *h = *state;
	static const char *const names[] = {
		"/proc/self/stat",
		"/proc/self/statm",
		"/proc/self/status",
		"/proc/self/cmdline",
		"/proc/self/mounts",
		"/proc/self/mountinfo",
		"/proc/self/limits",
		"/proc/self/net/dev",
		"/proc/thread-self/comm",
		"/proc/cpuinfo",
		"/proc/meminfo",
		"/proc/stat",
		"/proc/uptime",
		"/proc/1/status",
		"/proc/sys/vm/max_map_count",
		"/proc/net/tcp",
	};

	contents_are(h, "/proc/self/comm", "test\n");
	contents_are(h, "/proc/1/comm", "init\n");
	contents_are(h, "/sys/devices/system/cpu/cpu0/topology/core_id", "0\n");
	contents_are(h, "/proc/sys/kernel/ostype", "Linux\n");
	contents_are(h, "/proc/sys/kernel/hostname", "qube\n");
	append(h, "/proc/sys/kernel/hostname", "other\n");
	contents_are(h, "/proc/sys/kernel/hostname", "other\n");
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (try_open(h, names[i], O_RDONLY) < 0)
			fail_msg("%s", names[i]);
	assert_int_equal(try_open(h, "/proc/4000/stat", O_RDONLY), -ENOENT);
	assert_int_equal(try_open(h, "/proc/self/root/usr/bin/tool", O_RDONLY),
	                 0);
}

/* All names of a directory, each followed by a blank. */
struct names {
	struct dirsink sink;
	struct file *f;
	char text[4096];
	size_t size;
};

static bool take_name(struct dirsink *sink, struct span name, uint64_t ino,
                      uint8_t type, int64_t next)
{
	struct names *n = container_of(sink, struct names, sink);

	assert_int_not_equal(ino, 0);
	(void)type;
	assert_true(next > n->f->pos);
	n->f->pos = next;
	assert_true(name.size + 2 < sizeof(n->text) - n->size);
	memcpy(n->text + n->size, name.at, name.size);
	n->size += name.size;
	n->text[n->size++] = ' ';
	n->text[n->size] = '\0';
	return true;
}

static void names_are(struct host *h, const char *dir, const char *want)
{
	static struct names n;
	struct path p;

	n = (struct names){.sink = {take_name}};
	assert_int_equal(find(h, dir, &p), 0);
	assert_int_equal(
		file_open(h->bed->task, &p, O_RDONLY | O_DIRECTORY, &n.f), 0);
	n.f->pos = 2;
	assert_int_equal(n.f->ops->readdir(n.f, h->bed->task, &n.sink), 0);
	if (*want)
		assert_string_equal(n.text, want);
	file_put(n.f);
	path_put(&p);
}

static void lists_directories(void **state)
{
	struct host *h = *state;

	names_are(h, "/usr", "bin ");
	names_are(h, "/home", "user ");
	names_are(h, "/proc/sys/kernel/random",
	          "boot_id entropy_avail poolsize urandom_min_reseed_secs "
	          "uuid write_wakeup_threshold ");
	names_are(h, "/proc/self/fd", "");
	names_are(h, "/proc", "");
	names_are(h, "/sys/class/net", "lo ");
	names_are(h, "/sys/fs", "cgroup ");
	names_are(h, "/etc", "");
}

/* Reads a file to its end; whether it can be read is its own business. */
static void read_through(struct host *h, struct path *p, const char *name)
{
	struct file *f;
	char part[512];
	struct uio u;
	long n;

	if (file_open(h->bed->task, p, O_RDONLY, &f) < 0)
		return;
	do {
		uio_init_kernel(&u, part, sizeof(part));
		n = f->ops->read(f, &u, &f->pos);
	} while (n > 0);
	/* The first byte of a process's memory is nobody's. */
	if (n == -EIO && strcmp(name + strlen(name) - 4, "/mem") == 0)
		n = 0;
	if (n < 0 && n != -EINVAL && n != -EACCES && n != -ESRCH)
		fail_msg("%s: %ld", name, n);
	file_put(f);
}

static void walk(struct host *h, const char *dir, unsigned depth,
                 unsigned *count)
{
	struct names *n = calloc(1, sizeof(*n));
	struct path p;
	char *at;

	assert_non_null(n);
	n->sink.add = take_name;
	assert_int_equal(find(h, dir, &p), 0);
	assert_int_equal(
		file_open(h->bed->task, &p, O_RDONLY | O_DIRECTORY, &n->f), 0);
	n->f->pos = 2;
	assert_int_equal(n->f->ops->readdir(n->f, h->bed->task, &n->sink), 0);
	file_put(n->f);
	path_put(&p);
	for (at = n->text; *at; at = strchr(at, ' ') + 1) {
		char name[512];
		struct inode *i;

		(void)snprintf(name, sizeof(name), "%s/%.*s", dir,
		               (int)strcspn(at, " "), at);
		assert_int_equal(
			path_lookup(h->bed->task, AT_FDCWD, name, 0, &p), 0);
		i = path_inode(&p);
		if (!i)
			fail_msg("%s is listed, but not there", name);
		++*count;
		if (inode_is(i, S_IFREG))
			read_through(h, &p, name);
		if (inode_is(i, S_IFDIR) && depth > 0)
			walk(h, name, depth - 1, count);
		path_put(&p);
	}
	free(n);
}

static void every_made_up_file_can_be_read(void **state)
{
	struct host *h = *state;
	unsigned count = 0;

	walk(h, "/proc", 6, &count);
	assert_true(count > 300);
	count = 0;
	walk(h, "/sys", 9, &count);
	assert_true(count > 60);
}

#define WORLD(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(shows_the_template),
		WORLD(shows_our_tools_under_the_template),
		WORLD(hides_what_is_the_hosts),
		WORLD(keeps_changes_to_itself),
		WORLD(writes_through_to_a_share),
		WORLD(sees_what_the_host_does_in_a_share),
		WORLD(gives_the_user_a_home),
		WORLD(has_devices),
		WORLD(tells_about_processes),
		WORLD(lists_directories),
		WORLD(every_made_up_file_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
