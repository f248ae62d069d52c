/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/job.h"

#include "channel/launch.h"

#define JOB_MAGIC 0x626f6a42u /* "Bjob" */

static bool job_ok(const struct job *j)
{
	for (size_t i = 0; i < ARRAY_LEN(j->stream); i++)
		if (j->stream[i] > JOB_TERMINAL)
			return false;
	if (!wire_text_ok(j->user, JOB_USER_MAX))
		return false;
	if (j->cwd.size > 0 && !launch_path_ok(j->cwd))
		return false;
	return j->args.count > 0 && wire_list_ok(&j->args) &&
	       wire_list_ok(&j->env);
}

int job_parse(struct span wire, struct job *out)
{
	struct reader r = {.rest = wire};
	struct job j = {0};

	if (rd_le32(&r) != JOB_MAGIC)
		return -EPROTO;
	for (size_t i = 0; i < ARRAY_LEN(j.stream); i++)
		j.stream[i] = rd_u8(&r);
	j.rows = rd_le16(&r);
	j.columns = rd_le16(&r);
	j.user = rd_str32(&r);
	j.cwd = rd_str32(&r);
	wire_read_list(&r, &j.args);
	wire_read_list(&r, &j.env);
	if (!rd_end(&r) || !job_ok(&j))
		return -EPROTO;
	*out = j;
	return 0;
}

int job_format(const struct job *j, uint8_t **out, size_t *size)
{
	struct buffer b = {0};

	if (!job_ok(j))
		return -EINVAL;
	wire_put_le(&b, JOB_MAGIC, 4);
	for (size_t i = 0; i < ARRAY_LEN(j->stream); i++)
		wire_put_le(&b, j->stream[i], 1);
	wire_put_le(&b, j->rows, 2);
	wire_put_le(&b, j->columns, 2);
	wire_put_str(&b, j->user);
	wire_put_str(&b, j->cwd);
	wire_put_list(&b, &j->args);
	wire_put_list(&b, &j->env);
	return wire_take(&b, out, size);
}

uint32_t job_descriptors(const struct job *j)
{
	uint32_t count = 0;
	bool terminal = false;

	for (size_t i = 0; i < ARRAY_LEN(j->stream); i++) {
		count += j->stream[i] == JOB_DESCRIPTOR;
		terminal |= j->stream[i] == JOB_TERMINAL;
	}
	return count + terminal;
}
