/* SPDX-License-Identifier: Apache-2.0 */
#include "base/landlock.h"

#include <linux/landlock.h>
#include <sys/syscall.h>

#include "base/probe.h"

/* Landlock as of ABI 6; the headers of Debian 12 know ABI 2. */
struct ruleset {
	uint64_t handled_access_fs;
	uint64_t handled_access_net; /* from ABI 4 on */
	uint64_t scoped;             /* from ABI 6 on */
};

#define FS_TRUNCATE  (1ull << 14)
#define FS_IOCTL_DEV (1ull << 15)
#define NET_ALL      3ull /* bind and connect of TCP */

#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_WRITE                                                         \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |  \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM |     \
	 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SOCK |   \
	 LANDLOCK_ACCESS_FS_REFER | FS_TRUNCATE)
#define FS_OF_FILES                                                   \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	 LANDLOCK_ACCESS_FS_READ_FILE | FS_TRUNCATE)

/* Every right to files an ABI version knows, and thereby takes away. */
static uint64_t fs_rights(int abi)
{
	uint64_t all = (1ull << 13) - 1;

	if (abi >= 2)
		all |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		all |= FS_TRUNCATE;
	if (abi >= 5)
		all |= FS_IOCTL_DEV;
	return all;
}

static uint64_t place_rights(unsigned what)
{
	uint64_t rights = 0;

	if (what & LANDLOCK_READ)
		rights |= FS_READ;
	if (what & LANDLOCK_LIST)
		rights |= LANDLOCK_ACCESS_FS_READ_DIR;
	if (what & LANDLOCK_WRITE)
		rights |= FS_WRITE;
	if (what & LANDLOCK_SOCKETS)
		rights |= LANDLOCK_ACCESS_FS_MAKE_SOCK |
		          LANDLOCK_ACCESS_FS_REMOVE_FILE;
	if (what & LANDLOCK_EXECUTE)
		rights |= LANDLOCK_ACCESS_FS_EXECUTE;
	return what & LANDLOCK_FILE ? rights & FS_OF_FILES : rights;
}

int landlock_plan(const struct landlock_place *place, size_t count,
                  unsigned scope, struct fault *f)
{
	int abi = probe_landlock();
	struct ruleset set = {
		.handled_access_fs = fs_rights(abi),
		.handled_access_net = abi >= 4 ? NET_ALL : 0,
		.scoped = abi >= 6 ? scope : 0,
	};
	size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
	autoclose int ruleset = -1;

	if (abi == 0)
		return fault_set(f, -EOPNOTSUPP, "this host has no Landlock");
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &set, size, 0);
	if (ruleset < 0)
		return fault_errno(f, "make a Landlock ruleset");
	for (size_t i = 0; i < count; i++) {
		struct landlock_path_beneath_attr rule = {
			.allowed_access = place_rights(place[i].what) &
		                          set.handled_access_fs,
			.parent_fd = place[i].fd,
		};

		if (syscall(SYS_landlock_add_rule, ruleset,
		            LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
			return fault_errno(f, "allow a folder in Landlock");
	}
	return take_fd(&ruleset);
}

int landlock_enter(int plan, struct fault *f)
{
	if (syscall(SYS_landlock_restrict_self, plan, 0) < 0)
		return fault_errno(f, "enter the Landlock domain");
	return 0;
}
