/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCI image layouts, as "skopeo copy ... oci:DIR:TAG" and the like write them:
 * index.json names a manifest, that its layers, each by the hash of its
 * contents.  The hashes are checked; so are not, beyond that, the contents.
 */
#include <fcntl.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "template/tplsource.h"

#define JSON_MAX ((size_t)4 << 20)
#define NESTED   3 /* an index may name another */
#define HEX      (2 * crypto_hash_sha256_BYTES)
#define REF_NAME "org.opencontainers.image.ref.name"
#define PIECE    ((size_t)256 * 1024)

struct layout {
	int folder;
	const char *tag; /* NULL: any, if there is only one */
	struct fault *fault;
};

/* "sha256:HEX" and nothing else: the rest becomes a path. */
static const char *hex_of(const char *digest)
{
	static const char prefix[] = "sha256:";
	const char *hex;

	if (!digest || strncmp(digest, prefix, strlen(prefix)) != 0)
		return NULL;
	hex = digest + strlen(prefix);
	if (strlen(hex) != HEX || strspn(hex, "0123456789abcdef") != HEX)
		return NULL;
	return hex;
}

static int hash_file(int fd, char to[HEX + 1], struct fault *f)
{
	autofree uint8_t *piece = malloc(PIECE);
	uint8_t hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;
	ssize_t n;

	if (!piece)
		return fault_set(f, -ENOMEM, "out of memory");
	(void)crypto_hash_sha256_init(&state);
	while ((n = read(fd, piece, PIECE)) > 0)
		(void)crypto_hash_sha256_update(&state, piece, (size_t)n);
	if (n < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return fault_errno(f, "read a blob of the OCI image");
	(void)crypto_hash_sha256_final(&state, hash);
	(void)sodium_bin2hex(to, HEX + 1, hash, sizeof(hash));
	return 0;
}

/* Opens a blob, whose contents must be what its name says. */
static int open_blob(const struct layout *l, const char *digest)
{
	const char *hex = hex_of(digest);
	autoclose int fd = -1;
	char got[HEX + 1];
	char path[sizeof("blobs/sha256/") + HEX];
	int err;

	if (!hex)
		return fault_set(l->fault, -EINVAL,
		                 "the OCI image names a blob that is no "
		                 "sha256");
	(void)snprintf(path, sizeof(path), "blobs/sha256/%s", hex);
	fd = openat(l->folder, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fault_errno(l->fault, "open the blob %s", hex);
	err = hash_file(fd, got, l->fault);
	if (err < 0)
		return err;
	if (strcmp(hex, got) != 0)
		return fault_set(l->fault, -EIO,
		                 "the blob %s is damaged: its hash is %s", hex,
		                 got);
	return take_fd(&fd);
}

/* NULL, and why. */
static json_t *load(int fd, const char *what, struct fault *f)
{
	autofree char *text = malloc(JSON_MAX + 1);
	size_t used = 0;
	json_error_t err;
	json_t *json;
	ssize_t n = 1;

	while (text && used <= JSON_MAX && n > 0) {
		n = read(fd, text + used, JSON_MAX + 1 - used);
		used += n > 0 ? (size_t)n : 0;
	}
	if (!text || n < 0 || used > JSON_MAX) {
		(void)!fault_set(f, -EIO, "%s cannot be read", what);
		return NULL;
	}
	json = json_loadb(text, used, JSON_REJECT_DUPLICATES, &err);
	if (!json)
		(void)!fault_set(f, -EINVAL, "%s: line %d: %s", what, err.line,
		                 err.text);
	return json;
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* Is a descriptor of an index for machines like this one? */
static bool fits(const json_t *d)
{
	const json_t *platform = json_object_get(d, "platform");
	const char *machine = text_of(platform, "architecture");
	const char *system = text_of(platform, "os");

	return (!machine || strcmp(machine, "amd64") == 0) &&
	       (!system || strcmp(system, "linux") == 0);
}

/* The one descriptor of an index that is meant; NULL, and why. */
static const json_t *choose(const struct layout *l, const json_t *index)
{
	const json_t *all = json_object_get(index, "manifests");
	const json_t *found = NULL;
	size_t i;

	for (i = 0; i < json_array_size(all); i++) {
		const json_t *d = json_array_get(all, i);
		const char *name = text_of(json_object_get(d, "annotations"),
		                           REF_NAME);

		if (!fits(d) || (l->tag && (!name || strcmp(name, l->tag))))
			continue;
		if (found) {
			(void)!fault_set(l->fault, -EINVAL,
			                 "there are several images: say which "
			                 "with oci:DIR:TAG");
			return NULL;
		}
		found = d;
	}
	if (!found)
		(void)!fault_set(l->fault, -ENOENT,
		                 "there is no image %s for this machine",
		                 l->tag ? l->tag : "");
	return found;
}

/* The manifest behind index.json, perhaps by way of other indexes. */
static json_t *find_manifest(struct layout *l)
{
	int fd = openat(l->folder, "index.json", O_RDONLY | O_CLOEXEC);
	json_t *json;

	if (fd < 0) {
		(void)!fault_errno(l->fault, "open index.json, with which "
		                             "an OCI image begins");
		return NULL;
	}
	json = load(fd, "index.json", l->fault);
	close(fd);
	for (int i = 0; json && json_object_get(json, "manifests"); i++) {
		const json_t *d = i < NESTED ? choose(l, json) : NULL;
		json_t *next = NULL;

		fd = d ? open_blob(l, text_of(d, "digest")) : -1;
		if (fd >= 0) {
			next = load(fd, "the manifest", l->fault);
			close(fd);
		}
		json_decref(json);
		json = next;
		l->tag = NULL; /* of the outermost only */
	}
	return json;
}

int tploci_open(struct tplsource *s, const char *where, struct fault *f)
{
	autofree char *folder = strdup(where);
	struct layout l = {.folder = -1, .fault = f};
	const json_t *layers;
	json_t *manifest;
	char *colon;
	int err = 0;

	if (!folder || sodium_init() < 0)
		return fault_set(f, -ENOMEM, "out of memory");
	l.folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	colon = strrchr(folder, ':');
	if (l.folder < 0 && colon) {
		*colon = '\0';
		l.tag = colon + 1;
		l.folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (l.folder < 0)
		return fault_errno(f, "open the OCI image %s", folder);
	manifest = find_manifest(&l);
	layers = json_object_get(manifest, "layers");
	if (!manifest)
		err = -EINVAL;
	else if (json_array_size(layers) == 0)
		err = fault_set(f, -EINVAL, "the OCI image has no layers");
	for (size_t i = 0; i < json_array_size(layers) && err == 0; i++) {
		int fd = open_blob(
			&l, text_of(json_array_get(layers, i), "digest"));

		err = fd < 0 ? fd : tplsource_add(s, "oci", fd, f);
	}
	json_decref(manifest);
	close(l.folder);
	return err;
}
