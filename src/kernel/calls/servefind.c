/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/calls/servefind.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/fs/hand.h"
#include "qrexec/qrname.h"

#define LINK_MAX_SIZE 256

static bool missing(long err)
{
	return err == -ENOENT || err == -ENOTDIR || err == -ENAMETOOLONG;
}

static long look_up(struct task *t, const char *path, uint32_t flags,
                    struct path *out)
{
	long err = path_lookup(t, AT_FDCWD, path, flags, out);

	if (err == 0 && !path_inode(out)) {
		path_put(out);
		err = -ENOENT;
	}
	return err;
}

/* Is it a link that stands for an address?  -ENOENT: no. */
static int is_tcp(const struct path *p, struct span argument,
                  struct service_tcp *out)
{
	struct inode *i = path_inode(p);
	char target[LINK_MAX_SIZE];
	long size;

	if (!inode_is(i, S_IFLNK) || !i->ops->readlink)
		return -ENOENT;
	size = i->ops->readlink(i, NULL, target, sizeof(target));
	if (size <= 0 || size == sizeof(target))
		return -ENOENT;
	return service_tcp((struct span){(uint8_t *)target, (size_t)size},
	                   argument, out);
}

/* What is at out->path; -ENOENT: nothing. */
static int look_at(struct task *t, struct span argument, struct servefind *out)
{
	struct path p;
	long err = look_up(t, out->path, 0, &p);
	int tcp;

	if (err < 0)
		return missing(err) ? -ENOENT : (int)err;
	tcp = is_tcp(&p, argument, &out->tcp);
	path_put(&p);
	if (tcp != -ENOENT) {
		out->kind = SERVEFIND_TCP;
		return tcp;
	}
	err = look_up(t, out->path, PATH_FOLLOW, &p);
	if (err < 0)
		return missing(err) ? -ENOENT : (int)err;
	if (inode_is(path_inode(&p), S_IFSOCK)) {
		out->kind = SERVEFIND_SOCKET;
		out->at = p;
		return 0;
	}
	out->kind = SERVEFIND_PROGRAM;
	err = inode_is(path_inode(&p), S_IFREG) ? 0 : -EACCES;
	path_put(&p);
	return (int)err;
}

/* The first configuration there is; without one all is as usual. */
static int read_config(struct task *t, struct span full, struct rpcconfig *out,
                       struct fault *f)
{
	char path[SERVICE_PATH_ROOM];
	autofree uint8_t *text = malloc(RPCCONFIG_SIZE_MAX);
	uint32_t line = 0;
	struct path p;
	long n = -ENOENT;
	int err;

	*out = (struct rpcconfig){0};
	if (!text)
		return fault_set(f, -ENOMEM, "no memory");
	for (unsigned i = 0; missing(n) && service_config_place(full, i, path);
	     i++) {
		n = look_up(t, path, PATH_FOLLOW, &p);
		if (n < 0)
			continue;
		n = hand_read(t, &p, text, RPCCONFIG_SIZE_MAX);
		path_put(&p);
	}
	if (missing(n))
		return 0;
	if (n < 0)
		return fault_set(f, (int)n, "%s: %s", path, strerror((int)-n));
	err = rpcconfig_parse((struct span){text, (size_t)n}, out, &line);
	if (err < 0)
		return fault_set(f, err, "%s:%u: not a service's configuration",
		                 path, line);
	return 0;
}

int servefind_look(struct task *t, struct span full, struct servefind *out,
                   struct fault *f)
{
	struct span name, argument;
	int err = -ENOENT;

	(void)qrname_split(full, &name, &argument);
	*out = (struct servefind){0};
	for (unsigned i = 0;
	     err == -ENOENT && service_place(full, i, out->path); i++)
		err = look_at(t, argument, out);
	if (err < 0)
		return fault_set(f, err, "%s: %s", out->path, strerror(-err));
	err = read_config(t, full, &out->config, f);
	if (err < 0)
		path_put(&out->at);
	return err;
}
