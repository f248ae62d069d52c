/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of threads and of the process.
 *
 * Guest tids are not the host's, so what Linux does natively when a thread
 * goes is ours to do: robust futexes are marked, the word of
 * set_tid_address(2) is cleared.
 */
#pragma once

#include "cell/stub/area.h"

/*
 * Ends the calling thread, whose guest is gone already.  The first host thread
 * of a process stays behind, asleep, for as long as others live.
 */
_Noreturn void end_thread(struct area *a);

/* Ends all threads. */
_Noreturn void end_process(int status);

/* Marks what is on the thread's robust list, and forgets the list. */
void end_robust_list(struct area *a);

/* The same for all threads: the process is about to ask for its end. */
void end_robust_lists(void);

/* Dies of a signal that no handler shall see. */
_Noreturn void end_by_signal(struct area *a, int sig);
