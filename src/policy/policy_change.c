/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_change.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "policy/policy_builtin.h"

#define NAME_MAX_OURS 128u

void policy_change_token(struct span text, char to[POLICY_TOKEN_MAX])
{
	uint8_t sum[crypto_hash_sha256_BYTES];
	size_t at;

	(void)crypto_hash_sha256(sum, text.at, text.size);
	at = (size_t)snprintf(to, POLICY_TOKEN_MAX, "sha256:");
	for (size_t i = 0; i < sizeof(sum); i++)
		at += (size_t)snprintf(to + at, POLICY_TOKEN_MAX - at, "%02x",
		                       sum[i]);
}

bool policy_change_name_ok(enum policy_folder folder, struct span name)
{
	if (name.size == 0 || name.size > NAME_MAX_OURS || name.at[0] == '.')
		return false;
	for (size_t i = 0; i < name.size; i++) {
		uint8_t c = name.at[i];
		bool upper = c >= 'A' && c <= 'Z';

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    !(upper && folder == POLICY_INCLUDES) && c != '_' &&
		    c != '.' && c != '-' &&
		    !(c == '+' && folder == POLICY_INCLUDES))
			return false;
	}
	return true;
}

/* A file's path in a layer's folder. */
static int path_in(const char *top, enum policy_folder folder, struct span name,
                   char **out)
{
	bool include = folder == POLICY_INCLUDES;

	if (asprintf(out, "%s/%s%.*s%s", top, include ? "include/" : "",
	             (int)name.size, (const char *)name.at,
	             include ? "" : ".policy") < 0) {
		*out = NULL;
		return -ENOMEM;
	}
	return 0;
}

/* The text of a layer's file; -ENOENT if it has none. */
static int read_layer(const struct policy_store *s, enum policy_layer layer,
                      enum policy_folder folder, struct span name,
                      struct buffer *text, struct fault *f)
{
	const char *top = policy_store_folder(s, layer);
	autofree uint8_t *bytes = NULL;
	autofree char *path = NULL;
	size_t size;
	int err;

	if (!top)
		return fault_set(f, -ENOENT, "there is no such folder");
	if (path_in(top, folder, name, &path) < 0)
		return fault_set(f, -ENOMEM, "out of memory");
	err = policy_store_read(path, &bytes, &size, f);
	if (err < 0)
		return err;
	if (text)
		buffer_put(text, bytes, size);
	return text && text->bad ? fault_set(f, -ENOMEM, "out of memory") : 0;
}

/* Finds the layer whose file counts, and reads it.  The layer, or -ENOENT. */
static int find(const struct policy_store *s, enum policy_folder folder,
                struct span name, struct buffer *text, struct fault *f)
{
	if (!policy_change_name_ok(folder, name))
		return fault_set(f, -EINVAL,
		                 "that is no name for a file of "
		                 "the policy");
	for (int layer = POLICY_STORE_LAYERS - 1; layer >= 0; layer--) {
		int err = read_layer(s, (enum policy_layer)layer, folder, name,
		                     text, f);

		if (err != -ENOENT)
			return err < 0 ? err : layer;
	}
	return fault_set(f, -ENOENT, "there is no file %.*s", (int)name.size,
	                 (const char *)name.at);
}

int policy_change_get(const struct policy_store *s, enum policy_folder folder,
                      struct span name, struct buffer *text, struct fault *f)
{
	int layer = find(s, folder, name, text, f);

	return layer < 0 ? layer : 0;
}

static int list_mains(const struct policy_store *s, struct policy_names *out,
                      struct fault *f)
{
	struct policy_main *list;
	int64_t count = policy_store_list(s, &list, f);
	int err = 0;

	if (count < 0)
		return (int)count;
	for (int64_t i = 0; i < count && err == 0; i++) {
		list[i].name[strlen(list[i].name) - strlen(".policy")] = 0;
		if (policy_source_add(out, list[i].name) < 0)
			err = fault_set(f, -ENOMEM, "out of memory");
	}
	policy_store_free(list, (size_t)count);
	return err;
}

static int list_includes(const struct policy_store *s, struct policy_names *out,
                         struct fault *f)
{
	struct policy_names all = {0};
	int err = 0;

	for (enum policy_layer l = POLICY_LAYER_ETC;
	     l < POLICY_STORE_LAYERS && err == 0; l++) {
		const char *top = policy_store_folder(s, l);
		autofree char *path = NULL;

		if (!top)
			continue;
		if (asprintf(&path, "%s/include", top) < 0) {
			path = NULL;
			err = fault_set(f, -ENOMEM, "out of memory");
			break;
		}
		err = policy_store_names(path, &all, f);
		if (err == -ENOENT)
			err = 0;
	}
	policy_source_sort(&all);
	for (size_t i = 0; i < all.count && err == 0; i++)
		if (policy_change_name_ok(POLICY_INCLUDES,
		                          span_str(all.name[i])) &&
		    (i == 0 || strcmp(all.name[i - 1], all.name[i]) != 0) &&
		    policy_source_add(out, all.name[i]) < 0)
			err = fault_set(f, -ENOMEM, "out of memory");
	policy_source_fini(&all);
	return err;
}

int policy_change_list(const struct policy_store *s, enum policy_folder folder,
                       struct policy_names *out, struct fault *f)
{
	return folder == POLICY_MAINS ? list_mains(s, out, f)
	                              : list_includes(s, out, f);
}

/* Makes a folder and those above it; as mkdir -p. */
static int make_folders(const char *path, struct fault *f)
{
	autofree char *part = strdup(path);

	if (!part)
		return fault_set(f, -ENOMEM, "out of memory");
	for (size_t i = 1; part[i - 1]; i++) {
		char c = part[i];

		if (c != '/' && c != 0)
			continue;
		part[i] = 0;
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return fault_errno(f, "make %s", part);
		part[i] = c;
	}
	return 0;
}

/* Opens the layer's folder, and locks it; made if it is not there. */
static int lock(const char *top, bool make, struct fault *f)
{
	autoclose int fd = -1;
	int err = make ? make_folders(top, f) : 0;

	if (err < 0)
		return err;
	fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fault_errno(f, "open %s", top);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return fault_errno(f, "lock %s", top);
	return take_fd(&fd);
}

/* Is the token right for a content (NULL: no file)?  0, or why not. */
static int check_token(struct span token, const struct buffer *text,
                       struct fault *f)
{
	char now[POLICY_TOKEN_MAX];

	if (span_is(token, "any"))
		return 0;
	if (span_is(token, "new"))
		return text ? fault_set(f, -EEXIST, "the file is there already")
		            : 0;
	if (token.size < 7 || memcmp(token.at, "sha256:", 7) != 0)
		return fault_set(f, -EINVAL,
		                 "the token is not new, any or "
		                 "sha256:...");
	if (!text)
		return fault_set(f, -ENOENT, "the file is gone");
	policy_change_token(buffer_span(text), now);
	if (!span_is(token, now))
		return fault_set(f, -ESTALE,
		                 "the file has changed since it "
		                 "was read");
	return 0;
}

/* Would the policy be one?  0, or what would be wrong. */
static int check_policy(const struct policy_store *s, const char *path,
                        struct span text, struct fault *f)
{
	struct policy_rules *rules = NULL;
	struct fault before;
	int err;

	err = policy_store_try(s, path, text, &rules, f);
	policy_rules_destroy(rules);
	if (err == 0 || err == -ENOMEM)
		return err;
	/* Was it wrong before, and what is wrong now is not in this file? */
	if (strncmp(f->text, path, strlen(path)) != 0 &&
	    policy_store_try(s, "", (struct span){NULL, 0}, &rules, &before) <
	            0)
		return 0;
	policy_rules_destroy(rules);
	return -EINVAL;
}

static int write_temporary(int folder, const char *name, struct span text,
                           struct fault *f)
{
	autoclose int fd = openat(
		folder, name,
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct reader r = {.rest = text};

	if (fd < 0)
		return fault_errno(f, "make %s", name);
	while (r.rest.size > 0) {
		ssize_t n = write(fd, r.rest.at, r.rest.size);

		if (n < 0 && errno != EINTR)
			return fault_errno(f, "write %s", name);
		(void)rd_take(&r, n > 0 ? (size_t)n : 0);
	}
	if (fsync(fd) < 0)
		return fault_errno(f, "write %s", name);
	return 0;
}

/* Puts the text in the place of `path`, which is below the locked folder. */
static int put(int top, const char *path, struct span text, struct fault *f)
{
	static const char temporary[] = ".change";
	autofree char *parent = strdup(path);
	int err;

	if (!parent)
		return fault_set(f, -ENOMEM, "out of memory");
	*strrchr(parent, '/') = 0;
	err = make_folders(parent, f);
	if (err == 0)
		err = write_temporary(top, temporary, text, f);
	if (err == 0 && renameat(top, temporary, AT_FDCWD, path) < 0)
		err = fault_errno(f, "write %s", path);
	if (err < 0) {
		(void)unlinkat(top, temporary, 0);
		return err;
	}
	if (fsync(top) < 0)
		return fault_errno(f, "write %s", path);
	return 0;
}

/* What both changes do first, under the lock. */
static int begin(const struct policy_store *s, enum policy_folder folder,
                 struct span name, struct span token, struct fault *f)
{
	autobuffer struct buffer text = {0};
	int layer = find(s, folder, name, &text, f);
	int err;

	if (layer < 0 && layer != -ENOENT)
		return layer;
	err = check_token(token, layer < 0 ? NULL : &text, f);
	return err < 0 ? err : layer;
}

/* The layer into which a change of this file goes. */
static enum policy_layer layer_for(const struct policy_store *s,
                                   enum policy_folder folder, struct span name)
{
	struct fault f;

	if (read_layer(s, POLICY_LAYER_RUNTIME, folder, name, NULL, &f) !=
	            -ENOENT ||
	    !policy_store_folder(s, POLICY_LAYER_CONFIG))
		return POLICY_LAYER_RUNTIME;
	return POLICY_LAYER_CONFIG;
}

int policy_change_replace(const struct policy_store *s,
                          enum policy_folder folder, struct span name,
                          struct span token, struct span text, struct fault *f)
{
	const char *top;
	autofree char *path = NULL;
	autoclose int fd = -1;
	int err;

	if (!policy_change_name_ok(folder, name))
		return fault_set(f, -EINVAL,
		                 "that is no name for a file of "
		                 "the policy");
	top = policy_store_folder(s, layer_for(s, folder, name));
	if (!top)
		return fault_set(f, -ENOENT, "there is no folder to write to");
	if (path_in(top, folder, name, &path) < 0)
		return fault_set(f, -ENOMEM, "out of memory");
	fd = lock(top, true, f);
	if (fd < 0)
		return fd;
	err = begin(s, folder, name, token, f);
	if (err < 0 && err != -ENOENT)
		return err;
	if (err == -ENOENT && !span_is(token, "new") && !span_is(token, "any"))
		return err;
	/* An empty text is one: only NULL stands for no file. */
	if (!text.at)
		text.at = (const uint8_t *)"";
	err = check_policy(s, path, text, f);
	return err < 0 ? err : put(fd, path, text, f);
}

int policy_change_remove(const struct policy_store *s,
                         enum policy_folder folder, struct span name,
                         struct span token, struct fault *f)
{
	const char *top = policy_store_folder(s, layer_for(s, folder, name));
	autofree char *path = NULL;
	autoclose int fd = -1;
	int layer;
	int err;

	if (!top)
		return fault_set(f, -ENOENT, "there is no such file");
	if (path_in(top, folder, name, &path) < 0)
		return fault_set(f, -ENOMEM, "out of memory");
	layer = find(s, folder, name, NULL, f);
	if (layer < 0)
		return layer;
	if (layer == POLICY_LAYER_BUILTIN || layer == POLICY_LAYER_ETC)
		return fault_set(f, -EPERM,
		                 "it is not in your folder; put an "
		                 "empty file of its name there");
	fd = lock(top, false, f);
	if (fd < 0)
		return fd;
	err = begin(s, folder, name, token, f);
	if (err < 0)
		return err;
	err = check_policy(s, path, (struct span){NULL, 0}, f);
	if (err < 0)
		return err;
	if (unlink(path) < 0)
		return fault_errno(f, "remove %s", path);
	return fsync(fd) < 0 ? fault_errno(f, "remove %s", path) : 0;
}
