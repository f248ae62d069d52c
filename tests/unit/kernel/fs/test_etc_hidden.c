/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/etc_hidden.h"

#include <string.h>

#include "cmocka_all.h"

/* What programs need of /etc, which no pattern may take away. */
static const char *const shown[] = {
	"alternatives",     "bash.bashrc",    "ca-certificates.conf",
	"fonts/fonts.conf", "group",          "ld.so.cache",
	"ld.so.conf.d",     "locale.alias",   "localtime",
	"nsswitch.conf",    "os-release",     "pam.d",
	"passwd",           "profile",        "protocols",
	"services",         "ssh/ssh_config", "ssl/certs",
	"ssl/openssl.cnf",  "terminfo",       "apt/sources.list",
	"python3",          "gitconfig",      "inputrc",
};

static const char *const secret[] = {
	"shadow",
	"gshadow-",
	"sudoers",
	"sudoers.d",
	"ssh/ssh_host_ed25519_key",
	"ssl/private",
	"NetworkManager",
	"wireguard",
	"krb5.keytab",
	"machine-id",
};

/* A pattern without a star names a file: itself. */
static void every_row_hides_what_it_names(void **state)
{
#define HIDDEN(pattern, why)                                    \
	if (!strchr(pattern, '*') && !etc_hidden_path(pattern)) \
		fail_msg("%s", pattern);                        \
	if (strlen(why) < 4 || (pattern)[0] == '/')             \
		fail_msg("%s: no reason, or not relative", pattern);
	(void)state;
#include "kernel/fs/etc_hidden.def"
}

static void secrets_are_hidden_and_the_rest_is_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(shown); i++)
		if (etc_hidden_path(shown[i]))
			fail_msg("%s", shown[i]);
	for (size_t i = 0; i < ARRAY_LEN(secret); i++)
		if (!etc_hidden_path(secret[i]))
			fail_msg("%s", secret[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_hides_what_it_names),
		cmocka_unit_test(secrets_are_hidden_and_the_rest_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
