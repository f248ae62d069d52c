/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/clipboard.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/whole.h"

#define FILE_NAME "clipboard"

int clipboard_check(struct span text)
{
	if (text.size > CLIPBOARD_MAX)
		return -EFBIG;
	for (size_t i = 0; i < text.size; i++) {
		uint8_t c = text.at[i];

		if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') ||
		    c == 0x7f)
			return -EILSEQ;
	}
	return 0;
}

/* A name of this process's own. */
static void own_name(char out[static 40])
{
	(void)snprintf(out, 40, FILE_NAME ".%d", getpid());
}

static int put(int folder, const char *source, struct span text, unsigned how,
               struct fault *f)
{
	autobuffer struct buffer b = {0};
	autoclose int fd = -1;
	char name[40];
	int err;

	own_name(name);
	buffer_text(&b, source);
	buffer_text(&b, "\n");
	buffer_put(&b, text.at, text.size);
	if (b.bad)
		return fault_set(f, -ENOMEM, "out of memory");
	fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	            0600);
	if (fd < 0)
		return fault_errno(f, "make the clipboard's file");
	err = whole_write(fd, buffer_span(&b));
	explicit_bzero(b.at, b.size);
	if (err == 0 && renameat2(folder, name, folder, FILE_NAME, how) == 0)
		return 0;
	err = err < 0 ? err : -errno;
	(void)unlinkat(folder, name, 0);
	return fault_set(f, err, "write the clipboard's file: %s",
	                 strerror(-err));
}

int clipboard_put(int folder, const char *source, struct span text,
                  struct fault *f)
{
	return put(folder, source, text, 0, f);
}

static int take_apart(struct clipboard *c, const struct buffer *b,
                      struct fault *f)
{
	const uint8_t *end = b->size ? memchr(b->at, '\n', b->size) : NULL;
	size_t len = end ? (size_t)(end - b->at) : 0;

	if (!end || len == 0 || len > CLIPBOARD_NAME)
		return fault_set(f, -EPROTO,
		                 "the clipboard's file is damaged: `bento "
		                 "clipboard clear` removes it");
	memcpy(c->source, b->at, len);
	c->source[len] = '\0';
	buffer_put(&c->text, end + 1, b->size - len - 1);
	return c->text.bad ? fault_set(f, -ENOMEM, "out of memory") : 0;
}

int clipboard_get(int folder, struct clipboard *out, struct fault *f)
{
	size_t room = CLIPBOARD_MAX + CLIPBOARD_NAME + 2;
	autobuffer struct buffer b = {0};
	autoclose int fd = openat(folder, FILE_NAME,
	                          O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	ssize_t n = -1;

	*out = (struct clipboard){.folder = folder};
	if (fd < 0 && errno == ENOENT)
		return fault_set(f, -ENOENT,
		                 "the clipboard is empty: `bento clipboard "
		                 "copy QUBE` fills it");
	if (fd < 0 || fstat(fd, &st) < 0)
		return fault_errno(f, "open the clipboard's file");
	if (buffer_reserve(&b, room))
		n = read(fd, b.at, room);
	if (n < 0)
		return fault_set(f, -EIO, "read the clipboard's file");
	b.size = (size_t)n;
	out->inode = st.st_ino;
	return take_apart(out, &b, f);
}

void clipboard_fini(struct clipboard *c)
{
	if (c->text.at)
		explicit_bzero(c->text.at, c->text.size);
	buffer_fini(&c->text);
}

int clipboard_take(const struct clipboard *c, struct fault *f)
{
	char name[40];
	struct stat st;
	bool same;

	own_name(name);
	if (renameat(c->folder, FILE_NAME, c->folder, name) < 0)
		return fault_set(f, -ESTALE,
		                 "the clipboard has been pasted meanwhile");
	same = fstatat(c->folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_ino == c->inode;
	/* Another one goes back, and is to be judged for itself. */
	if (same || renameat2(c->folder, name, c->folder, FILE_NAME,
	                      RENAME_NOREPLACE) < 0)
		(void)unlinkat(c->folder, name, 0);
	if (same)
		return 0;
	return fault_set(f, -ESTALE,
	                 "the clipboard has got another text meanwhile: paste "
	                 "again");
}

void clipboard_return(const struct clipboard *c)
{
	struct fault ignored;

	/* If it cannot be, there is another, or no room: it is lost then. */
	(void)!put(c->folder, c->source, buffer_span(&c->text),
	           RENAME_NOREPLACE, &ignored);
}

int clipboard_clear(int folder, struct fault *f)
{
	if (unlinkat(folder, FILE_NAME, 0) < 0 && errno != ENOENT)
		return fault_errno(f, "remove the clipboard's file");
	return 0;
}
