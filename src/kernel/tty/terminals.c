/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/tty/terminals.h"

#include "kernel/core/limits.h"
#include "kernel/tty/tty.h"

static int grow(struct kernel *k, struct terminals *ts)
{
	uint32_t room = ts->room ? ts->room * 2 : 16;
	struct tty **at;

	if (room > TERMINALS_MAX)
		return -ENOSPC;
	at = limits_alloc(k, room * sizeof(struct tty *));
	if (!at)
		return -ENOMEM;
	for (uint32_t i = 0; i < ts->room; i++)
		at[i] = ts->at[i];
	limits_free(k, ts->at, ts->room * sizeof(struct tty *));
	ts->at = at;
	ts->room = room;
	return 0;
}

int terminals_add(struct kernel *k, struct tty *t, uint32_t *index)
{
	struct terminals *ts = k->terminals;
	uint32_t i = 0;
	int err;

	if (!ts)
		ts = k->terminals = calloc(1, sizeof(*ts));
	if (!ts)
		return -ENOMEM;

	while (i < ts->room && ts->at[i])
		i++;
	if (i == ts->room) {
		err = grow(k, ts);
		if (err < 0)
			return err;
	}
	ts->at[i] = t;
	*index = i;
	return 0;
}

void terminals_remove(struct kernel *k, struct tty *t)
{
	if (terminals_find(k, t->index) == t)
		k->terminals->at[t->index] = NULL;
}

struct tty *terminals_find(struct kernel *k, uint32_t index)
{
	struct terminals *ts = k->terminals;

	return ts && index < ts->room ? ts->at[index] : NULL;
}

struct tty *terminals_next(struct kernel *k, uint32_t from)
{
	struct terminals *ts = k->terminals;

	for (uint32_t i = from; ts && i < ts->room; i++)
		if (ts->at[i])
			return ts->at[i];
	return NULL;
}

void terminals_fini(struct kernel *k)
{
	if (!k->terminals)
		return;
	limits_free(k, k->terminals->at,
	            k->terminals->room * sizeof(struct tty *));
	free(k->terminals);
	k->terminals = NULL;
}
