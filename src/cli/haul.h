/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File copies between the user's session and a qube, as the user's own calls.
 */
#pragma once

#include "cli/dial.h"

#define HAUL_WHY_MAX 256u

/*
 * The end of a call: closes its streams, and waits for what becomes of the
 * service.  0 if that ended well; -ENOSYS, there was none; else -EREMOTEIO and
 * why, in the words of the qube if it has any.
 */
must_check int haul_end(int streams[CALLMSG_STREAMS], const char *qube,
                        const char *service, struct fault *f);

struct haul {
	int *streams; /* of the call; borrowed, those used are closed */
	int folder;   /* where it goes; borrowed */
	bool all_names;
	void (*progress)(void *ctx, uint64_t bytes, uint64_t files);
	void *ctx;
};

/*
 * Receives what the qube sends, in a process that has nothing but that folder
 * (src/receive).  0 and how much there was; or a negative errno and why.
 */
must_check int haul_receive(const struct haul *h, uint64_t *bytes,
                            uint64_t *files, struct fault *f);
