/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/furnish.h"

#include <string.h>
#include <unistd.h>

#include "volume/volume.h"

/* What the functions below have in common; one for each kind of mount. */
struct furnish {
	int next; /* of the descriptors not yet taken */
	struct world_options *world;
	struct places *places;
	struct fault *fault;
};

void furnish_text(char *to, size_t room, struct span from)
{
	size_t n = MIN(from.size, room - 1);

	if (n > 0)
		memcpy(to, from.at, n);
	to[n] = '\0';
}

/* A folder of the host's programs, or a symbolic link beside them. */
static int template_or_link(struct furnish *p, const struct launch_mount *m)
{
	struct world_options *o = p->world;
	struct world_template *t = &o->template[o->template_count];

	if (o->template_count == ARRAY_LEN(o->template))
		return -EOPNOTSUPP;
	o->template_count++;
	furnish_text(t->name, sizeof(t->name), span_from(m->at, 1));
	furnish_text(t->link, sizeof(t->link), m->from);
	t->fd = -1;
	if (m->kind == LAUNCH_LINK)
		return 0;
	t->fd = p->next++;
	places_add_template(p->places, t->name, t->fd);
	return 0;
}

/* In this order: the image, its tree of hashes, the tree's root, [its data]. */
static int image_with_tree(struct furnish *p, const struct launch_mount *m)
{
	struct erofs_options image = {.data_fd = -1};
	autoclose int root = -1;

	if (m->at.size != 1 || m->fds < 3 || p->world->image.main_fd > 0)
		return -EOPNOTSUPP;
	image.main_fd = p->next++;
	image.tree_fd = p->next++;
	root = p->next++;
	if (m->fds > 3)
		image.data_fd = p->next++;
	if (pread(root, image.root, sizeof(image.root), 0) !=
	    sizeof(image.root))
		return -EIO;
	p->world->image = image;
	return 0;
}

/* Its folder, and its key if it is encrypted. */
static int opened_volume(struct furnish *p, const struct launch_mount *m)
{
	struct world_options *o = p->world;
	struct world_volume *v = &o->volume[o->volume_count];
	autoclose int key_fd = -1;
	uint8_t key[HEADER_KEY];
	int folder, err;

	if (o->volume_count == ARRAY_LEN(o->volume))
		return -EOPNOTSUPP;
	folder = p->next++;
	if (m->fds > 1)
		key_fd = p->next++;
	furnish_text(v->at, sizeof(v->at), m->at);
	furnish_text(v->name, sizeof(v->name), m->from);
	v->writable = m->flags & LAUNCH_MOUNT_WRITABLE;
	if (key_fd >= 0 && pread(key_fd, key, sizeof(key), 0) != sizeof(key))
		return fault_set(p->fault, -EIO, "read the key of volume %s",
		                 v->name);
	places_add(p->places, folder, LANDLOCK_READ | LANDLOCK_WRITE);
	err = volume_open(folder, key_fd >= 0 ? key : NULL, &v->volume,
	                  p->fault);
	explicit_bzero(key, sizeof(key));
	o->volume_count += err == 0;
	return err;
}

/* The upper side of the root, with a folder for what outgrows memory. */
static int volatile_side(struct furnish *p, const struct launch_mount *m)
{
	struct world_options *o = p->world;

	if (m->at.size != 1 || m->fds > 1 || o->spill_fd > 0)
		return -EOPNOTSUPP;
	if (m->fds == 0)
		return 0;
	o->spill_fd = p->next++;
	places_add(p->places, o->spill_fd, LANDLOCK_READ | LANDLOCK_WRITE);
	return 0;
}

static int shared_folder(struct furnish *p, const struct launch_mount *m)
{
	struct world_options *o = p->world;
	struct world_share *s = &o->share[o->share_count];

	if (o->share_count == ARRAY_LEN(o->share))
		return -EOPNOTSUPP;
	o->share_count++;
	furnish_text(s->at, sizeof(s->at), m->at);
	s->fd = p->next++;
	s->writable = m->flags & LAUNCH_MOUNT_WRITABLE;
	s->is_file = m->flags & LAUNCH_MOUNT_FILE;
	places_add(p->places, s->fd,
	           LANDLOCK_READ | (s->writable ? LANDLOCK_WRITE : 0) |
	                   (s->is_file ? LANDLOCK_FILE : 0));
	return 0;
}

static int bind_again(struct furnish *p, const struct launch_mount *m)
{
	struct world_options *o = p->world;
	struct world_bind *b = &o->bind[o->bind_count];

	if (o->bind_count == ARRAY_LEN(o->bind))
		return -EOPNOTSUPP;
	o->bind_count++;
	furnish_text(b->at, sizeof(b->at), m->at);
	furnish_text(b->from, sizeof(b->from), m->from);
	return 0;
}

/* They are read and run, as the template is. */
static int tools_layer(struct furnish *p, const struct launch_mount *m)
{
	if (m->at.size != 1 || p->world->tools_fd > 0)
		return -EOPNOTSUPP;
	p->world->tools_fd = p->next++;
	places_add(p->places, p->world->tools_fd, LANDLOCK_READ);
	return 0;
}

static int (*const of_kind[])(struct furnish *p,
                              const struct launch_mount *m) = {
	[LAUNCH_TEMPLATE] = template_or_link, [LAUNCH_LINK] = template_or_link,
	[LAUNCH_IMAGE] = image_with_tree,     [LAUNCH_VOLUME] = opened_volume,
	[LAUNCH_VOLATILE] = volatile_side,    [LAUNCH_SHARE] = shared_folder,
	[LAUNCH_BIND] = bind_again,           [LAUNCH_TOOLS] = tools_layer,
};

int furnish_world(const struct launch *l, int first, struct world_options *o,
                  struct places *places, struct fault *f)
{
	struct furnish p = {first, o, places, f};

	*o = (struct world_options){
		.host_uid = getuid(),
		.host_gid = getgid(),
		.user_uid = 1000,
		.user_gid = 1000,
	};
	for (uint32_t i = 0; i < l->mount_count; i++) {
		const struct launch_mount *m = &l->mount[i];
		int err = -EOPNOTSUPP;

		f->text[0] = '\0';
		if (m->kind < ARRAY_LEN(of_kind))
			err = of_kind[m->kind](&p, m);
		if (err < 0 && !f->text[0])
			return fault_set(
				f, err, "mount %.*s: %s", (int)m->at.size,
				(const char *)m->at.at, strerror(-err));
		if (err < 0)
			return err;
	}
	return 0;
}
