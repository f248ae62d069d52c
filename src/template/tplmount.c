/* SPDX-License-Identifier: Apache-2.0 */
#include "template/tplmount.h"

#include "supervise/order.h"

/* The current version of a template; or of what is in a folder, without one. */
static int open_either(struct tplmount *m, const char *name, int folder,
                       struct fault *f)
{
	struct tplstore store;
	int err = tplstore_open(&store, f);

	if (err < 0)
		return err;
	err = name ? tplstore_use(&store, name, &m->used, f)
	           : tplstore_use_linked(&store, folder, &m->used, f);
	tplstore_close(&store);
	if (err < 0)
		return err;
	m->root_fd = order_file("bento-root", m->used.root,
	                        sizeof(m->used.root), f);
	if (m->root_fd < 0) {
		tplstore_release(&m->used);
		return m->root_fd;
	}
	return 0;
}

int tplmount_open(struct tplmount *m, const char *name, struct fault *f)
{
	return open_either(m, name, -1, f);
}

int tplmount_open_linked(struct tplmount *m, int folder, struct fault *f)
{
	return open_either(m, NULL, folder, f);
}

int tplmount_add(const struct tplmount *m, struct start *s, struct fault *f)
{
	const int fds[] = {m->used.main_fd, m->used.tree_fd, m->root_fd,
	                   m->used.data_fd};
	const struct launch_mount mount = {
		.kind = LAUNCH_IMAGE,
		.fds = m->used.data_fd < 0 ? 3 : 4,
		.at = span_str("/"),
	};

	return start_mount(s, &mount, fds, f);
}

void tplmount_close(struct tplmount *m)
{
	tplstore_release(&m->used);
	base_close(&m->root_fd);
}
