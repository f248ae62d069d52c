/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/proc_maps.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "channel/layout.h"
#include "kernel/fs/erofs.h"
#include "kernel/fs/filedata.h"
#include "kernel/fs/proc_cell.h"
#include "kernel/fs/world.h"
#include "kernel/task/maps.h"

/* One line of the host's. */
struct range {
	uint64_t start, end, offset, ino;
	char rights[5];
	char name[4200];
};

struct state {
	struct kernel *kernel;
	struct text *out;
	const struct proc_maps_how *how;
	struct range range; /* at hand */
	char inside[4200];  /* its name */
};

#define HEAD_MAX 160 /* of a line, before the name */

static bool parse(const char *line, size_t size, struct range *r)
{
	char head[HEAD_MAX + 1];
	size_t part = MIN(size, (size_t)HEAD_MAX);
	int at = 0;

	memcpy(head, line, part);
	head[part] = '\0';
	*r = (struct range){0};
	if (sscanf(head,
	           "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*x:%*x %" SCNu64
	           " %n",
	           &r->start, &r->end, r->rights, &r->offset, &r->ino, &at) < 5)
		return false;
	size = MIN(size - (size_t)at, sizeof(r->name) - 1);
	memcpy(r->name, line + at, size);
	return true;
}

/* A memory file, one of the disk without a name, or a volume's object? */
static bool is_ours(const char *name)
{
	const char *last = strrchr(name, '/');
	size_t digits = strspn(last + 1, "0123456789");

	if (strncmp(name, "/memfd:", 7) == 0)
		return true;
	if (last[1] == '#')
		return true;
	if (last[1 + digits] != '\0' &&
	    strcmp(last + 1 + digits, " (deleted)") != 0)
		return false;
	return digits > 0 && last - name > 8 &&
	       strncmp(last - 8, "/objects", 8) == 0;
}

/* What a range is called inside; *offset may be of something larger. */
static const char *name_inside(struct state *s, const struct range *r,
                               uint64_t *offset)
{
	const char *name;
	uint64_t begin;

	if (r->name[0] != '/')
		return r->name; /* [vdso] and the like */
	if (is_ours(r->name)) {
		name = filedata_name_of(s->kernel, r->ino);
		return name ? name : "";
	}
	name = erofs_name_of(s->kernel, r->ino, r->offset, &begin);
	if (name) {
		*offset -= begin;
		return name;
	}
	if (!world_inside(s->kernel, r->name, s->inside, sizeof(s->inside)))
		return "";
	return s->inside;
}

static bool holds(const struct range *r, uint64_t address)
{
	return address >= r->start && address < r->end;
}

static const char *name_anonymous(const struct state *s, const struct range *r)
{
	if (holds(r, s->how->stack))
		return "[stack]";
	return holds(r, s->how->heap) ? "[heap]" : "";
}

static void add_sizes(struct text *out, const struct range *r)
{
	static const char *const zero[] = {
		"Rss",
		"Pss",
		"Pss_Dirty",
		"Shared_Clean",
		"Shared_Dirty",
		"Private_Clean",
		"Private_Dirty",
		"Referenced",
		"Anonymous",
		"LazyFree",
		"AnonHugePages",
		"ShmemPmdMapped",
		"FilePmdMapped",
		"Shared_Hugetlb",
		"Private_Hugetlb",
		"Swap",
		"SwapPss",
		"Locked",
	};

	text_add(out, "%-16s%8" PRIu64 " kB\n",
	         "Size:", (r->end - r->start) / 1024);
	text_add(out, "%-16s%8d kB\n%-16s%8d kB\n", "KernelPageSize:", 4,
	         "MMUPageSize:", 4);
	for (size_t i = 0; i < ARRAY_LEN(zero); i++)
		text_add(out, "%s:%*d kB\n", zero[i],
		         (int)(23 - strlen(zero[i])), 0);
	text_add(out, "THPeligible:           0\nVmFlags: %s%s%smr mw me\n",
	         r->rights[0] == 'r' ? "rd " : "",
	         r->rights[1] == 'w' ? "wr " : "",
	         r->rights[2] == 'x' ? "ex " : "");
}

static void add_range(struct state *s, const struct range *r)
{
	const char *name;
	char head[128];
	uint64_t offset = r->offset;

	if (r->ino != 0 || r->name[0])
		name = name_inside(s, r, &offset);
	else
		name = name_anonymous(s, r);
	(void)snprintf(head, sizeof(head),
	               "%08" PRIx64 "-%08" PRIx64 " %s %08" PRIx64
	               " 00:%02x %" PRIu64 " ",
	               r->start, r->end, r->rights, offset, r->ino ? 1 : 0,
	               r->ino);
	if (name[0])
		text_add(s->out, "%-73s%s\n", head, name);
	else
		text_add(s->out, "%s\n", head);
	if (s->how->sizes)
		add_sizes(s->out, r);
}

/* Ours, or what the host made for the process the cell was cloned from. */
static bool hidden(const struct range *r)
{
	if (r->start < LAYOUT_HI && r->end > LAYOUT_LO)
		return true;
	return strcmp(r->name, "[stack]") == 0 ||
	       strcmp(r->name, "[heap]") == 0;
}

void proc_maps_translate(struct kernel *k, struct span host,
                         const struct proc_maps_how *how, struct text *out)
{
	struct state *s = calloc(1, sizeof(*s));

	if (!s) {
		out->failed = true;
		return;
	}
	s->kernel = k;
	s->out = out;
	s->how = how;
	while (host.size > 0) {
		const uint8_t *end = memchr(host.at, '\n', host.size);
		size_t line = end ? (size_t)(end - host.at) : host.size;

		if (parse((const char *)host.at, line, &s->range) &&
		    !hidden(&s->range))
			add_range(s, &s->range);
		host = span_from(host, MIN(line + 1, host.size));
	}
	free(s);
}

static long show(const struct pseudo_ctx *c, struct text *out, bool sizes)
{
	struct proc_maps_how how = {.sizes = sizes};
	long err = proc_process_inspect(c);
	struct text host;

	if (err < 0)
		return err;
	text_init(&host, c->kernel);
	err = proc_cell_read(c, PROC_CELL_MAPS, &host);
	if (err == 0) {
		maps_places(proc_process_of(c), &how.stack, &how.heap);
		proc_maps_translate(
			c->kernel,
			(struct span){(uint8_t *)host.bytes, host.size}, &how,
			out);
	}
	text_fini(&host);
	return err == -ENOENT ? 0 : err;
}

long proc_maps_show(const struct pseudo_ctx *c, struct text *out)
{
	return show(c, out, false);
}

long proc_maps_show_sizes(const struct pseudo_ctx *c, struct text *out)
{
	return show(c, out, true);
}
