/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes docs/man/bento-admin.7.scd: the methods of the Admin API, from the
 * table that answers them.
 *
 *	gen-admin          prints it
 *	gen-admin FILE     fails if FILE is not what it would print
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char head[] =
	"bento-admin(7)\n"
	"\n"
	"# NAME\n"
	"\n"
	"bento-admin - how the manager is asked\n"
	"\n"
	"# DESCRIPTION\n"
	"\n"
	"The manager, *bento-manager*(8), speaks the Admin API of Qubes OS on a "
	"stream\n"
	"socket, _$XDG\\_RUNTIME\\_DIR/bento/manager.sock_. Only processes of "
	"the same user\n"
	"are heard. A connection is one call:\n"
	"\n"
	"```\n"
	"METHOD[+ARGUMENT] dom0 name TARGET NUL PAYLOAD\n"
	"```\n"
	"\n"
	"after which the caller shuts down its half of the connection. "
	"_keyword adminvm_\n"
	"may stand for _name dom0_; a target may be _uuid:UUID_. The whole has "
	"at most\n"
	"65536 bytes. What is no request, or names no method of those below, "
	"closes the\n"
	"connection. The answer is one of\n"
	"\n"
	"```\n"
	"0 NUL DATA                                  it worked\n"
	"1 NUL SUBJECT NUL EVENT NUL (KEY NUL VALUE NUL)* NUL\n"
	"2 NUL TYPE NUL NUL MESSAGE NUL              an exception\n"
	"```\n"
	"\n"
	"where 0, 1 and 2 are the digits. Events follow one another as long as "
	"the\n"
	"connection lasts; the first is _connection-established_. In a message "
	"a percent\n"
	"sign is doubled. The types of exceptions are those of Qubes OS, such "
	"as\n"
	"QubesVMNotFoundError.\n"
	"\n"
	"Methods that begin with _bento._ are our own. Where one gives a "
	"descriptor, it\n"
	"comes with the first byte of the answer (SCM_RIGHTS).\n"
	"\n"
	"# METHODS\n"
	"\n"
	"In brackets: whether the target is _dom0_, a _qube_, or _any_ of "
	"them; A and P\n"
	"where there must be an argument or a payload, A? and P? where there "
	"may be one.\n";

static const char tail[] =
	"\n"
	"# SEE ALSO\n"
	"\n"
	"*bento-manager*(8), *bento*(1), *bento-events*(1)\n";

/* What scdoc would take for a mark of its own. */
static void escaped(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (strchr("*_\\`<>#~[]", *text))
			(void)fputc('\\', to);
		(void)fputc(*text, to);
	}
}

enum target { DOM0, ANY, QUBE };
enum presence { NO, MAY, MUST };

static void row(FILE *to, const char *name, enum target target,
                enum presence argument, enum presence payload, const char *what)
{
	static const char *const targets[] = {"dom0", "any", "qube"};
	static const char *const arguments[] = {"", ", A?", ", A"};
	static const char *const payloads[] = {"", ", P?", ", P"};

	(void)fputs("\n*", to);
	escaped(to, name);
	(void)fprintf(to, "* \\[%s%s%s\\]\n\t", targets[target],
	              arguments[argument], payloads[payload]);
	escaped(to, what);
	(void)fputs("\n", to);
}

static void write_page(FILE *to)
{
	(void)fputs(head, to);
#define METHOD(handler, name, target, way, argument, payload, what) \
	row(to, name, target, argument, payload, what);
#include "admin/methods.def"
	(void)fputs(tail, to);
}

int main(int argc, char *argv[])
{
	char *text = NULL, *there = NULL;
	size_t size = 0, room = 0;
	FILE *made, *file;
	ssize_t n;

	if (argc != 2) {
		write_page(stdout);
		return EXIT_SUCCESS;
	}
	made = open_memstream(&text, &size);
	if (!made)
		return EXIT_FAILURE;
	write_page(made);
	if (fclose(made) != 0)
		return EXIT_FAILURE;
	file = fopen(argv[1], "re");
	n = file ? getdelim(&there, &room, '\0', file) : -1;
	if (n < 0 || (size_t)n != size || memcmp(there, text, size) != 0) {
		(void)fprintf(stderr, "%s: not what gen-admin makes\n",
		              argv[1]);
		return EXIT_FAILURE;
	}
	free(there);
	free(text);
	(void)fclose(file);
	return EXIT_SUCCESS;
}
