/* SPDX-License-Identifier: Apache-2.0 */
#include "qrexec/qrcommand.h"

#include "qrexec/qrname.h"

#define NOGUI "nogui:"
#define RPC   "QUBESRPC "

/* Takes what begins the text, if it is that. */
static bool take(struct span *text, const char *word)
{
	struct span w = span_str(word);

	if (text->size < w.size || memcmp(text->at, w.at, w.size) != 0)
		return false;
	*text = span_from(*text, w.size);
	return true;
}

/* Takes all before the next separator, which goes too; or the whole rest. */
static struct span word(struct span *text, char separator, bool *ended)
{
	const uint8_t *at = text->size ? memchr(text->at, separator, text->size)
	                               : NULL;
	size_t len = at ? (size_t)(at - text->at) : text->size;
	struct span got = {text->at, len};

	*ended = at != NULL;
	*text = span_from(*text, at ? len + 1 : len);
	return got;
}

/* Everything behind QUBESRPC. */
static int read_service(struct span text, struct qrcommand *c)
{
	bool more;

	c->service = true;
	c->full = word(&text, ' ', &more);
	c->source = word(&text, ' ', &more);
	if (more) {
		c->kind = word(&text, ' ', &more);
		c->target = text;
		if (!more ||
		    (!span_is(c->kind, "name") && !span_is(c->kind, "keyword")))
			return -EPROTO;
	}
	if (!qrname_service_ok(c->full) || c->source.size == 0 ||
	    !qrname_qube_ok(c->source) || !qrname_qube_ok(c->target))
		return -EINVAL;
	return 0;
}

int qrcommand_read(struct span text, struct qrcommand *out)
{
	struct qrcommand c = {0};
	bool more;
	int err = 0;

	c.user = word(&text, ':', &more);
	if (!more || c.user.size == 0)
		return -EPROTO;
	if (!qrname_ident_ok(c.user))
		return -EINVAL;
	c.nogui = take(&text, NOGUI);
	if (take(&text, RPC))
		err = read_service(text, &c);
	else if (text.size == 0)
		err = -EPROTO;
	else
		c.command = text;
	if (err < 0)
		return err;
	*out = c;
	return 0;
}

static void put(struct buffer *to, struct span s)
{
	buffer_put(to, s.at, s.size);
}

void qrcommand_write(const struct qrcommand *c, struct buffer *to)
{
	put(to, c->user);
	buffer_text(to, c->nogui ? ":" NOGUI : ":");
	if (!c->service) {
		put(to, c->command);
		return;
	}
	buffer_text(to, RPC);
	put(to, c->full);
	buffer_text(to, " ");
	put(to, c->source);
	if (c->kind.size == 0)
		return;
	buffer_text(to, " ");
	put(to, c->kind);
	buffer_text(to, " ");
	put(to, c->target);
}
