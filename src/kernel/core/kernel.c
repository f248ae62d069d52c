/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/core/kernel.h"

#include <stdio.h>

#include "kernel/core/work.h"

int kernel_init(struct kernel *k, uint64_t memory, uint32_t tasks)
{
	int err;

	*k = (struct kernel){
		.limits = {.total = memory, .memory = memory, .tasks = tasks}};
	list_init(&k->ready);
	list_init(&k->dying);
	list_init(&k->programs);
	k->boot_ns = timer_now();
	(void)snprintf(k->hostname, sizeof(k->hostname), "qube");
	(void)snprintf(k->domainname, sizeof(k->domainname), "(none)");
	err = loop_init(&k->loop);
	if (err < 0)
		return err;
	k->scratch = malloc(SCRATCH_SIZE);
	if (!k->scratch) {
		err = -ENOMEM;
		goto fini_loop;
	}
	err = work_create(&k->loop, &k->workers);
	if (err < 0)
		goto free_scratch;
	return 0;

free_scratch:
	free(k->scratch);
fini_loop:
	loop_fini(&k->loop);
	return err;
}

void kernel_fini(struct kernel *k)
{
	work_destroy(k->workers);
	free(k->scratch);
	loop_fini(&k->loop);
}
