/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A helper sees a job's buffers only: which file, the hashes its blocks must
 * have, room for what it reads.  It notes how many were right from the first
 * one on; bits are set on the kernel's thread.  The file system stays as long
 * as a job of it is under way.
 */
#include "kernel/fs/erofs_check.h"

#include <sys/uio.h>

#include "kernel/core/limits.h"
#include "kernel/core/work.h"

#define AT_ONCE 32u   /* blocks checked without a helper, at most */
#define JOB_MAX 4096u /* blocks of one job */
#define PIECE   32u   /* blocks a helper reads in one go */

struct job {
	struct work work;
	struct task *task; /* NULL: nobody waits any more */
	struct erofs *fs;
	int fd;
	uint64_t offset; /* of the first block, in that file */
	uint64_t first;  /* block */
	uint32_t count;
	uint32_t right;
	bool done;
	uint8_t piece[PIECE * ONDISK_BLOCK];
	uint8_t hash[]; /* SHA256_SIZE bytes for each */
};

static bool get_bit(const uint8_t *bits, uint64_t n)
{
	return bits[n / 8] >> (n % 8) & 1;
}

static void set_bit(uint8_t *bits, uint64_t n)
{
	bits[n / 8] = (uint8_t)(bits[n / 8] | 1u << (n % 8));
}

int erofs_check_place(const struct erofs *fs, uint64_t n, uint64_t *offset)
{
	bool main = n < fs->image.main_blocks;

	*offset = (main ? n : n - fs->image.main_blocks) * ONDISK_BLOCK;
	return main ? fs->files.main_fd : fs->files.data_fd;
}

static size_t job_size(const struct job *j)
{
	return sizeof(*j) + (size_t)j->count * SHA256_SIZE;
}

static void job_free(struct job *j)
{
	struct superblock *sb = j->fs->sb;

	limits_free(j->fs->kernel, j, job_size(j));
	inode_superblock_put(sb);
}

/* How many of the blocks in the buffer have their hashes. */
static uint32_t count_right(const uint8_t *bytes, const uint8_t *hash,
                            uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint8_t got[SHA256_SIZE];

		sha256((struct span){bytes + (size_t)i * ONDISK_BLOCK,
		                     ONDISK_BLOCK},
		       got);
		if (memcmp(got, hash + (size_t)i * SHA256_SIZE, SHA256_SIZE) !=
		    0)
			return i;
	}
	return count;
}

static void job_run(struct work *w)
{
	struct job *j = container_of(w, struct job, work);

	while (j->right < j->count) {
		uint32_t count = MIN(PIECE, j->count - j->right);
		size_t size = (size_t)count * ONDISK_BLOCK;
		uint32_t right;

		if (pread(j->fd, j->piece, size,
		          (off_t)(j->offset +
		                  (uint64_t)j->right * ONDISK_BLOCK)) !=
		    (ssize_t)size)
			break;
		right = count_right(j->piece,
		                    j->hash + (size_t)j->right * SHA256_SIZE,
		                    count);
		j->right += right;
		if (right < count)
			break;
	}
}

static void job_done(struct work *w)
{
	struct job *j = container_of(w, struct job, work);

	for (uint32_t i = 0; i < j->right; i++)
		set_bit(j->fs->good, j->first + i);
	if (j->right < j->count)
		set_bit(j->fs->bad, j->first + j->right);
	j->done = true;
	if (j->task)
		task_wake(j->task);
	else
		job_free(j);
}

/* The call ended, with or without what the helper did. */
static void job_drop(struct task *t)
{
	struct job *j = t->job;

	t->job = NULL;
	j->task = NULL;
	if (j->done)
		job_free(j);
}

static int take_hashes(struct erofs *fs, uint64_t first, uint32_t count,
                       uint8_t *to)
{
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *hash;
		int err = merkle_hash(&fs->tree, first + i, &hash);

		if (err < 0)
			return err;
		memcpy(to + (size_t)i * SHA256_SIZE, hash, SHA256_SIZE);
	}
	return 0;
}

/* -EWAIT, or why not. */
static long job_start(struct erofs *fs, struct task *t, uint64_t first,
                      uint32_t count)
{
	size_t size = sizeof(struct job) + (size_t)count * SHA256_SIZE;
	struct job *j;
	int err;

	if (t->job && t->job_drop)
		t->job_drop(t);
	j = limits_alloc(fs->kernel, size);
	if (!j)
		return -ENOMEM;
	j->work.run = job_run;
	j->work.done = job_done;
	j->task = t;
	j->fs = fs;
	j->first = first;
	j->count = count;
	j->fd = erofs_check_place(fs, first, &j->offset);
	err = take_hashes(fs, first, count, j->hash);
	if (err == 0)
		err = work_submit(fs->kernel->workers, &j->work);
	if (err < 0) {
		limits_free(fs->kernel, j, size);
		return err;
	}
	(void)inode_superblock_get(fs->sb);
	t->job = j;
	t->job_drop = job_drop;
	return task_sleep_deep(t);
}

/* One block here and now; -EAGAIN if the host would have to wait for it. */
static long check_now(struct erofs *fs, uint64_t n, bool wait)
{
	uint8_t *block = fs->kernel->scratch;
	struct iovec iov = {block, ONDISK_BLOCK};
	uint64_t offset;
	int fd = erofs_check_place(fs, n, &offset);
	ssize_t got = preadv2(fd, &iov, 1, (off_t)offset,
	                      wait ? 0 : RWF_NOWAIT);
	int err;

	if (got < 0 && !wait && (errno == EAGAIN || errno == EOPNOTSUPP))
		return -EAGAIN;
	err = got == ONDISK_BLOCK ? merkle_check(&fs->tree, n, block) : -EIO;
	if (err == -ENOMEM)
		return err;
	set_bit(err == 0 ? fs->good : fs->bad, n);
	return err;
}

/* The blocks from `n` on that one job can do: of one file, not yet checked. */
static uint32_t run_of(const struct erofs *fs, uint64_t n, uint64_t end)
{
	uint32_t count = 0;

	if (n < fs->image.main_blocks)
		end = MIN(end, fs->image.main_blocks);
	while (n + count < end && count < JOB_MAX &&
	       !get_bit(fs->good, n + count))
		count++;
	return count;
}

long erofs_check(struct erofs *fs, struct task *t, uint64_t at, uint64_t size)
{
	uint64_t n = at / ONDISK_BLOCK;
	uint64_t end = (at + size + ONDISK_BLOCK - 1) / ONDISK_BLOCK;
	uint32_t now = 0;

	if (size == 0)
		return 0;
	if (end > fs->image.blocks)
		return -EIO;
	for (; n < end; n++) {
		uint32_t run;
		long err = -EAGAIN;

		if (get_bit(fs->bad, n))
			return -EIO;
		if (get_bit(fs->good, n))
			continue;
		run = t ? run_of(fs, n, end) : 0;
		if (run <= AT_ONCE && now++ < AT_ONCE)
			err = check_now(fs, n, !t);
		else if (!t)
			err = check_now(fs, n, true);
		if (err == -EAGAIN)
			return job_start(fs, t, n, run);
		if (err < 0)
			return err;
	}
	return 0;
}
