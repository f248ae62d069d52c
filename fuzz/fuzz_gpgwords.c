/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What gpgwords_check() lets through is what it would write itself: checked once
 * more it becomes the same, and everything before "--" is a long option.
 *
 * The input is words, each with a NUL.
 */
#include "guest/gpgwords.h"

#include <string.h>

#define WORDS_MAX 64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Pointers to the texts in `bytes`, which ends with a NUL. */
static bool split(char *bytes, size_t size, char *words[WORDS_MAX + 1])
{
	size_t count = 0;

	for (size_t at = 0; at < size; at += strlen(bytes + at) + 1) {
		if (count == WORDS_MAX)
			return false;
		words[count++] = bytes + at;
	}
	words[count] = NULL;
	return true;
}

static void must(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *bytes = calloc(1, size + 1);
	char *words[WORDS_MAX + 1];
	struct gpgwords once = {.count = 0}, twice;
	struct fault f;
	size_t i = 0;

	must(bytes != NULL);
	memcpy(bytes, data, size);
	if (!split(bytes, size, words) || gpgwords_check(words, &once, &f) < 0)
		goto out;
	if (!split((char *)once.text.at, once.text.size, words))
		goto out; /* many letters behind one dash */
	for (; strcmp(words[i], "--") != 0; i++)
		must(strncmp(words[i], "--", 2) == 0);
	must(once.others == once.count - i - 1);
	must(gpgwords_check(words, &twice, &f) == 0);
	must(span_eq(buffer_span(&once.text), buffer_span(&twice.text)));
	gpgwords_fini(&twice);
out:
	gpgwords_fini(&once);
	return 0;
}
