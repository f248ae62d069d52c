/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/places.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cmocka_all.h"

/* An /etc in small.  The mode says whether everyone may read it. */
static const struct {
	const char *name;
	mode_t mode;
	bool folder;
	unsigned want; /* JAIL_*; 0: no rule of its own */
} entries[] = {
	{"motd", 0644, false, LANDLOCK_READ | LANDLOCK_FILE},
	{"alternatives", 0755, true, LANDLOCK_READ},
	{"alternatives/awk", 0644, false, 0},
	{"shadow", 0644, false, 0},
	{"secret", 0600, false, 0},
	{"closed", 0700, true, 0},
	{"ssh", 0755, true, LANDLOCK_LIST},
	{"ssh/ssh_config", 0644, false, LANDLOCK_READ | LANDLOCK_FILE},
	{"ssh/ssh_host_rsa_key", 0644, false, 0},
	{"ssl", 0755, true, LANDLOCK_LIST},
	{"ssl/certs", 0755, true, LANDLOCK_READ},
	{"ssl/private", 0755, true, 0},
};

static char folder[64];

/* The rights of the place with that name below the folder, or 0. */
static unsigned rights(const struct places *p, const char *name)
{
	char want[256], self[64], path[256];

	(void)snprintf(want, sizeof(want), "%s/%s", folder, name);
	for (size_t i = 0; i < p->count; i++) {
		ssize_t n;

		(void)snprintf(self, sizeof(self), "/proc/self/fd/%d",
		               p->place[i].fd);
		n = readlink(self, path, sizeof(path) - 1);
		assert_true(n > 0);
		path[n] = '\0';
		if (strcmp(path, want) == 0)
			return p->place[i].what;
	}
	return 0;
}

static void etc_is_allowed_name_by_name(void **state)
{
	struct places p = {0};
	int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	places_add_template(&p, "etc", fd);
	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		unsigned got = rights(&p, entries[i].name);

		if (got != entries[i].want)
			fail_msg("%s: %#x", entries[i].name, got);
	}
	places_fini(&p);
	places_add_template(&p, "usr", fd);
	assert_int_equal(p.count, 1);
	assert_int_equal(p.place[0].what, LANDLOCK_READ);
	places_fini(&p);
	close(fd);
}

static int make_folder(void **state)
{
	char path[160];

	(void)state;
	(void)umask(0);
	(void)snprintf(folder, sizeof(folder), "/tmp/bento-etc.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		int fd;

		(void)snprintf(path, sizeof(path), "%s/%s", folder,
		               entries[i].name);
		if (entries[i].folder) {
			if (mkdir(path, entries[i].mode) < 0)
				return -1;
			continue;
		}
		fd = open(path, O_CREAT | O_CLOEXEC, entries[i].mode);
		if (fd < 0)
			return -1;
		close(fd);
	}
	return 0;
}

static int remove_folder(void **state)
{
	char path[160];

	(void)state;
	for (size_t i = ARRAY_LEN(entries); i-- > 0;) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder,
		               entries[i].name);
		(void)remove(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(etc_is_allowed_name_by_name),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
