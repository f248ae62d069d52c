/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files domain*.c know of a domain, and nobody else.
 */
#pragma once

#include "channel/control.h"
#include "manager/domain.h"
#include "manager/reactor.h"

struct domain_unlock;
struct plan;
struct plan_lock;
struct trunk;

#define DOMAIN_NO_COOKIE 1u /* of orders nobody waits for */

struct domain {
	struct list link;
	struct manager *m;
	uint32_t id;
	char name[QUBE_NAME_MAX + 1];
	char uuid[QUBE_UUID_SIZE];
	bool once;       /* a disposable that goes with its last call */
	uint32_t caller; /* the qube whose call it was made for, or 0 */
	bool unwanted;   /* it is to end as soon as that can be told */
	bool ask;        /* the user may be asked for passphrases */
	char caller_name[QUBE_NAME_MAX + 1]; /* for whose call; "": nobody's */
	struct domain_unlock *unlock;        /* it waits for one; or NULL */
	struct trunk *trunk; /* its connection for calls, or NULL */
	enum domain_state state;
	int64_t start_time;
	struct reactor_watch control; /* messages of the kernel */
	struct reactor_watch report;  /* the keeper's, while it starts */
	struct reactor_watch keeper;  /* its pidfd; fd -1: not known */
	pid_t pid;         /* the keeper's; 0: not to be waited for */
	struct plan *plan; /* NULL: of one that was found */
	struct reactor_timer patience; /* of a start, then of an end */
	uint64_t seconds;              /* that a start may take */
	struct list starters;          /* calls that wait for it to run */
	struct list waiters;           /* others that do */
	struct list enders;            /* ... to have ended */
	struct list orders;            /* ... for an answer */
	bool left;                     /* only the keeper is to be waited for */
	uint64_t memory, tasks, cpu_ns;
};

struct domains {
	struct manager *m;
	struct list all;
	struct list leaving; /* of them only the keepers are left */
	uint64_t cookie;     /* the last that was given */
	struct reactor_timer stats;
	struct list surveys; /* domain_stats.c */
};

/* NULL if it is halted. */
struct domain *domain_find(const struct manager *m, uint32_t id);

/* One that is about to start; NULL without memory. */
struct domain *domain_create(struct manager *m, const struct qube *q);
void domain_destroy(struct domain *d);

/* Removes the name of its door, behind which nobody is. */
void domain_forget_door(const struct manager *m, const char *name);

/*
 * One that has not started after so many seconds is ended, and whoever waits for
 * it is told at once.
 */
void domain_hurry(struct domain *d, uint64_t seconds);

/* Connects to the kernel, whose qube runs from now on.  0 or a negative errno. */
must_check int domain_meet(struct domain *d, struct fault *f);

/* It has ended, or never began: all who wait are told why, and `d` goes. */
void domain_halted(struct domain *d, const char *why);

/*
 * domain_launch.c: begins a start, in a transaction that reads.  0, and the domain
 * is there.  `caller` as in domain_want(); "": no qube's call.
 */
must_check int domain_launch(struct manager *m, const struct qube *q,
                             const char *caller, struct domain **out,
                             struct fault *f);

/* Begins again, behind an unlocked volume.  0 or a negative errno. */
must_check int domain_launch_again(struct domain *d, struct fault *f);

/*
 * domain_unlock.c: has the user asked for the passphrase of a volume, which
 * `why` says is locked; the start goes on with that, or the domain is halted.
 * Nothing of this happens at once.  0 or -ENOMEM.
 */
must_check int domain_unlock_begin(struct domain *d, const struct plan_lock *l,
                                   const char *why);
const char *domain_unlock_why(const struct domain *d);

/* Nobody is asked any more; without more, or so that `d` is halted soon. */
void domain_unlock_end(struct domain *d);
void domain_unlock_give_up(struct domain *d);

/* Tells its kernel something.  0 or a negative errno. */
must_check int domain_order(struct domain *d, enum control_kind kind,
                            uint64_t cookie, uint64_t value);

/* A cookie that no other order has. */
uint64_t domain_cookie(struct manager *m);

/*
 * domain_stats.c: the timer; what the kernel said last, as an event or in words; that
 * it has said so with this cookie, and never will: those who ask all wait for that.
 */
void domain_stats_init(struct domains *all);
void domain_stats_fini(struct domains *all);
void domain_stats_tell(struct domain *d);
void domain_stats_say(struct buffer *b, const struct domain *d);
bool domain_stats_heard(struct domain *d, uint64_t cookie);
void domain_stats_gone(struct domain *d);
