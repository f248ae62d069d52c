/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access control lists: acl(5).
 *
 * A list is the attribute system.posix_acl_access of a file, or the one called
 * system.posix_acl_default of a directory, which new files in it get theirs
 * from.  File systems only store these attributes, as they store others; here
 * is what they mean.  Inodes that have none are told by their may_have
 * (inode.h) and never come here.
 *
 * The mode of a file with a list is part of the list: owner and others as
 * ever, and the bits of the group are the list's mask.
 *
 * All of these may return -EWAIT, when the file system has to wait.
 */
#pragma once

#include "base/span.h"
#include "kernel/fs/inode.h"

struct posixacl;

/* Is it the name of one of the two attributes? */
bool posixacl_name(const char *name);

/*
 * inode_permission() of an inode that may have a list: 0, -EACCES, or what
 * reading the list failed with.
 */
must_check long posixacl_permission(struct inode *i, struct task *t, int mask);

/*
 * Gives the inode a list, or with an empty value takes it away; who asks must
 * be allowed to.  Its mode follows.  0, -EINVAL for what is no list,
 * -EOPNOTSUPP, -EACCES for a default list of what is no directory.
 */
must_check long posixacl_set(struct inode *i, struct task *t, struct span name,
                             struct span value);

/* After a chmod(2) of an inode that may have a list: the list follows. */
must_check long posixacl_chmod(struct inode *i, struct task *t);

/* What a new object gets from the directory it is made in. */
struct posixacl_heritage {
	struct posixacl *access;   /* NULL: its mode says all */
	struct posixacl *fallback; /* for what will be made in it; or NULL */
};

/*
 * Makes the mode of a new object (without the umask so far) what the
 * directory's default list and else the umask leave of it.  0 and *out, which
 * the caller gives to posixacl_bequeath() or posixacl_disown(); or -ENOMEM, -EIO.
 */
must_check long posixacl_inherit(struct inode *dir, struct task *t,
                                 uint32_t *mode, struct posixacl_heritage *out);

/* Gives the new object its lists, and forgets them. */
must_check long posixacl_bequeath(struct inode *made, struct task *t,
                                  struct posixacl_heritage *h);

/* Forgets them. */
void posixacl_disown(struct posixacl_heritage *h);
