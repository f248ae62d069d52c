/* SPDX-License-Identifier: Apache-2.0 */
#include "supervise/machine.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static const char *const folders[] = {
	"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc",
};
static_assert(ARRAY_LEN(folders) == MACHINE_FOLDERS, "one place for each");

static int open_folder(struct machine *m, const char *at, struct fault *f)
{
	uint32_t i = m->count;
	ssize_t n = readlink(at, m->folder[i].link, MACHINE_LINK_MAX);

	m->folder[i].link[n < 0 ? 0 : n] = '\0';
	m->folder[i].at = at;
	m->folder[i].fd = -1;
	if (n < 0) {
		int fd = open(at,
		              O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0)
			return errno == ENOENT ? 0
			                       : fault_errno(f, "open %s", at);
		m->folder[i].fd = fd;
	}
	m->count++;
	return 0;
}

/* Ours and nobody else's, or none: /var/tmp is everybody's. */
static int open_spill(void)
{
	autoclose int fd = -1;
	char path[64];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/var/tmp/bento-%u", getuid());
	(void)mkdir(path, 0700);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != getuid() ||
	    (st.st_mode & 07777) != 0700)
		return -1;
	return take_fd(&fd);
}

int machine_open(struct machine *m, struct fault *f)
{
	m->count = 0;
	m->spill = open_spill();
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		int err = open_folder(m, folders[i], f);

		if (err < 0) {
			machine_close(m);
			return err;
		}
	}
	return 0;
}

int machine_add(const struct machine *m, struct start *s, struct fault *f)
{
	int err = 0;

	for (uint32_t i = 0; i < m->count && err == 0; i++) {
		struct launch_mount mount = {
			.kind = LAUNCH_LINK,
			.at = span_str(m->folder[i].at),
			.from = span_str(m->folder[i].link),
		};

		if (m->folder[i].fd >= 0) {
			mount.kind = LAUNCH_TEMPLATE;
			mount.fds = 1;
		}
		err = start_mount(s, &mount, &m->folder[i].fd, f);
	}
	if (err == 0 && m->spill >= 0) {
		struct launch_mount mount = {
			.kind = LAUNCH_VOLATILE, .fds = 1, .at = span_str("/")};

		err = start_mount(s, &mount, &m->spill, f);
	}
	return err;
}

void machine_close(struct machine *m)
{
	base_close(&m->spill);
	for (uint32_t i = 0; i < m->count; i++)
		base_close(&m->folder[i].fd);
	m->count = 0;
}
