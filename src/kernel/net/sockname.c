/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/sockname.h"

#include <string.h>

long sockname_read(struct task *t, uaddr_t at, uint32_t size,
                   struct sockname *out)
{
	if (size > sizeof(out->bytes))
		return -EINVAL;
	memset(out, 0, sizeof(*out));
	if (size > 0 && user_read(t, at, out->bytes, size) < 0)
		return -EFAULT;
	out->size = size;
	return 0;
}

long sockname_write(struct task *t, uaddr_t at, uaddr_t size,
                    const struct sockname *n)
{
	int32_t full = (int32_t)n->size;
	int32_t room;

	if (user_read(t, size, &room, sizeof(room)) < 0)
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	room = MIN(room, full);
	if (room > 0 && user_write(t, at, n->bytes, (size_t)room) < 0)
		return -EFAULT;
	return user_write(t, size, &full, sizeof(full));
}
