/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes, where the file system has them. */
#include "check.h"

#include <sys/xattr.h>

int main(void)
{
	char buf[64];
	int fd;

	scratch();
	put_file("f", "");
	FAILS(getxattr("none", "user.x", buf, 64), ENOENT);
	FAILS(setxattr("f", "nodots", "v", 1, 0), EOPNOTSUPP);
	if (setxattr("f", "user.x", "value", 5, XATTR_CREATE) < 0) {
		EQ(errno, EOPNOTSUPP);
		SKIP("no user attributes on this file system");
	}
	FAILS(setxattr("f", "user.x", "v", 1, XATTR_CREATE), EEXIST);
	FAILS(setxattr("f", "user.y", "v", 1, XATTR_REPLACE), ENODATA);
	EQ(getxattr("f", "user.x", NULL, 0), 5);
	FAILS(getxattr("f", "user.x", buf, 3), ERANGE);
	EQ(getxattr("f", "user.x", buf, 64), 5);
	CHECK(!memcmp(buf, "value", 5));
	FAILS(getxattr("f", "user.none", buf, 64), ENODATA);
	fd = open("f", O_RDONLY);
	EQ(fgetxattr(fd, "user.x", buf, 64), 5);
	OK(close(fd));
	CHECK(listxattr("f", buf, 64) >= 7);
	OK(removexattr("f", "user.x"));
	FAILS(removexattr("f", "user.x"), ENODATA);
	return 0;
}
