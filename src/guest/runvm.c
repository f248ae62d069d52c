/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qvm-run-vm: runs a command in another qube, or in a new disposable one.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "guest/guestpump.h"
#include "guest/main.h"
#include "qrexec/qrname.h"
#include "qrexec/vmexec.h"

enum { DISPVM = 256, SERVICE, NO_SHELL, GUI, NO_GUI, RAW };

static const struct option options[] = {
	{"dispvm", optional_argument, NULL, DISPVM},
	{"service", no_argument, NULL, SERVICE},
	{"no-shell", no_argument, NULL, NO_SHELL},
	{"gui", no_argument, NULL, GUI},
	{"no-gui", no_argument, NULL, NO_GUI},
	{"no-filter-escape-chars", no_argument, NULL, RAW},
	{"filter-escape-chars", no_argument, NULL, 't'},
	{"pass-io", no_argument, NULL, 'p'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const char help[] =
	"usage: qvm-run-vm [OPTION...] QUBE COMMAND [ARGUMENT...]\n"
	"       qvm-run-vm --dispvm[=TEMPLATE] [OPTION...] COMMAND [ARGUMENT...]\n"
	"       qvm-run-vm --service QUBE SERVICE[+ARGUMENT]\n"
	"A single COMMAND is a line for a shell; several words are a program and\n"
	"its arguments.\n"
	"      --no-shell   a single word is a program, too\n"
	"      --gui        wait for the user's session there\n"
	"      --no-gui     do not (the default)\n"
	"  -t, --filter-escape-chars, --no-filter-escape-chars\n"
	"                   whether output is filtered; as long as it is not said,\n"
	"                   on terminals\n"
	"  -p, --pass-io    accepted; it is always so\n";

struct wish {
	struct guestpump pump;
	bool dispvm;
	const char *of; /* --dispvm=OF */
	bool service;
	bool no_shell;
	bool gui;
};

static int read_option(int c, struct wish *w)
{
	switch (c) {
	case DISPVM:
		w->dispvm = true;
		w->of = optarg;
		return 0;
	case SERVICE:
		w->service = true;
		return 0;
	case NO_SHELL:
		w->no_shell = true;
		return 0;
	case GUI:
		w->gui = true;
		return 0;
	case NO_GUI:
		w->gui = false;
		return 0;
	case 't':
		w->pump.out = w->pump.errors = GUESTPUMP_FILTER;
		return 0;
	case RAW:
		w->pump.out = w->pump.errors = GUESTPUMP_RAW;
		return 0;
	case 'p':
		return 0;
	case 'h':
		return 1;
	default:
		return -1;
	}
}

/* The service that runs these words. */
static void name_service(const struct wish *w, char *words[], struct buffer *to)
{
	char shell[] = "/bin/sh", line[] = "-c";
	char *in_shell[] = {shell, line, words[0], NULL};
	bool one = !words[1] && !w->no_shell;

	buffer_text(to, w->gui ? "qubes.VMExecGUI+" : "qubes.VMExec+");
	vmexec_encode(one ? in_shell : words, to);
	buffer_text0(to, "");
}

static void name_target(const struct wish *w, struct buffer *to)
{
	buffer_text(to, "@dispvm");
	if (w->of) {
		buffer_text(to, ":");
		buffer_text(to, w->of);
	}
	buffer_text0(to, "");
}

int runvm_main(int argc, char *argv[])
{
	autobuffer struct buffer service = {0}, target = {0};
	struct wish w = {.dispvm = false};
	char **rest;
	int c, got = 0;

	while (got == 0 &&
	       (c = getopt_long(argc, argv, "+tph", options, NULL)) != -1)
		got = read_option(c, &w);
	if (got > 0)
		return fputs(help, stdout) < 0;
	rest = argv + optind;
	if (got < 0 || argc - optind < (w.dispvm ? 1 : 2) ||
	    (w.service && argc - optind != (w.dispvm ? 1 : 2))) {
		(void)fputs(help, stderr);
		return AGENT_EXIT_PROBLEM;
	}
	name_target(&w, &target);
	if (!w.dispvm)
		w.pump.ask.target = *rest++;
	if (w.service)
		qrname_service_clean(rest[0]);
	else
		name_service(&w, rest, &service);
	if (service.bad || target.bad)
		return AGENT_EXIT_PROBLEM;
	if (w.dispvm)
		w.pump.ask.target = (const char *)target.at;
	w.pump.ask.service = w.service ? rest[0] : (const char *)service.at;
	return guestpump(&w.pump, argv[0]);
}
