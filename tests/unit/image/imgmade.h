/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image in memory, written by our writer, for tests.
 */
#pragma once

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "image/imgcheck.h"
#include "image/imgsource.h"
#include "image/imgwrite.h"

#include "cmocka_all.h"

struct imgmade {
	int main_fd, data_fd, tree_fd;
	struct imgwrite w;
	struct merkle_head head;
	struct merkle tree;
	struct imgsource source;
	struct imgread image;
};

static inline void imgmade_begin(struct imgmade *m)
{
	*m = (struct imgmade){
		.main_fd = memfd_create("main", MFD_CLOEXEC),
		.data_fd = memfd_create("data", MFD_CLOEXEC),
		.tree_fd = memfd_create("tree", MFD_CLOEXEC),
	};
	assert_int_equal(imgwrite_init(&m->w, m->main_fd, m->data_fd), 0);
}

static inline struct imgtree_file *imgmade_add(struct imgmade *m,
                                               const char *path, uint32_t mode)
{
	struct imgtree_file *file = imgtree_file(&m->w.tree, mode);

	assert_non_null(file);
	assert_int_equal(imgtree_enter(&m->w.tree, path, file), 0);
	return file;
}

static inline struct imgtree_file *imgmade_text(struct imgmade *m,
                                                const char *path, uint32_t mode,
                                                struct span text)
{
	struct imgtree_file *file = imgmade_add(m, path, S_IFREG | mode);
	char dir[256];
	char *slash;
	struct fault f;

	(void)snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	dir[slash ? slash - dir : 0] = '\0';
	imgwrite_begin(&m->w, file, imgtree_find(&m->w.tree, dir));
	assert_int_equal(imgwrite_put(&m->w, file, 0, text, &f), 0);
	assert_int_equal(imgwrite_end(&m->w, file, text.size, &f), 0);
	return file;
}

/* Finishes the image and opens it for reading. */
static inline void imgmade_finish(struct imgmade *m)
{
	struct imgread_source blocks;
	struct fault f;

	assert_int_equal(imgwrite_finish(&m->w, m->tree_fd, &m->head, &f), 0);
	assert_int_equal(merkle_init(&m->tree, m->tree_fd, &m->head,
	                             &merkle_plain_memory, &f),
	                 0);
	assert_int_equal(imgsource_init(&m->source, m->main_fd,
	                                m->head.main_blocks, &m->tree,
	                                &merkle_plain_memory),
	                 0);
	blocks = imgsource_blocks(&m->source);
	assert_int_equal(imgread_open(&m->image, &blocks, m->head.main_blocks,
	                              m->head.data_blocks, &f),
	                 0);
}

static inline void imgmade_end(struct imgmade *m)
{
	imgsource_fini(&m->source);
	merkle_fini(&m->tree);
	imgwrite_fini(&m->w);
	close(m->main_fd);
	close(m->data_fd);
	close(m->tree_fd);
}

/* 0 and the inode at a path; or what the reader says. */
static inline int imgmade_find(const struct imgread *r, const char *path,
                               struct imgread_inode *out)
{
	int err = imgread_inode(r, r->root, out);

	while (err == 0 && *path) {
		size_t size = strcspn(path, "/");
		uint64_t nid;

		err = imgread_dir_find(
			r, out, (struct span){(const uint8_t *)path, size},
			&nid);
		if (err == 0)
			err = imgread_inode(r, nid, out);
		path += size + (path[size] == '/');
	}
	return err;
}
