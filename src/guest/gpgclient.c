/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qubes-gpg-client: gpg(1) as far as it can be had, with the keys of another qube.
 *
 * That is the one of $QUBES_GPG_DOMAIN, or else of the first line of
 * /rw/config/gpg-split-domain, or else as policy says.  It takes what
 * gpgoptions.def has, so `git config gpg.program qubes-gpg-client` signs and
 * verifies.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "guest/gpgwords.h"
#include "guest/guestpump.h"
#include "guest/main.h"
#include "qrexec/vmexec.h"

#define DOMAIN_FILE   "/rw/config/gpg-split-domain"
#define SIGNATURE_MAX 16384u

static void find_domain(char out[static AGENT_NAME_SIZE])
{
	const char *named = getenv("QUBES_GPG_DOMAIN");
	autoclose int fd = -1;
	ssize_t n;

	if (named) {
		(void)snprintf(out, AGENT_NAME_SIZE, "%s", named);
		return;
	}
	out[0] = '\0';
	fd = open(DOMAIN_FILE, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, out, AGENT_NAME_SIZE - 1);
	if (n >= 0)
		out[n] = '\0';
	out[strcspn(out, "\r\n \t")] = '\0';
}

/* The content of a signature's file takes the place of its name. */
static char *read_signature(const char *path)
{
	char *text = calloc(1, SIGNATURE_MAX + 1);
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = text && fd >= 0 ? read(fd, text, SIGNATURE_MAX) : -1;

	if (n >= 0 && strlen(text) == (size_t)n)
		return text;
	(void)fprintf(stderr,
	              n < 0 ? "qubes-gpg-client: %s cannot be read\n"
	                    : "qubes-gpg-client: %s is no signature in text "
	                      "form (--armor)\n",
	              path);
	free(text);
	return NULL;
}

/*
 * The words with the content of --verify's file in its place, behind a "--" since
 * that begins with dashes.  NULL if it cannot be; who asks ends then.
 */
static char **make_words(int argc, char *argv[])
{
	static char end[] = "--";
	char **words = calloc((size_t)argc + 2, sizeof(*words));
	bool verify = false;
	size_t count = 0;

	for (int i = 1; words && i < argc; i++) {
		verify = verify || strcmp(argv[i], "--verify") == 0;
		if (!verify || argv[i][0] == '-') {
			words[count++] = argv[i];
			continue;
		}
		words[count++] = end;
		words[count++] = read_signature(argv[i]);
		if (!words[count - 1])
			return NULL;
		verify = false;
	}
	return words;
}

int gpgclient_main(int argc, char *argv[])
{
	autobuffer struct buffer line = {0};
	char domain[AGENT_NAME_SIZE];
	struct guestpump p = {.out = GUESTPUMP_RAW};
	char **words = make_words(argc, argv);
	struct gpgwords w;
	struct fault f;
	int err;

	if (argc < 2) {
		(void)fputs("usage: qubes-gpg-client OPTION...\n", stderr);
		return 2;
	}
	if (!words)
		return 2;
	/* What would be refused there need not go there. */
	err = gpgwords_check(words, &w, &f);
	gpgwords_fini(&w);
	if (err < 0) {
		(void)fprintf(stderr, "qubes-gpg-client: %s\n", f.text);
		return 2;
	}
	vmexec_encode(words, &line);
	buffer_text0(&line, "\n");
	if (line.bad)
		return 2;
	find_domain(domain);
	p.ask.target = domain;
	p.ask.service = "qubes.Gpg";
	p.prefix = (const char *)line.at;
	return guestpump(&p, argv[0]);
}
