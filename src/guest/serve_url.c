/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qubes.OpenURL: an address on one line, opened with this qube's browser.
 */
#include <stdio.h>
#include <string.h>

#include "guest/main.h"
#include "guest/opener.h"

#define URL_MAX 2048

static bool url_ok(const char *url)
{
	static const char *const schemes[] = {"http://", "https://", "ftp://"};
	bool known = false;

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		known = known ||
		        (strncmp(url, schemes[i], strlen(schemes[i])) == 0 &&
		         url[strlen(schemes[i])]);
	for (const char *c = url; *c; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	return known;
}

int serve_url_main(int argc, char *argv[])
{
	char url[URL_MAX + 2];

	(void)argc;
	if (!fgets(url, sizeof(url), stdin) || strlen(url) > URL_MAX) {
		(void)fprintf(stderr, "%s: no address\n", argv[0]);
		return EXIT_FAILURE;
	}
	url[strcspn(url, "\n")] = '\0';
	if (!url_ok(url)) {
		(void)fprintf(stderr, "%s: Invalid URL\n", argv[0]);
		return EXIT_FAILURE;
	}
	return opener_run(argv[0], url, true);
}
