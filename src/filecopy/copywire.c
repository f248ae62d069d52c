/* SPDX-License-Identifier: Apache-2.0 */
#include "filecopy/copywire.h"

#include <sys/stat.h>

#define NSEC_MAX 999999999u

static uint8_t *put32(uint8_t *at, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		*at++ = (uint8_t)(v >> 8 * i);
	return at;
}

static uint8_t *put64(uint8_t *at, uint64_t v)
{
	at = put32(at, (uint32_t)v);
	return put32(at, (uint32_t)(v >> 32));
}

void copywire_put_header(uint8_t out[static COPYWIRE_HEADER_SIZE],
                         const struct copywire_header *h)
{
	out = put32(out, h->name_size);
	out = put32(out, h->mode);
	out = put64(out, h->size);
	out = put32(out, h->atime);
	out = put32(out, h->atime_nsec);
	out = put32(out, h->mtime);
	(void)put32(out, h->mtime_nsec);
}

static int check_header(const struct copywire_header *h)
{
	if (h->name_size == 0) /* the end: nothing else counts */
		return 0;
	if (h->name_size > COPYWIRE_NAME_MAX)
		return -ENAMETOOLONG;
	if (h->name_size == 1 || h->atime_nsec > NSEC_MAX ||
	    h->mtime_nsec > NSEC_MAX)
		return -EINVAL;
	switch (h->mode & S_IFMT) {
	case S_IFREG:
		return h->size > INT64_MAX ? -EFBIG : 0;
	case S_IFDIR:
		return h->size > 0 ? -EINVAL : 0;
	case S_IFLNK:
		if (h->size > COPYWIRE_NAME_MAX)
			return -ENAMETOOLONG;
		return h->size == 0 ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

int copywire_get_header(struct span wire, struct copywire_header *out)
{
	struct reader r = {.rest = wire};

	out->name_size = rd_le32(&r);
	out->mode = rd_le32(&r);
	out->size = rd_le64(&r);
	out->atime = rd_le32(&r);
	out->atime_nsec = rd_le32(&r);
	out->mtime = rd_le32(&r);
	out->mtime_nsec = rd_le32(&r);
	return rd_end(&r) ? check_header(out) : -EINVAL;
}

void copywire_put_result(uint8_t out[static COPYWIRE_RESULT_SIZE],
                         const struct copywire_result *r)
{
	out = put32(out, r->error);
	out = put32(out, 0);
	(void)put64(out, r->crc);
}

struct copywire_result copywire_get_result(struct span wire)
{
	struct reader r = {.rest = wire};
	struct copywire_result got;

	got.error = rd_le32(&r);
	(void)rd_le32(&r);
	got.crc = rd_le64(&r);
	return got;
}
