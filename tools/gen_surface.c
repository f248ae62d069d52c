/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes docs/host-surface.md: the host calls each process may make, from the
 * tables that make their filters.
 *
 *	gen-surface          prints it
 *	gen-surface FILE     fails if FILE is not what it would print
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
	const char *call;
	const char *checks;
	const char *reason;
};

#define HOSTCALL(call, checks, reason) {#call, #checks, reason},
#define HOSTFAIL(call, err, reason)    {#call, "fails with " #err, reason},
static const struct row kernel[] = {
#include "kernel/seccomp.def"
};

#define HOSTCALL(call, checks, reason) {#call, #checks, reason},
#define HOSTFAIL(call, err, reason)    {#call, "fails with " #err, reason},
static const struct row import[] = {
#include "import/seccomp.def"
};

#define HOSTCALL(call, checks, reason) {#call, #checks, reason},
#define HOSTFAIL(call, err, reason)    {#call, "fails with " #err, reason},
static const struct row receive[] = {
#include "receive/seccomp.def"
};

#define HOSTCALL(call, checks, reason) {#call, #checks, reason},
#define HOSTFAIL(call, err, reason)    {#call, "fails with " #err, reason},
static const struct row gateway[] = {
#include "gateway/seccomp.def"
};

#define HOSTCALL(call, checks, reason) {#call, #checks, reason},
#define HOSTFAIL(call, err, reason)    {#call, "fails with " #err, reason},
static const struct row keeper[] = {
#include "supervise/keeper.def"
};

#define HOSTCALL(call, checks, reason) {#call, #checks, reason},
#define HOSTFAIL(call, err, reason)    {#call, "fails with " #err, reason},
static const struct row warden[] = {
#include "supervise/warden.def"
};

#define HOSTCALL(call, checks, reason) {#call, #checks, reason},
#define HOSTFAIL(call, err, reason)    {#call, "fails with " #err, reason},
static const struct row steward[] = {
#include "manager/helper.def"
};

#define HOSTCALL(call, checks, reason) {#call, #checks, reason},
#define HOSTFAIL(call, err, reason)    {#call, "fails with " #err, reason},
static const struct row carrier[] = {
#include "manager/carrier.def"
};

#define HOSTCALL(call, checks, reason) {#call, #checks, reason},
#define HOSTFAIL(call, err, reason)    {#call, "fails with " #err, reason},
static const struct row manager[] = {
#include "manager/seccomp.def"
};

#define HOSTCALL(call, checks, reason) {#call, #checks, reason},
#define HOSTFAIL(call, err, reason)    {#call, "fails with " #err, reason},
static const struct row worker[] = {
#include "manager/worker.def"
};

#define HOST(call, reason, checks) {#call, #checks, reason},
static const struct row cell[] = {
#include "cell/stub/seccomp.def"
};

static const char head[] =
	"# The host calls our processes may make\n"
	"\n"
	"Made by `tools/gen_surface.c` from the tables behind the filters;\n"
	"`tools/check-docs` compares. Arguments are counted from 0. What is not listed\n"
	"kills the process; from guest code in a cell it is caught instead, and\n"
	"becomes a request to the kernel.\n";

static const char names[] =
	"\n"
	"`IS(n, v)`: argument n is v. `IS64`: all its 64 bits. `ONLY(n, mask)`:\n"
	"it has no bit outside the mask. `NONE_OF(n, mask)`: it has no bit of\n"
	"it. `IN_SET(n, mask, set)`: what the mask leaves is the number of a\n"
	"bit of the set. `ZERO_HIGH(n)`: the upper half is zero.\n";

static void table(FILE *to, const char *title, const char *about,
                  const struct row *rows, size_t count)
{
	(void)fprintf(to, "\n## %s\n\n%s\n\n", title, about);
	(void)fprintf(to, "| call | checked | why |\n|---|---|---|\n");
	for (size_t i = 0; i < count; i++) {
		const struct row *r = &rows[i];
		int any = strcmp(r->checks, "ANY") == 0;
		const char *tick = any ? "" : "`";

		(void)fprintf(to, "| %s | %s", r->call, tick);
		for (const char *c = any ? "" : r->checks; *c; c++)
			(void)fprintf(to, *c == '|' ? "\\%c" : "%c", *c);
		(void)fprintf(to, "%s | %s |\n", tick, r->reason);
	}
}

static void document(FILE *to)
{
	(void)fputs(head, to);
	(void)fputs(names, to);
	table(to, "The kernel",
	      "Once it serves (`src/kernel/seccomp.def`). Files are behind\n"
	      "Landlock besides.",
	      kernel, sizeof(kernel) / sizeof(kernel[0]));
	table(to, "A cell",
	      "Only from the stub's text (`src/cell/stub/seccomp.def`). A guest\n"
	      "can jump there with any registers, so each row is harmless in\n"
	      "its hands.",
	      cell, sizeof(cell) / sizeof(cell[0]));
	table(to, "The manager",
	      "Once it serves (`src/manager/seccomp.def`). Its own folders and\n"
	      "those of policies are all it reaches, by Landlock.",
	      manager, sizeof(manager) / sizeof(manager[0]));
	table(to, "A worker of the manager's",
	      "What it does with volumes (`src/manager/worker.def`). Those are all\n"
	      "it reaches, by Landlock; with an archive, those of one qube.",
	      worker, sizeof(worker) / sizeof(worker[0]));
	table(to, "A keeper",
	      "Of the kernel of a qube that lasts, once that runs\n"
	      "(`src/supervise/keeper.def`).",
	      keeper, sizeof(keeper) / sizeof(keeper[0]));
	table(to, "A warden",
	      "Of what ends the processes that a kernel leaves, where there is no\n"
	      "PID namespace (`src/supervise/warden.def`).",
	      warden, sizeof(warden) / sizeof(warden[0]));
	table(to, "A steward",
	      "Of a program of the user's that serves a call to dom0, or is told of\n"
	      "one, once that runs (`src/manager/helper.def`).",
	      steward, sizeof(steward) / sizeof(steward[0]));
	table(to, "A carrier",
	      "Of a service of dom0 that is a socket, once it is connected\n"
	      "(`src/manager/carrier.def`).",
	      carrier, sizeof(carrier) / sizeof(carrier[0]));
	table(to, "The helper that reads archives",
	      "`bento-import`, once it has begun (`src/import/seccomp.def`). It\n"
	      "has the descriptors it was given.",
	      import, sizeof(import) / sizeof(import[0]));
	table(to, "The receiver of files",
	      "`bento-receive`, once it has begun (`src/receive/seccomp.def`).\n"
	      "It has one folder, behind Landlock or as its root.",
	      receive, sizeof(receive) / sizeof(receive[0]));
	table(to, "The gateway to Qubes OS",
	      "`qrexec-agent`, `qrexec-daemon` and `qrexec-client`, before they\n"
	      "read what a peer sends (`src/gateway/seccomp.def`). Landlock\n"
	      "holds them to one folder.",
	      gateway, sizeof(gateway) / sizeof(gateway[0]));
}

/* Is the file what we would print? */
static int same(const char *path)
{
	char *want = NULL;
	size_t size = 0, n;
	FILE *memory = open_memstream(&want, &size);
	FILE *file = fopen(path, "r");
	char *got;
	int equal;

	if (!memory || !file)
		return 0;
	document(memory);
	(void)fclose(memory);
	got = malloc(size + 1);
	n = got ? fread(got, 1, size + 1, file) : 0;
	(void)fclose(file);
	equal = n == size && memcmp(got, want, size) == 0;
	free(got);
	free(want);
	return equal;
}

int main(int argc, char *argv[])
{
	if (argc < 2) {
		document(stdout);
		return EXIT_SUCCESS;
	}
	if (same(argv[1]))
		return EXIT_SUCCESS;
	(void)fprintf(stderr,
	              "%s is out of date: make it anew with gen-surface\n",
	              argv[1]);
	return EXIT_FAILURE;
}
