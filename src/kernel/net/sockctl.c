/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/sockctl.h"

#include <string.h>

#include "kernel/fs/fd.h"
#include "kernel/net/scm.h"
#include "kernel/task/cred.h"
#include "kernel/task/process.h"

#define NOBODY 65534u

/* What has been found so far. */
struct parse {
	struct task *task;
	struct sockmsg *m;
	size_t count;
	int32_t fd[SCM_MAX_FILES];
};

/* Descriptors of several messages add up. */
static long take_rights(struct parse *p, struct span data)
{
	size_t n = data.size / sizeof(int32_t);

	if (n > SCM_MAX_FILES - p->count)
		return -EINVAL;
	if (n > 0)
		memcpy(p->fd + p->count, data.at, n * sizeof(int32_t));
	p->count += n;
	return 0;
}

static bool one_of(uint32_t id, uint32_t a, uint32_t b, uint32_t c)
{
	return id == a || id == b || id == c;
}

static long take_cred(struct parse *p, struct span data)
{
	const struct cred *c = p->task->cred;
	struct sockcred claim;

	if (data.size != sizeof(claim))
		return -EINVAL;
	memcpy(&claim, data.at, sizeof(claim));
	if (claim.pid != p->task->process->pid &&
	    !cred_capable(c, CRED_CAP_SYS_ADMIN))
		return -EPERM;
	if (!one_of(claim.uid, c->uid, c->euid, c->suid) &&
	    !cred_capable(c, CRED_CAP_SETUID))
		return -EPERM;
	if (!one_of(claim.gid, c->gid, c->egid, c->sgid) &&
	    !cred_capable(c, CRED_CAP_SETGID))
		return -EPERM;
	if (claim.pid != p->task->process->pid &&
	    !process_find(p->task->kernel, claim.pid))
		return -ESRCH;
	p->m->cred = claim;
	p->m->has_cred = true;
	return 0;
}

static long take_socket(struct parse *p, const struct socket *s,
                        const struct cmsg *c)
{
	switch (c->type) {
	case SCM_RIGHTS:
		return s->family == AF_UNIX ? take_rights(p, c->data) : 0;
	case SCM_CREDENTIALS:
		return s->family == AF_UNIX || s->family == AF_NETLINK
		               ? take_cred(p, c->data)
		               : 0;
	case SO_TIMESTAMPING_OLD:
	case SO_MARK:
		return c->data.size == 4 ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

/* An int from `least` to 255; -1 stands for what the socket has. */
static long take_number(struct span data, int32_t least, uint8_t *out,
                        bool *has)
{
	int32_t n;

	if (data.size != sizeof(n))
		return -EINVAL;
	memcpy(&n, data.at, sizeof(n));
	if (n < least || n > 255)
		return -EINVAL;
	*has = n >= 0;
	*out = (uint8_t)n;
	return 0;
}

/* The address a datagram is to come from, in IP_PKTINFO's ipi_spec_dst. */
static long take_ip(struct parse *p, const struct cmsg *c)
{
	struct in_pktinfo info;

	switch (c->type) {
	case IP_PKTINFO:
		if (c->data.size != sizeof(info))
			return -EINVAL;
		memcpy(&info, c->data.at, sizeof(info));
		p->m->has_source = info.ipi_spec_dst.s_addr != 0;
		sockname_clear(&p->m->source, AF_INET,
		               sizeof(struct sockaddr_in));
		p->m->source.in.sin_addr = info.ipi_spec_dst;
		return 0;
	case IP_TTL:
		return take_number(c->data, 1, &p->m->hops, &p->m->has_hops);
	case IP_TOS:
		if (c->data.size == 1) {
			p->m->class = c->data.at[0];
			p->m->has_class = true;
			return 0;
		}
		return take_number(c->data, 0, &p->m->class, &p->m->has_class);
	default:
		return -EINVAL;
	}
}

static long take_ipv6(struct parse *p, const struct cmsg *c)
{
	struct in6_pktinfo info;

	switch (c->type) {
	case IPV6_PKTINFO:
		if (c->data.size < sizeof(info))
			return -EINVAL;
		memcpy(&info, c->data.at, sizeof(info));
		sockname_clear(&p->m->source, AF_INET6,
		               sizeof(struct sockaddr_in6));
		p->m->source.in6.sin6_addr = info.ipi6_addr;
		p->m->has_source = true;
		return 0;
	case IPV6_HOPLIMIT:
		return take_number(c->data, -1, &p->m->hops, &p->m->has_hops);
	case IPV6_TCLASS:
		return take_number(c->data, -1, &p->m->class, &p->m->has_class);
	case IPV6_DONTFRAG:
		return c->data.size == 4 ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

static long take(struct parse *p, struct socket *s, const struct cmsg *c)
{
	bool datagram = s->type == SOCK_DGRAM;

	if (c->level == SOL_SOCKET)
		return take_socket(p, s, c);
	if (c->level == SOL_IP && datagram &&
	    (s->family == AF_INET || s->family == AF_INET6))
		return take_ip(p, c);
	if (c->level == SOL_IPV6 && datagram && s->family == AF_INET6)
		return take_ipv6(p, c);
	/* A datagram's own level asks for what we do not do. */
	if (c->level == SOL_UDP && datagram && s->family != AF_UNIX)
		return -EINVAL;
	return 0;
}

long sockctl_parse(struct task *t, struct socket *s, struct span wire,
                   struct sockmsg *m)
{
	struct reader r = {.rest = wire};
	struct parse p = {.task = t, .m = m};
	struct cmsg c;
	int more;

	while ((more = cmsg_next(&r, &c)) > 0) {
		long err = take(&p, s, &c);

		if (err < 0)
			return err;
	}
	if (more < 0)
		return more;
	return p.count > 0 ? scm_take(t, p.fd, p.count, &m->files) : 0;
}

static void put_rights(struct task *t, struct sockmsg *m,
                       struct sockctl_fds *fds)
{
	size_t room = cmsg_room(m->control) / sizeof(int32_t);
	size_t want = MIN(room, (size_t)m->files->count);

	while (fds->count < want &&
	       fd_reserve(t, 0, 1, &fds->fd[fds->count]) == 0)
		fds->count++;
	if (fds->count > 0)
		cmsg_put(m->control, SOL_SOCKET, SCM_RIGHTS, fds->fd,
		         fds->count * sizeof(int32_t));
	if (fds->count < m->files->count)
		m->out_flags |= MSG_CTRUNC;
}

void sockctl_build(struct task *t, struct socket *s, struct sockmsg *m,
                   struct sockctl_fds *fds)
{
	struct sockcred nobody = {0, NOBODY, NOBODY};

	fds->count = 0;
	if (s->opt.pass_cred &&
	    (s->family == AF_UNIX || s->family == AF_NETLINK))
		cmsg_put(m->control, SOL_SOCKET, SCM_CREDENTIALS,
		         m->has_cred ? &m->cred : &nobody, sizeof(nobody));
	if (m->files)
		put_rights(t, m, fds);
	if (m->control->truncated)
		m->out_flags |= MSG_CTRUNC;
}

void sockctl_install(struct task *t, struct sockmsg *m,
                     const struct sockctl_fds *fds)
{
	for (size_t i = 0; i < fds->count; i++)
		fd_install(t, fds->fd[i], file_get(m->files->file[i]),
		           m->flags & MSG_CMSG_CLOEXEC);
	scm_drop(m->files);
	m->files = NULL;
}

void sockctl_release(struct task *t, struct sockmsg *m,
                     const struct sockctl_fds *fds)
{
	if (fds->count > 0)
		fd_release(t, fds->count, fds->fd);
	scm_drop(m->files);
	m->files = NULL;
}
