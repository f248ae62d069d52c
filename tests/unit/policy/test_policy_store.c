/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_store.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cmocka_all.h"
#include "policy/policy_line.h"
#include "scratch.h"

struct bed {
	char top[64];
	struct policy_store *store;
};

static char *join(const struct bed *b, const char *name)
{
	char *path;

	assert_true(asprintf(&path, "%s/%s", b->top, name) > 0);
	return path;
}

static void write_file(const struct bed *b, const char *name, const char *text)
{
	autofree char *path = join(b, name);
	autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	                        0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void remove_file(const struct bed *b, const char *name)
{
	autofree char *path = join(b, name);

	assert_int_equal(unlink(path), 0);
}

static int set_up(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	struct policy_folders folders = {0};
	const char *names[] = {"etc", "config", "run"};

	assert_non_null(b);
	assert_int_equal(scratch_make(b->top), 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		folders.path[i + 1] = join(b, names[i]);
		assert_int_equal(mkdir(folders.path[i + 1], 0755), 0);
	}
	write_file(b, "config/90-default.policy", "");
	assert_int_equal(policy_store_open(&folders, &b->store), 0);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	policy_store_close(b->store);
	assert_int_equal(scratch_drop(b->top), 0);
	free(b);
	return 0;
}

/* The rules' services, one behind the other; or the error. */
static const char *services(struct bed *b, char *to, size_t room)
{
	const struct policy_rules *rules;
	struct fault f;
	size_t at = 0;

	to[0] = 0;
	if (policy_store_look(b->store, &rules, &f) < 0) {
		(void)snprintf(to, room, "! %.200s", f.text);
		return to;
	}
	for (size_t i = 0; i < rules->count; i++)
		at += (size_t)snprintf(to + at, room - at, "%.*s ",
		                       (int)rules->rule[i].service.size,
		                       rules->rule[i].service.at);
	return to;
}

static void files_are_read_by_name_and_the_last_layer_wins(void **state)
{
	struct bed *b = *state;
	char text[512];

	write_file(b, "etc/30-b.policy", "etc30b * a b deny\n");
	write_file(b, "etc/10-a.policy", "etc10a * a b deny\n");
	write_file(b, "config/20-c.policy", "config20c * a b deny\n");
	write_file(b, "config/30-b.policy", "config30b * a b deny\n");
	write_file(b, "run/30-b.policy", "run30b * a b deny\n");
	write_file(b, "run/5-z.policy", "run5z * a b deny\n");
	write_file(b, "etc/.x.policy", "wrong\n");
	write_file(b, "etc/x.policy~", "wrong\n");
	assert_string_equal(services(b, text, sizeof(text)),
	                    "etc10a config20c run30b run5z ");
	/* What is hidden is not even read. */
	write_file(b, "etc/30-b.policy", "wrong\n");
	assert_string_equal(services(b, text, sizeof(text)),
	                    "etc10a config20c run30b run5z ");
	remove_file(b, "run/30-b.policy");
	assert_string_equal(services(b, text, sizeof(text)),
	                    "etc10a config20c config30b run5z ");
}

static void one_bad_name_or_line_denies_everything(void **state)
{
	struct bed *b = *state;
	char text[512];

	write_file(b, "etc/a.policy", "a * a b allow\n");
	write_file(b, "run/B.policy", "");
	assert_non_null(strstr(services(b, text, sizeof(text)),
	                       "run: B.policy is no name"));
	remove_file(b, "run/B.policy");
	assert_string_equal(services(b, text, sizeof(text)), "a ");
	write_file(b, "config/z.policy", "a * a b allow\n\na * a\n");
	assert_non_null(strstr(services(b, text, sizeof(text)),
	                       "config/z.policy, line 3: word 4 is missing"));
	write_file(b, "config/z.policy", "z * a b allow\n");
	assert_string_equal(services(b, text, sizeof(text)), "a z ");
}

static void what_is_no_file_or_not_ours_is_refused(void **state)
{
	struct bed *b = *state;
	autofree char *path = join(b, "etc/d.policy");
	autofree char *world = join(b, "etc/w.policy");
	char text[512];

	assert_int_equal(mkdir(path, 0755), 0);
	assert_non_null(strstr(services(b, text, sizeof(text)), "not a file"));
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0644), 0);
	assert_non_null(strstr(services(b, text, sizeof(text)), "not a file"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("nowhere", path), 0);
	assert_non_null(strstr(services(b, text, sizeof(text)), "d.policy"));
	assert_int_equal(unlink(path), 0);
	assert_string_equal(services(b, text, sizeof(text)), "");
	write_file(b, "etc/w.policy", "w * a b allow\n");
	assert_int_equal(chmod(world, 0646), 0);
	assert_non_null(strstr(services(b, text, sizeof(text)), "by anyone"));
	assert_int_equal(chmod(world, 0644), 0);
	assert_string_equal(services(b, text, sizeof(text)), "w ");
}

static void changes_are_seen_even_when_size_and_name_stay(void **state)
{
	struct bed *b = *state;
	char line[64], want[16], text[512];

	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(want, sizeof(want), "s%03u ", i);
		(void)snprintf(line, sizeof(line), "s%03u * a b deny\n", i);
		write_file(b, "etc/a.policy", line);
		assert_string_equal(services(b, text, sizeof(text)), want);
	}
}

static void changes_of_old_files_are_seen_by_their_stamps(void **state)
{
	struct bed *b = *state;
	const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	autofree char *path = join(b, "etc/a.policy");
	const struct policy_rules *first, *second;
	struct fault f;

	write_file(b, "etc/a.policy", "a * a b deny\n");
	assert_int_equal(policy_store_look(b->store, &first, &f), 0);
	/* The time of the change of the inode shows even what hides itself. */
	write_file(b, "etc/a.policy", "b * a b deny\n");
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	assert_int_equal(policy_store_look(b->store, &second, &f), 0);
	assert_true(span_is(second->rule[0].service, "b"));
}

static void an_included_file_counts_for_changes(void **state)
{
	struct bed *b = *state;
	char text[512];

	write_file(b, "etc/a.policy", "!include more\n");
	assert_non_null(strstr(services(b, text, sizeof(text)),
	                       "a.policy, line 1, word 2: open"));
	write_file(b, "etc/more", "m * a b deny\n");
	assert_string_equal(services(b, text, sizeof(text)), "m ");
	write_file(b, "etc/more", "n * a b deny\n");
	assert_string_equal(services(b, text, sizeof(text)), "n ");
	remove_file(b, "etc/more");
	assert_non_null(strstr(services(b, text, sizeof(text)), "word 2"));
}

static void without_folders_the_programs_own_files_count(void **state)
{
	struct policy_folders folders = {0};
	struct policy_store *s;
	const struct policy_rules *rules;
	struct policy_main *list;
	struct fault f;

	(void)state;
	folders.path[POLICY_LAYER_ETC] = strdup("/nonexistent/policy.d");
	assert_int_equal(policy_store_open(&folders, &s), 0);
	assert_int_equal(policy_store_look(s, &rules, &f), 0);
	assert_true(rules->count > 10);
	assert_string_equal(rules->file[0], "builtin:/90-default.policy");
	assert_int_equal(policy_store_list(s, &list, &f), 1);
	assert_string_equal(list[0].name, "90-default.policy");
	assert_int_equal(list[0].layer, POLICY_LAYER_BUILTIN);
	assert_false(list[0].hides);
	policy_store_free(list, 1);
	policy_store_close(s);
}

static void a_change_can_be_tried_before_it_is_made(void **state)
{
	struct bed *b = *state;
	autofree char *path = join(b, "config/new.policy");
	struct policy_rules *rules;
	struct policy_main *list;
	struct fault f;
	char text[512];

	assert_int_equal(policy_store_try(b->store, path,
	                                  span_str("n * a b deny\n"), &rules,
	                                  &f),
	                 0);
	assert_int_equal(rules->count, 1);
	policy_rules_destroy(rules);
	assert_true(policy_store_try(b->store, path, span_str("n *\n"), &rules,
	                             &f) < 0);
	assert_non_null(strstr(f.text, "new.policy, line 1: word 3"));
	write_file(b, "config/new.policy", "o * a b deny\n");
	assert_int_equal(policy_store_try(b->store, path,
	                                  (struct span){NULL, 0}, &rules, &f),
	                 0);
	assert_int_equal(rules->count, 0);
	policy_rules_destroy(rules);
	assert_string_equal(services(b, text, sizeof(text)), "o ");
	assert_int_equal(policy_store_list(b->store, &list, &f), 2);
	assert_true(list[0].hides);
	assert_string_equal(list[1].path, path);
	policy_store_free(list, 2);
}

static void folders_come_from_the_environment(void **state)
{
	struct policy_folders f;

	(void)state;
	assert_int_equal(setenv("HOME", "/h", 1), 0);
	assert_int_equal(unsetenv("XDG_CONFIG_HOME"), 0);
	assert_int_equal(unsetenv("XDG_RUNTIME_DIR"), 0);
	assert_int_equal(policy_store_folders(&f), 0);
	assert_string_equal(f.path[1], "/etc/bento/policy.d");
	assert_string_equal(f.path[2], "/h/.config/bento/policy.d");
	assert_null(f.path[3]);
	policy_store_folders_fini(&f);
	assert_int_equal(setenv("XDG_CONFIG_HOME", "/c", 1), 0);
	assert_int_equal(setenv("XDG_RUNTIME_DIR", "/r", 1), 0);
	assert_int_equal(policy_store_folders(&f), 0);
	assert_string_equal(f.path[2], "/c/bento/policy.d");
	assert_string_equal(f.path[3], "/r/bento/policy.d");
	policy_store_folders_fini(&f);
	assert_int_equal(setenv("XDG_CONFIG_HOME", "relative", 1), 0);
	assert_int_equal(setenv("XDG_RUNTIME_DIR", "", 1), 0);
	assert_int_equal(policy_store_folders(&f), 0);
	assert_string_equal(f.path[2], "/h/.config/bento/policy.d");
	assert_null(f.path[3]);
	policy_store_folders_fini(&f);
}

#define WITH_BED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BED(files_are_read_by_name_and_the_last_layer_wins),
		WITH_BED(one_bad_name_or_line_denies_everything),
		WITH_BED(what_is_no_file_or_not_ours_is_refused),
		WITH_BED(changes_are_seen_even_when_size_and_name_stay),
		WITH_BED(changes_of_old_files_are_seen_by_their_stamps),
		WITH_BED(an_included_file_counts_for_changes),
		cmocka_unit_test(without_folders_the_programs_own_files_count),
		WITH_BED(a_change_can_be_tried_before_it_is_made),
		cmocka_unit_test(folders_come_from_the_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
