/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/ops.h"

#define OP(number, name, what) [(number)-OPS_FIRST] = {#name, op_##name},
static const struct row {
	const char *name;
	long (*run)(struct task *t);
} table[] = {
#include "channel/ops.def"
};

const char *ops_name(uint32_t nr)
{
	if (nr < OPS_FIRST || nr - OPS_FIRST >= ARRAY_LEN(table))
		return NULL;
	return table[nr - OPS_FIRST].name;
}

long ops_run(struct task *t)
{
	uint32_t i = t->req.nr - OPS_FIRST;

	if (i >= ARRAY_LEN(table) || !table[i].run)
		return -ENOSYS;
	return table[i].run(t);
}
