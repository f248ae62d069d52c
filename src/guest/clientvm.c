/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qrexec-client-vm: a call to a service of another qube.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "guest/guestpump.h"
#include "guest/main.h"
#include "qrexec/qrname.h"

enum {
	RAW_OUT = 256,
	RAW_ERRORS,
	SOCKET,
	PREFIX,
	BUFFER,
	STDIN_SOCKET,
	SOURCE
};

static const struct option options[] = {
	{"filter-escape-chars-stdout", no_argument, NULL, 't'},
	{"filter-escape-chars-stderr", no_argument, NULL, 'T'},
	{"no-filter-escape-chars-stdout", no_argument, NULL, RAW_OUT},
	{"no-filter-escape-chars-stderr", no_argument, NULL, RAW_ERRORS},
	{"agent-socket", required_argument, NULL, SOCKET},
	{"prefix-data", required_argument, NULL, PREFIX},
	{"buffer-size", required_argument, NULL, BUFFER},
	{"use-stdin-socket", no_argument, NULL, STDIN_SOCKET},
	{"source-qube", required_argument, NULL, SOURCE},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const char help[] =
	"usage: qrexec-client-vm [OPTION...] QUBE SERVICE[+ARGUMENT] "
	"[PROGRAM [ARGUMENT...]]\n"
	"  -t, --filter-escape-chars-stdout  filter output, terminal or not\n"
	"  -T, --filter-escape-chars-stderr  filter errors, terminal or not\n"
	"      --no-filter-escape-chars-stdout, --no-filter-escape-chars-stderr\n"
	"                                    not even on a terminal\n"
	"      --agent-socket=PATH           ask there\n"
	"      --prefix-data=TEXT            send it before all else\n"
	"      --use-stdin-socket            use standard input both ways\n"
	"      --source-qube=QUBE            ask for another qube\n"
	"      --buffer-size=N               accepted; buffers are the kernel's\n";

/* A number of bytes, at least 1. */
static bool number_ok(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text) &&
	       strspn(text, "0") < strlen(text);
}

/* 0; 1 to end well; or -1 */
static int read_option(int c, struct guestpump *p)
{
	switch (c) {
	case 't':
		p->out = GUESTPUMP_FILTER;
		return 0;
	case 'T':
		p->errors = GUESTPUMP_FILTER;
		return 0;
	case RAW_OUT:
		p->out = GUESTPUMP_RAW;
		return 0;
	case RAW_ERRORS:
		p->errors = GUESTPUMP_RAW;
		return 0;
	case SOCKET:
		p->ask.socket = optarg;
		return 0;
	case PREFIX:
		p->prefix = optarg;
		return 0;
	case STDIN_SOCKET:
		p->both_on_stdin = true;
		return 0;
	case SOURCE:
		p->ask.source = optarg;
		return 0;
	case BUFFER:
		return number_ok(optarg) ? 0 : -1;
	case 'h':
		return 1;
	default:
		return -1;
	}
}

int clientvm_main(int argc, char *argv[])
{
	struct guestpump p = {.words = NULL};
	int c, got = 0;

	while (got == 0 &&
	       (c = getopt_long(argc, argv, "+tTh", options, NULL)) != -1)
		got = read_option(c, &p);
	if (got > 0)
		return fputs(help, stdout) < 0;
	if (got < 0 || argc - optind < 2 ||
	    (p.both_on_stdin && argc - optind > 2)) {
		(void)fputs(help, stderr);
		return AGENT_EXIT_PROBLEM;
	}
	p.ask.target = argv[optind];
	qrname_service_clean(argv[optind + 1]);
	p.ask.service = argv[optind + 1];
	if (argc - optind > 2)
		p.words = argv + optind + 2;
	return guestpump(&p, argv[0]);
}
