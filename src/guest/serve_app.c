/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qubes.StartApp+NAME: starts an application by the name of its NAME.desktop,
 * looked for as the desktop entry specification says: in the folders of
 * $XDG_DATA_HOME and $XDG_DATA_DIRS, where a '-' of the name may stand for a
 * folder.
 */
#include <stdio.h>
#include <string.h>

#include "guest/main.h"

#define WORDS_MAX 64u

struct app {
	char *exec;
	char *path; /* where it shall run, or NULL */
	bool terminal;
};

/* Opens it in one folder; each '-' in turn is tried as a folder, too. */
static FILE *open_in(const char *data, const char *name)
{
	autofree char *path = NULL;
	char *at;
	FILE *file;

	if (asprintf(&path, "%s/applications/%s.desktop", data, name) < 0) {
		path = NULL;
		return NULL;
	}
	file = fopen(path, "re");
	at = path + strlen(data) + strlen("/applications/");
	while (!file && (at = strchr(at, '-'))) {
		*at++ = '/';
		file = fopen(path, "re");
	}
	return file;
}

static FILE *open_entry(const char *name)
{
	const char *own = getenv("XDG_DATA_HOME");
	const char *home = getenv("HOME");
	const char *dirs = getenv("XDG_DATA_DIRS");
	autofree char *list = NULL;
	FILE *file = NULL;
	char *rest, *dir;

	if (asprintf(&list, "%s%s:%s", own ? own : (home ? home : "/"),
	             own ? "" : "/.local/share",
	             dirs ? dirs : "/usr/local/share:/usr/share") < 0) {
		list = NULL;
		return NULL;
	}
	for (rest = list; !file && (dir = strsep(&rest, ":"));)
		if (*dir == '/')
			file = open_in(dir, name);
	return file;
}

/* The value of a line KEY=VALUE of that key. */
static const char *value(const char *line, const char *key)
{
	size_t len = strlen(key);

	if (strncmp(line, key, len) != 0)
		return NULL;
	line += len;
	line += strspn(line, " \t");
	if (*line++ != '=')
		return NULL;
	return line + strspn(line, " \t");
}

static void keep(char **to, const char *text)
{
	free(*to);
	*to = strdup(text);
}

static void read_entry(FILE *file, struct app *a)
{
	autofree char *line = NULL;
	size_t room = 0;
	bool ours = false;

	while (getline(&line, &room, file) >= 0) {
		const char *v;

		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '[')
			ours = strcmp(line, "[Desktop Entry]") == 0;
		if (!ours)
			continue;
		if ((v = value(line, "Exec")))
			keep(&a->exec, v);
		if ((v = value(line, "Path")))
			keep(&a->path, v);
		if ((v = value(line, "Terminal")))
			a->terminal = strcmp(v, "true") == 0;
	}
}

/*
 * Copies the word at *from to *to, both of which go on behind it: what is quoted,
 * in which '\' keeps the next byte; "%%" is '%', other codes stand for files and
 * such, of which there are none. False: nothing is left of it.
 */
static bool take_word(char **from, char **to)
{
	bool quoted = false, any = false;
	char *at = *from, *put = *to;

	for (; *at && (quoted || !strchr(" \t", *at)); at++) {
		if (*at == '"') {
			quoted = !quoted;
			any = true;
		} else if (*at == '\\' && at[1]) {
			*put++ = *++at;
		} else if (*at == '%' && at[1]) {
			if (*++at == '%')
				*put++ = '%';
		} else {
			*put++ = *at;
		}
	}
	any |= put > *to;
	*from = *at ? at + 1 : at;
	if (any)
		*put++ = '\0';
	*to = put;
	return any;
}

/*
 * Divides a command line in place into words, as the specification says. The
 * number of words.
 */
static size_t divide(char *line, char *words[WORDS_MAX])
{
	char *from = line, *to = line;
	size_t count = 0;

	while (*from && count < WORDS_MAX - 1) {
		char *word = to;

		from += strspn(from, " \t");
		if (take_word(&from, &to))
			words[count++] = word;
	}
	words[count] = NULL;
	return count;
}

static bool name_ok(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/');
}

int serve_app_main(int argc, char *argv[])
{
	char *words[WORDS_MAX + 2];
	char terminal[] = "x-terminal-emulator", run[] = "-e";
	FILE *file = argc == 2 && name_ok(argv[1]) ? open_entry(argv[1]) : NULL;
	struct app a = {0};
	char **first = words + 2;

	if (!file) {
		(void)fprintf(stderr, "%s: no such application\n", argv[0]);
		return 127;
	}
	read_entry(file, &a);
	(void)fclose(file);
	if (!a.exec || divide(a.exec, first) == 0) {
		(void)fprintf(stderr, "%s: it has no command\n", argv[0]);
		return 126;
	}
	if (a.terminal) {
		first = words;
		words[0] = terminal;
		words[1] = run;
	}
	if (a.path && chdir(a.path) < 0)
		perror(a.path);
	(void)execvp(first[0], first);
	perror(first[0]);
	return 127;
}
