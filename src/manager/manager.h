/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All of a manager's state hangs off this.
 */
#pragma once

#include <sys/resource.h>

#include "admin/paths.h"
#include "manager/events.h"
#include "manager/ledger.h"
#include "manager/reactor.h"

struct census;
struct listener;
struct notices;
struct policy_store;
struct preloads;
struct prompts;
struct verdicts;
struct domains;
struct keyring;
struct on_tar_ends;
struct workers;
struct spawner;

struct manager {
	struct paths paths;
	/* Folders that are held open. */
	int data, runtime, logs, volumes, doors;
	int life; /* the lock that says that we live; workers have it too */
	struct reactor *reactor;
	struct ledger *ledger;
	struct census *census; /* as it was last, or NULL; manager/census.h */
	struct events events;
	struct listener *listener;
	struct policy_store *policy;
	struct prompts *prompts;   /* manager/prompts.h */
	struct verdicts *verdicts; /* manager/verdicts.h */
	struct domains *domains;   /* qubes that run; manager/domain.h */
	struct workers *workers;   /* manager/worker.h */
	struct spawner *spawner;   /* manager/spawner.h */
	struct list trunks;        /* manager/trunk.h */
	struct list services;      /* programs of dom0; manager/dom0.h */
	uint64_t served_before;    /* calls we serve have numbers above this */
	uint64_t served;           /* the last of them */
	struct notices *notices;   /* manager/notices.h */
	struct preloads *preloads; /* manager/preload.h */
	struct keyring *keys;      /* of encrypted volumes */
	struct on_tar_ends *ends;  /* of exports; NULL: there was none */
	rlim_t usual_files; /* the limit of descriptors of the user's programs */
};
