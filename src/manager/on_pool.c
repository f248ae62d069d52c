/* SPDX-License-Identifier: Apache-2.0 */
/* admin.pool.*: there is one pool, "file": the folder of volumes. */
#include "manager/handlers.h"
#include "manager/manager.h"
#include "manager/property_compute.h"

#include <linux/fscrypt.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>

#define POOL   "file"
#define RECORD "pool/" POOL

static int check_pool(struct call *c)
{
	if (strcmp(c->argument, POOL) != 0)
		return call_fail(c, EX_QubesPoolNotFoundError,
		                 "no pool '%.200s': there is '" POOL "'",
		                 c->argument);
	return 0;
}

int on_pool_list(struct call *c)
{
	buffer_text(&c->answer, POOL "\n");
	return 0;
}

int on_pool_drivers(struct call *c)
{
	buffer_text(&c->answer, "file dir_path revisions_to_keep "
	                        "ephemeral_volatile\n");
	return 0;
}

/* Bytes of the host's file system that holds the pool. */
static void usage(const struct call *c, unsigned long long *size,
                  unsigned long long *used)
{
	struct statvfs fs = {0};

	(void)fstatvfs(c->m->volumes, &fs);
	*size = (unsigned long long)fs.f_blocks * fs.f_frsize;
	*used = (unsigned long long)(fs.f_blocks - fs.f_bavail) * fs.f_frsize;
}

/* Could the file system below encrypt by itself? */
static const char *fscrypt(const struct call *c)
{
	struct fscrypt_get_policy_ex_arg a = {.policy_size = sizeof(a.policy)};

	if (ioctl(c->m->volumes, FS_IOC_GET_ENCRYPTION_POLICY_EX, &a) == 0)
		return "on";
	return errno == ENODATA ? "possible" : "no";
}

int on_pool_info(struct call *c)
{
	char record[64] = "";
	unsigned long long size, used;
	int err = check_pool(c);

	if (err < 0)
		return err;
	usage(c, &size, &used);
	(void)!ledger_text(c->m->ledger, RECORD, record, sizeof(record));
	buffer_printf(&c->answer,
	              "name=" POOL "\ndriver=file\ndir_path=%s/volumes\n"
	              "%s\nephemeral_volatile=False\nsize=%llu\nusage=%llu\n"
	              "fscrypt=%s\n",
	              c->m->paths.at[PATHS_DATA], record, size, used,
	              fscrypt(c));
	return 0;
}

int on_pool_usage(struct call *c)
{
	unsigned long long size, used;
	int err = check_pool(c);

	if (err < 0)
		return err;
	usage(c, &size, &used);
	buffer_printf(&c->answer, "data_size=%llu\ndata_usage=%llu\n", size,
	              used);
	return 0;
}

int on_pool_add(struct call *c)
{
	return call_fail(c, EX_QubesNotImplementedError,
	                 "there is one pool, '" POOL "'");
}

int on_pool_remove(struct call *c)
{
	int err = check_pool(c);

	if (err < 0)
		return err;
	return call_fail(c, EX_QubesPoolInUseError,
	                 "'" POOL "' is the only pool");
}

int on_pool_keep(struct call *c)
{
	char text[32], record[64];
	uint64_t n;
	int err = check_pool(c);

	if (err == 0)
		err = call_text(c, text, sizeof(text), false);
	if (err < 0)
		return err;
	if (!property_compute_number(text, &n) || n > 1000)
		return call_fail(c, EX_QubesValueError,
		                 "revisions_to_keep is from 0 to 1000");
	(void)snprintf(record, sizeof(record), "revisions_to_keep=%llu",
	               (unsigned long long)n);
	ledger_put_text(c->m->ledger, RECORD, record);
	return 0;
}

int on_pool_ephemeral(struct call *c)
{
	int err = check_pool(c);

	if (err < 0)
		return err;
	if (!span_is(c->request.payload, "False"))
		return call_fail(
			c, EX_QubesNotImplementedError,
			"volatile volumes are gone at the end, and not "
			"encrypted");
	return 0;
}

int on_pool_volumes(struct call *c)
{
	struct ledger_walk w;
	struct qube q;
	int err = check_pool(c);

	if (err < 0)
		return err;
	qube_walk_begin(&w, c->m->ledger);
	while (qube_walk_next(&w, &q)) {
		if (q.class == QUBE_AdminVM)
			continue;
		if (q.class == QUBE_TemplateVM || q.class == QUBE_StandaloneVM)
			buffer_printf(&c->answer, "%s/root\n", q.uuid);
		if (q.class != QUBE_DispVM && q.class != QUBE_RemoteVM)
			buffer_printf(&c->answer, "%s/private\n", q.uuid);
	}
	qube_walk_end(&w);
	return 0;
}
