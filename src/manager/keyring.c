/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/keyring.h"

#include <string.h>
#include <sys/mman.h>

#include "volume/revision.h"

#define KEYS_MAX 2048u

struct keyring {
	struct entry {
		bool used;
		uint8_t uuid[16];
		uint8_t key[HEADER_KEY];
	} at[KEYS_MAX];
};

/* Zeroed pages that stay where they are, or NULL. */
static void *quiet_pages(size_t size, int flags, int fd)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (p == MAP_FAILED)
		return NULL;
	/* Where the host allows too little of it, keys can be swapped out. */
	(void)mlock(p, size);
	(void)madvise(p, size, MADV_DONTDUMP);
	return p;
}

int keyring_create(struct keyring **out, struct fault *f)
{
	struct keyring *k = quiet_pages(sizeof(*k), MAP_PRIVATE | MAP_ANONYMOUS,
	                                -1);

	if (!k)
		return fault_set(f, -ENOMEM, "out of memory");
	if (madvise(k, sizeof(*k), MADV_WIPEONFORK) < 0) {
		int err = fault_errno(f, "keep keys from other processes");

		keyring_destroy(k);
		return err;
	}
	*out = k;
	return 0;
}

void keyring_destroy(struct keyring *k)
{
	if (!k)
		return;
	explicit_bzero(k, sizeof(*k));
	(void)munmap(k, sizeof(*k));
}

static struct entry *find(const struct keyring *k, const uint8_t uuid[16])
{
	for (size_t i = 0; i < KEYS_MAX; i++)
		if (k->at[i].used && memcmp(k->at[i].uuid, uuid, 16) == 0)
			return (struct entry *)(uintptr_t)&k->at[i];
	return NULL;
}

int keyring_put(struct keyring *k, const uint8_t uuid[16],
                const uint8_t key[HEADER_KEY])
{
	struct entry *e = find(k, uuid);

	for (size_t i = 0; i < KEYS_MAX && !e; i++)
		if (!k->at[i].used)
			e = &k->at[i];
	if (!e)
		return -ENOSPC;
	memcpy(e->uuid, uuid, 16);
	memcpy(e->key, key, HEADER_KEY);
	e->used = true;
	return 0;
}

void keyring_drop(struct keyring *k, const uint8_t uuid[16])
{
	struct entry *e = find(k, uuid);

	if (e)
		explicit_bzero(e, sizeof(*e));
}

bool keyring_has(const struct keyring *k, const uint8_t uuid[16])
{
	return find(k, uuid) != NULL;
}

const uint8_t *keyring_bytes(const struct keyring_key *key)
{
	return key->has ? key->at : NULL;
}

int keyring_find(const struct keyring *k, int home, struct keyring_key *out,
                 struct fault *f)
{
	autoclose int live = revision_live(home, f);
	const struct entry *e;
	struct header h;
	int err = live < 0 ? live : header_load(live, &h, f);

	if (err < 0)
		return err;
	out->has = h.lock != HEADER_OPEN;
	if (!out->has)
		return 0;
	e = find(k, h.uuid);
	if (!e)
		return fault_set(
			f, -EKEYREJECTED, "is locked: its %s is wanted",
			h.lock == HEADER_KEYFILE ? "key file" : "passphrase");
	memcpy(out->at, e->key, sizeof(out->at));
	return 0;
}

struct keyring_box *keyring_box_open(int fd)
{
	return fd < 0 ? NULL
	              : quiet_pages(sizeof(struct keyring_box), MAP_SHARED, fd);
}

struct keyring_box *keyring_box(int *fd)
{
	autoclose int made = memfd_create("bento-secret", MFD_CLOEXEC);
	struct keyring_box *b = NULL;

	if (made >= 0 && ftruncate(made, sizeof(*b)) == 0)
		b = keyring_box_open(made);
	if (b)
		*fd = take_fd(&made);
	return b;
}

struct span keyring_secret(const struct keyring_box *b)
{
	return (struct span){b->secret, MIN(b->size, sizeof(b->secret))};
}

void keyring_unbox(struct keyring_box *b)
{
	if (!b)
		return;
	explicit_bzero(b, sizeof(*b));
	(void)munmap(b, sizeof(*b));
}
