/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/gpgwords.h"

#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"

/* Words with '|' between them, both ways. */
static int check(const char *words, char out[static 256], struct fault *f)
{
	char text[256];
	char *at[32], *rest = text;
	struct gpgwords w;
	size_t count = 0;
	int err;

	(void)snprintf(text, sizeof(text), "%s", words);
	while (*words && (at[count] = strsep(&rest, "|")))
		count++;
	at[count] = NULL;
	err = gpgwords_check(at, &w, f);
	out[0] = '\0';
	for (size_t i = 0; err == 0 && i < w.text.size; i++) {
		out[i] = w.text.at[i] ? (char)w.text.at[i] : '|';
		out[i + 1] = '\0';
	}
	gpgwords_fini(&w);
	return err;
}

static const struct {
	const char *words;
	const char *want;
} allowed[] = {
	{"--status-fd=2|-bsau|Jane <jane@example.org>",
         "--status-fd=2|--detach-sign|--sign|--armor|--local-user=Jane "
         "<jane@example.org>|--|"},
	{"-bsauKEY", "--detach-sign|--sign|--armor|--local-user=KEY|--|"},
	{"--keyid-format=long|--status-fd=1|--verify|--|-----BEGIN|-",
         "--keyid-format=long|--status-fd=1|--verify|--|-----BEGIN|-|"},
	{"-k|--with-colons|jane|joe", "--list-keys|--with-colons|--|jane|joe|"},
	{"--decrypt|-", "--decrypt|--|-|"},
	{"-d|--output|-", "--decrypt|--output=-|--|"},
	{"-e|-r|a|-r|b", "--encrypt|--recipient=a|--recipient=b|--|"},
	{"--sign|--local-user|KEY", "--sign|--local-user=KEY|--|"},
	{"--sign|--", "--sign|--|"},
};

static void allowed_words_are_written_anew(void **state)
{
	char out[256];
	struct fault f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
		if (check(allowed[i].words, out, &f) < 0)
			fail_msg("%s: %s", allowed[i].words, f.text);
		assert_string_equal(out, allowed[i].want);
	}
}

static const struct {
	const char *why;
	const char *words;
} refused[] = {
	{"nothing at all", ""},
	{"nothing to do", "--armor"},
	{"a file by itself", "/etc/passwd"},
	{"a file to sign", "--sign|/home/user/.ssh/id_rsa"},
	{"a file to sign, behind --", "--sign|--|/home/user/.ssh/id_rsa"},
	{"a file to decrypt", "-d|secret.gpg"},
	{"a file beside the stream", "--sign|-|/etc/passwd"},
	{"a file to verify", "--verify|a.sig|/etc/passwd"},
	{"a signature only", "--verify|a.sig"},
	{"two things at once", "--sign|--list-keys|/etc/passwd"},
	{"verify and list", "--verify|--export|a|-"},
	{"secret keys", "--export-secret-keys"},
	{"secret subkeys", "--export-secret-subkeys"},
	{"a name cut short", "--sig"},
	{"another", "--export-secret"},
	{"a file to write", "--sign|--output|/home/user/.bashrc"},
	{"the same, joined", "--sign|--output=/home/user/.bashrc"},
	{"the same, short", "--sign|-o/home/user/.bashrc"},
	{"a home of keys", "--homedir=/tmp|--sign"},
	{"options from a file", "--options|/tmp/x|--sign"},
	{"a program", "--photo-viewer=sh|--list-keys"},
	{"another program", "--exec-path=/tmp|--sign"},
	{"an agent", "--agent-program=/tmp/x|--sign"},
	{"a key server", "--keyserver=x|--sign"},
	{"keys from others", "--import"},
	{"recipients from a file", "-e|--recipient-file=/etc/passwd"},
	{"a passphrase", "--passphrase-fd=0|--sign"},
	{"a command from a stream", "--command-fd=0|--sign"},
	{"a log", "--logger-file=/tmp/x|--sign"},
	{"a status file", "--status-file=/tmp/x|--sign"},
	{"a stream that is none of its own", "--status-fd=3|--sign"},
	{"a stream that is no number", "--status-fd=2x|--sign"},
	{"an option as a value", "--sign|--local-user|--homedir=/tmp"},
	{"the same, short", "--sign|-u|-o"},
	{"no value", "--sign|--local-user"},
	{"an empty value", "--sign|--local-user="},
	{"a value for what has none", "--sign=x"},
	{"a newline in a value", "--sign|-u|a\nb"},
	{"a letter not known", "-sZ"},
	{"a word that is none", "--sign|--digest-algo=../x"},
	{"a key that is an option", "--list-keys|--|-x"},
	{"an upper-case name", "--SIGN"},
	{"a dash and a name", "-sign"},
	{"special file names", "--enable-special-filenames|--sign"},
};

static void all_else_is_refused(void **state)
{
	char out[256];
	struct fault f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		int err = check(refused[i].words, out, &f);

		if (err != -EPERM)
			fail_msg("%s: %d, %s", refused[i].why, err, out);
	}
}

static void what_is_refused_is_shown_harmless(void **state)
{
	char out[256];
	struct fault f;

	(void)state;
	assert_int_equal(check("--sign|\033[2Jx", out, &f), -EPERM);
	assert_null(strchr(f.text, '\033'));
	assert_non_null(strstr(f.text, "[2Jx"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allowed_words_are_written_anew),
		cmocka_unit_test(all_else_is_refused),
		cmocka_unit_test(what_is_refused_is_shown_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
