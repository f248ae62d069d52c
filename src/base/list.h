/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Doubly linked lists whose links live in the members.  A `struct list` is
 * either the head of a list or a link in one; an empty list, or a link in no
 * list, points to itself.
 */
#pragma once

#include "base/base.h"

struct list {
	struct list *next;
	struct list *prev;
};

static inline void list_init(struct list *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

/* Puts `link`, which is in no list, before `at`: at the end for a head. */
static inline void list_add_tail(struct list *at, struct list *link)
{
	link->next = at;
	link->prev = at->prev;
	at->prev->next = link;
	at->prev = link;
}

/* Puts `link`, which is in no list, after `at`: at the front for a head. */
static inline void list_add(struct list *at, struct list *link)
{
	list_add_tail(at->next, link);
}

/* Takes a link out of its list.  Harmless if it is in none. */
static inline void list_del(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

#define list_entry(link, type, member) container_of(link, type, member)
#define list_first(head, type, member) list_entry((head)->next, type, member)

#define list_for_each(at, head) \
	for (struct list *at = (head)->next; at != (head); at = at->next)

/* The same, when the body may take `at` (and only `at`) out of the list. */
#define list_for_each_safe(at, head)                                \
	for (struct list *at = (head)->next, *at##_next = at->next; \
	     at != (head); at = at##_next, at##_next = at##_next->next)
