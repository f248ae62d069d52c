/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/execcred.h"

#include <linux/securebits.h>
#include <sys/stat.h>

#include "kernel/fs/file.h"
#include "kernel/fs/filecap.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/world.h"
#include "kernel/task/cred.h"

/* What the file's capabilities come to. */
struct gained {
	bool by_file;   /* it has some */
	bool effective; /* they are to be in effect at once */
};

static void apply_set_ids(const struct execcred_of *of, struct cred *c)
{
	const struct inode *i = of->file->inode;

	if (of->no_new_privs)
		return;
	if (i->mode & S_ISUID)
		c->euid = i->uid;
	if ((i->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		c->egid = i->gid;
}

static long apply_file_caps(const struct execcred_of *of, struct cred *c,
                            struct gained *g)
{
	struct filecap f;
	long err = filecap_read(of->file->inode, of->t, &f);

	if (err == -ENODATA)
		return 0;
	/* Linux takes a damaged attribute for a program not to be run. */
	if (err < 0)
		return err;
	g->by_file = true;
	g->effective = f.effective;
	c->cap_permitted = (c->cap_bounding & f.permitted) |
	                   (c->cap_inheritable & f.inheritable);
	/* Who relies on them could not tell that some are missing. */
	return f.effective && (f.permitted & ~c->cap_permitted) ? -EPERM : 0;
}

/* Root's programs have all capabilities, whatever their files say. */
static void apply_root(struct cred *c, struct gained *g)
{
	if (c->securebits & SECBIT_NOROOT)
		return;
	/* But one that others run as root, and that has some, has those. */
	if (g->by_file && c->uid != 0 && c->euid == 0)
		return;
	if (c->uid == 0 || c->euid == 0)
		c->cap_permitted = c->cap_bounding | c->cap_inheritable;
	if (c->euid == 0)
		g->effective = true;
}

/* Where somebody else has a hand in what runs, it gets no more than it had. */
static void hold_back(const struct execcred_of *of, struct cred *c,
                      const struct cred *old)
{
	if (!of->no_new_privs && !of->shares_fs)
		return;
	if (of->no_new_privs || !cred_capable(old, CRED_CAP_SETUID)) {
		c->euid = c->uid;
		c->egid = c->gid;
	}
	c->cap_permitted &= old->cap_permitted;
}

static long transform(const struct execcred_of *of, struct cred *c,
                      bool *secure)
{
	const struct inode *i = of->file->inode;
	const struct mount *m = of->file->path.mount;
	const struct cred *old = of->t->cred;
	struct gained g = {0};
	bool set_id;
	long err = 0;

	c->cap_permitted = 0;
	if (i && m && !(m->flags & MOUNT_NOSUID)) {
		apply_set_ids(of, c);
		err = apply_file_caps(of, c, &g);
	}
	if (err < 0)
		return err;
	apply_root(c, &g);
	set_id = c->euid != old->uid || c->egid != old->gid;
	if (set_id || (c->cap_permitted & ~old->cap_permitted))
		hold_back(of, c, old);
	c->suid = c->fsuid = c->euid;
	c->sgid = c->fsgid = c->egid;
	if (g.by_file || set_id)
		c->cap_ambient = 0;
	c->cap_permitted |= c->cap_ambient;
	c->cap_effective = g.effective ? c->cap_permitted : c->cap_ambient;
	c->securebits &= ~(uint32_t)SECBIT_KEEP_CAPS;
	*secure = set_id ||
	          (c->uid != 0 &&
	           (g.effective || (c->cap_permitted & ~c->cap_ambient)));
	return 0;
}

long execcred_make(const struct execcred_of *of, struct cred **out,
                   bool *secure)
{
	struct cred *c = cred_copy(of->t->cred);
	long err;

	if (!c)
		return -ENOMEM;
	err = transform(of, c, secure);
	if (err < 0)
		cred_put(c);
	else
		*out = c;
	return err;
}
