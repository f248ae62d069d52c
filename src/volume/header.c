/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/header.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>

#define MAGIC      "bento-volume "
#define VERSION    "1"
#define NONCE      24u
#define KEYFILE    32u /* bytes at least */
#define OPS_MAX    64u
#define MEMORY_MAX ((uint64_t)4 << 30)

static_assert(HEADER_SALT == crypto_pwhash_SALTBYTES, "part of the format");
static_assert(NONCE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
              "part of the format");

void header_init(struct header *h)
{
	*h = (struct header){.lock = HEADER_OPEN};
	randombytes_buf(h->uuid, sizeof(h->uuid));
	randombytes_buf(h->names, sizeof(h->names));
}

/* ---- locks ---- */

/* The key that seals the volume key. */
static int outer_key(const struct header *h, struct span secret,
                     uint8_t key[HEADER_KEY], struct fault *f)
{
	if (h->lock == HEADER_KEYFILE) {
		if (secret.size < KEYFILE)
			return fault_set(f, -EINVAL,
			                 "a key file needs at least %u bytes",
			                 KEYFILE);
		crypto_generichash(key, HEADER_KEY, secret.at, secret.size,
		                   h->salt, sizeof(h->salt));
		return 0;
	}
	if (secret.size == 0)
		return fault_set(f, -EINVAL, "the passphrase is empty");
	if (crypto_pwhash(key, HEADER_KEY, (const char *)secret.at, secret.size,
	                  h->salt, h->ops, (size_t)h->memory,
	                  crypto_pwhash_ALG_ARGON2ID13) != 0)
		return fault_set(f, -ENOMEM,
		                 "no memory to turn a passphrase into a key");
	return 0;
}

int header_lock(struct header *h, enum header_lock how, struct span secret,
                const uint8_t key[HEADER_KEY], struct fault *f)
{
	struct header new = *h;
	uint8_t outer[HEADER_KEY];
	int err;

	assert(how != HEADER_OPEN);
	memset(new.names, 0, sizeof(new.names));
	new.lock = how;
	new.ops = crypto_pwhash_OPSLIMIT_INTERACTIVE;
	new.memory = crypto_pwhash_MEMLIMIT_INTERACTIVE;
	randombytes_buf(new.salt, sizeof(new.salt));
	err = outer_key(&new, secret, outer, f);
	if (err < 0)
		return err;
	randombytes_buf(new.wrapped, NONCE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(
		new.wrapped + NONCE, NULL, key, HEADER_KEY, new.uuid,
		sizeof(new.uuid), NULL, new.wrapped, outer);
	sodium_memzero(outer, sizeof(outer));
	*h = new;
	return 0;
}

int header_unlock(const struct header *h, struct span secret,
                  uint8_t key[HEADER_KEY], struct fault *f)
{
	uint8_t outer[HEADER_KEY];
	int err;

	if (h->lock == HEADER_OPEN)
		return fault_set(f, -EINVAL, "the volume is not encrypted");
	err = outer_key(h, secret, outer, f);
	if (err < 0)
		return err;
	err = crypto_aead_xchacha20poly1305_ietf_decrypt(
		key, NULL, NULL, h->wrapped + NONCE, HEADER_WRAPPED - NONCE,
		h->uuid, sizeof(h->uuid), h->wrapped, outer);
	sodium_memzero(outer, sizeof(outer));
	if (err != 0)
		return fault_set(f, -EKEYREJECTED, "wrong %s",
		                 h->lock == HEADER_KEYFILE ? "key file"
		                                           : "passphrase");
	return 0;
}

/* ---- text ---- */

static void hex(char **at, const char *word, const uint8_t *bytes, size_t size)
{
	*at += sprintf(*at, "%s ", word);
	(void)sodium_bin2hex(*at, 2 * size + 1, bytes, size);
	*at += 2 * size;
	*(*at)++ = '\n';
}

static void sum_of(const char *text, size_t size, uint8_t sum[8])
{
	static const uint8_t zero[crypto_shorthash_KEYBYTES];

	crypto_shorthash(sum, (const uint8_t *)text, size, zero);
}

size_t header_write(const struct header *h, char to[HEADER_MAX])
{
	char *at = to;
	uint8_t sum[8];

	at += sprintf(at, MAGIC VERSION "\n");
	hex(&at, "uuid", h->uuid, sizeof(h->uuid));
	if (h->lock == HEADER_OPEN) {
		hex(&at, "names", h->names, sizeof(h->names));
	} else if (h->lock == HEADER_PASSPHRASE) {
		at += sprintf(at, "passphrase %llu %llu",
		              (unsigned long long)h->ops,
		              (unsigned long long)h->memory);
		hex(&at, "", h->salt, sizeof(h->salt));
	} else {
		hex(&at, "keyfile", h->salt, sizeof(h->salt));
	}
	if (h->lock != HEADER_OPEN)
		hex(&at, "wrapped", h->wrapped, sizeof(h->wrapped));
	sum_of(to, (size_t)(at - to), sum);
	hex(&at, "sum", sum, sizeof(sum));
	return (size_t)(at - to);
}

/* Takes `text` if that is what comes next. */
static bool take_text(struct span *s, const char *text)
{
	size_t size = strlen(text);

	if (s->size < size || memcmp(s->at, text, size) != 0)
		return false;
	*s = span_from(*s, size);
	return true;
}

static bool take_hex(struct span *s, uint8_t *to, size_t size)
{
	size_t got;

	if (s->size < 2 * size ||
	    sodium_hex2bin(to, size, (const char *)s->at, 2 * size, NULL, &got,
	                   NULL) != 0 ||
	    got != size)
		return false;
	*s = span_from(*s, 2 * size);
	return take_text(s, "\n");
}

static bool take_number(struct span *s, uint64_t max, uint64_t *to)
{
	uint64_t n = 0;
	bool any = false;

	while (s->size && s->at[0] >= '0' && s->at[0] <= '9') {
		n = n * 10 + (uint64_t)(s->at[0] - '0');
		if (n > max)
			return false;
		any = true;
		*s = span_from(*s, 1);
	}
	*to = n;
	return any && take_text(s, " ");
}

static bool take_lock(struct span *s, struct header *h)
{
	if (take_text(s, "names ")) {
		h->lock = HEADER_OPEN;
		return take_hex(s, h->names, sizeof(h->names));
	}
	if (take_text(s, "passphrase ")) {
		h->lock = HEADER_PASSPHRASE;
		if (!take_number(s, OPS_MAX, &h->ops) ||
		    !take_number(s, MEMORY_MAX, &h->memory))
			return false;
	} else if (take_text(s, "keyfile ")) {
		h->lock = HEADER_KEYFILE;
	} else {
		return false;
	}
	return take_hex(s, h->salt, sizeof(h->salt)) &&
	       take_text(s, "wrapped ") &&
	       take_hex(s, h->wrapped, sizeof(h->wrapped));
}

int header_parse(struct span text, struct header *h, struct fault *f)
{
	struct header got = {.lock = HEADER_OPEN};
	struct span s = text;
	uint8_t want[8];
	uint8_t sum[8];
	bool ok;

	if (!take_text(&s, MAGIC))
		return fault_set(f, -EIO, "this is not a volume");
	if (!take_text(&s, VERSION "\n"))
		return fault_set(f, -ENOTSUP,
		                 "the volume was made by a newer version");
	ok = take_text(&s, "uuid ") &&
	     take_hex(&s, got.uuid, sizeof(got.uuid)) && take_lock(&s, &got);
	sum_of((const char *)text.at, text.size - s.size, want);
	if (!ok || !take_text(&s, "sum ") || !take_hex(&s, sum, sizeof(sum)) ||
	    s.size != 0 || sodium_memcmp(sum, want, sizeof(sum)) != 0)
		return fault_set(f, -EIO, "the volume's header is damaged");
	*h = got;
	return 0;
}

int header_load(int dir_fd, struct header *h, struct fault *f)
{
	autoclose int fd = openat(dir_fd, "header",
	                          O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	uint8_t text[HEADER_MAX + 1];
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT
		               ? fault_set(f, -ENOENT, "there is no volume")
		               : fault_errno(f, "open the volume's header");
	n = read(fd, text, sizeof(text));
	if (n < 0)
		return fault_errno(f, "read the volume's header");
	if (n > (ssize_t)HEADER_MAX)
		return fault_set(f, -EIO, "the volume's header is damaged");
	return header_parse((struct span){text, (size_t)n}, h, f);
}

int header_store(int dir_fd, const struct header *h, struct fault *f)
{
	autoclose int fd = openat(
		dir_fd, "header.new",
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	char text[HEADER_MAX];
	size_t size = header_write(h, text);

	if (fd < 0 || write(fd, text, size) != (ssize_t)size || fsync(fd) < 0)
		return fault_errno(f, "write the volume's header");
	if (renameat(dir_fd, "header.new", dir_fd, "header") < 0 ||
	    fsync(dir_fd) < 0)
		return fault_errno(f, "put the volume's header in place");
	return 0;
}
