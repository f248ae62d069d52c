/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast paths are found in a template image, beside the host's lstat(2) on
 * the same tree.  bench/templates runs it.
 *
 *	lookup MAIN TREE FOLDER PATHS
 *
 * PATHS is a file of relative paths, one a line; MAIN and TREE are the image's
 * files; FOLDER is where its tree lies on the host.  Prints both in look-ups
 * a second.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "image/imgsource.h"

#define PATHS_MAX 1000000u
#define ROUNDS    5

struct paths {
	char **at;
	size_t count;
};

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int read_paths(const char *name, struct paths *p)
{
	FILE *f = fopen(name, "r");
	static char line[4096];

	p->at = calloc(PATHS_MAX, sizeof(char *));
	if (!f || !p->at)
		return -ENOENT;
	while (p->count < PATHS_MAX && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0])
			p->at[p->count++] = strdup(line);
	}
	(void)fclose(f);
	return 0;
}

static int find(const struct imgread *r, const char *path,
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

/* Look-ups a second, the best of some rounds; 0: one failed. */
static double of_image(const struct imgread *r, const struct paths *p)
{
	double best = 0;

	for (int round = 0; round < ROUNDS; round++) {
		double start = now();

		for (size_t i = 0; i < p->count; i++) {
			struct imgread_inode inode;

			if (find(r, p->at[i], &inode) < 0) {
				(void)fprintf(stderr, "no %s\n", p->at[i]);
				return 0;
			}
		}
		best = MAX(best, (double)p->count / (now() - start));
	}
	return best;
}

static double of_host(int folder, const struct paths *p)
{
	double best = 0;

	for (int round = 0; round < ROUNDS; round++) {
		double start = now();

		for (size_t i = 0; i < p->count; i++) {
			struct stat st;

			if (fstatat(folder, p->at[i], &st,
			            AT_SYMLINK_NOFOLLOW) < 0) {
				perror(p->at[i]);
				return 0;
			}
		}
		best = MAX(best, (double)p->count / (now() - start));
	}
	return best;
}

static int open_image(int main_fd, int tree_fd, struct merkle *tree,
                      struct imgsource *s, struct imgread *r, struct fault *f)
{
	struct imgread_source blocks;
	struct merkle_head h;
	int err = merkle_read_head(tree_fd, &h, f);

	if (err == 0)
		err = merkle_init(tree, tree_fd, &h, &merkle_plain_memory, f);
	if (err < 0)
		return err;
	if (imgsource_init(s, main_fd, h.main_blocks, tree,
	                   &merkle_plain_memory) < 0)
		return fault_set(f, -ENOMEM, "out of memory");
	blocks = imgsource_blocks(s);
	return imgread_open(r, &blocks, h.main_blocks, h.data_blocks, f);
}

int main(int argc, char *argv[])
{
	struct merkle tree;
	struct imgsource source;
	struct imgread image;
	struct paths paths = {0};
	struct fault f;
	int main_fd, tree_fd, folder;

	if (argc != 5)
		return 2;
	main_fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	tree_fd = open(argv[2], O_RDONLY | O_CLOEXEC);
	folder = open(argv[3], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (main_fd < 0 || tree_fd < 0 || folder < 0 ||
	    read_paths(argv[4], &paths) < 0) {
		perror("open");
		return 1;
	}
	if (open_image(main_fd, tree_fd, &tree, &source, &image, &f) < 0) {
		(void)fprintf(stderr, "%s\n", f.text);
		return 1;
	}
	(void)printf("look-ups in the image: %.0f/s; lstat on the host: "
	             "%.0f/s\n",
	             of_image(&image, &paths), of_host(folder, &paths));
	return 0;
}
