/* SPDX-License-Identifier: Apache-2.0 */
#include "template/tplkeys.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>

#include "admin/paths.h"

#define NAME "images"

static_assert(crypto_sign_BYTES == MERKLE_SIGNATURE, "ed25519");

/* The secret key, which has the public one as its second half. */
struct key {
	uint8_t bytes[crypto_sign_SECRETKEYBYTES];
};

static int read_key(int keys, struct key *k, struct fault *f)
{
	autoclose int fd = openat(keys, NAME,
	                          O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 077))
		return fault_set(f, -EPERM,
		                 "the key of your images (keys/%s) may be read "
		                 "by others: make it yours alone",
		                 NAME);
	if (read(fd, k->bytes, sizeof(k->bytes)) != sizeof(k->bytes))
		return fault_set(f, -EIO,
		                 "the key of your images (keys/%s) "
		                 "is cut short",
		                 NAME);
	return 0;
}

/* Makes one, unless somebody else just did. */
static int make_key(int keys, struct fault *f)
{
	uint8_t public[crypto_sign_PUBLICKEYBYTES];
	autoclose int fd = -1;
	char temporary[64];
	struct key k;
	int err = 0;

	(void)snprintf(temporary, sizeof(temporary), ".%s.%d", NAME,
	               (int)getpid());
	fd = openat(keys, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	            0600);
	if (fd < 0)
		return fault_errno(f, "make the key of your images");
	(void)crypto_sign_keypair(public, k.bytes);
	if (write(fd, k.bytes, sizeof(k.bytes)) != sizeof(k.bytes) ||
	    fsync(fd) < 0)
		err = fault_errno(f, "write the key of your images");
	if (err == 0 && linkat(keys, temporary, keys, NAME, 0) < 0 &&
	    errno != EEXIST)
		err = fault_errno(f, "put the key of your images in place");
	(void)unlinkat(keys, temporary, 0);
	sodium_memzero(&k, sizeof(k));
	return err;
}

static int get_key(int data, struct key *k, struct fault *f)
{
	autoclose int keys = -1;
	int err;

	if (sodium_init() < 0)
		return fault_set(f, -EIO, "libsodium does not start");
	keys = paths_open_below(data, "keys", f);
	if (keys < 0)
		return keys;
	err = read_key(keys, k, f);
	if (err != -ENOENT)
		return err;
	err = make_key(keys, f);
	if (err < 0)
		return err;
	err = read_key(keys, k, f);
	return err == -ENOENT
	               ? fault_set(f, err, "the key of your images vanished")
	               : err;
}

int tplkeys_sign(int data, struct merkle_head *head, struct fault *f)
{
	uint8_t root[SHA256_SIZE];
	struct key k;
	int err = get_key(data, &k, f);

	if (err < 0)
		return err;
	merkle_root(head, root);
	(void)crypto_sign_detached(head->signature, NULL, root, sizeof(root),
	                           k.bytes);
	sodium_memzero(&k, sizeof(k));
	return 0;
}

int tplkeys_verify(int data, const struct merkle_head *head, struct fault *f)
{
	uint8_t public[crypto_sign_PUBLICKEYBYTES];
	uint8_t root[SHA256_SIZE];
	struct key k;
	int err = get_key(data, &k, f);

	if (err < 0)
		return err;
	merkle_root(head, root);
	(void)crypto_sign_ed25519_sk_to_pk(public, k.bytes);
	sodium_memzero(&k, sizeof(k));
	if (crypto_sign_verify_detached(head->signature, root, sizeof(root),
	                                public) < 0)
		return fault_set(f, -EBADMSG,
		                 "its tree of hashes is not signed with your "
		                 "key: it was changed, or made by another");
	return 0;
}
