/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include "cli/fake_manager.h"

#define ALL                                          \
	"dom0 class=AdminVM state=Running uuid=0\n"  \
	"deb class=TemplateVM state=Halted uuid=1\n" \
	"net class=AppVM state=Running uuid=2\n"     \
	"work class=AppVM state=Paused uuid=3\n"

static const struct fake_row rows[] = {
	{"admin.vm.List dom0", ALL},
	{"bento.Property+label dom0",
         "deb black\ndom0 black\nnet red\nwork blue\n"},
	{"bento.Property+template dom0", "deb \nnet deb\nwork deb\n"},
	{"bento.Property+netvm dom0", "deb \nnet \nwork net\n"},
	{"bento.Property+default_user dom0", "work a\\\\b\\nc\n"},
	{"bento.Property+nam dom0", ""},
	{"bento.Feature+x dom0", "deb a\\\\b\\nc\nnet 1\n"},
	{"bento.Feature+y dom0", ""},
	{"bento.Feature+internal dom0", "deb \nnet 1\n"},
	{"bento.Feature+servicevm dom0", "net 1\nwork 1\n"},
	{"bento.Feature+updates-available dom0", "deb 1\nwork \n"},
	{"bento.States dom0",
         "work mem=0 mem_static_max=0 cputime=0 power_state=Paused\n"
         "net mem=2048 mem_static_max=0 cputime=1500 power_state=Running\n"},
	{"bento.Tags dom0", "dom0 \ndeb a\nnet a,b\nwork b\n"},
	{"bento.Volumes dom0",
         "dom0 \ndeb \nnet \nwork private-usage=104857600 "
         "private-size=209715200 "
         "private-encryption=none \n"},
};

static int set_up(void **state)
{
	static struct fake_manager m;

	fake_manager_start(&m, rows, ARRAY_LEN(rows));
	*state = &m;
	return 0;
}

static int tear_down(void **state)
{
	fake_manager_stop(*state);
	return 0;
}

#define SHOWS(text, ...)                                             \
	do {                                                         \
		if (RUN(*state, __VA_ARGS__) != 0)                   \
			fail_msg("%s", fake_manager_err(*state));    \
		assert_string_equal(fake_manager_out(*state), text); \
	} while (0)

static void columns_are_as_wide_as_need_be(void **state)
{
	SHOWS("NAME  STATE    CLASS       LABEL  TEMPLATE  NETVM\n"
	      "dom0  Running  AdminVM     black  -         -\n"
	      "deb   Halted   TemplateVM  black  -         -\n"
	      "net   Running  AppVM       red    deb       -\n"
	      "work  Paused   AppVM       blue   deb       net\n",
	      "ls");
}

static void raw_forms_are_those_of_qvm_ls(void **state)
{
	SHOWS("dom0\ndeb\nnet\nwork\n", "qvm-ls", "--raw-list");
	SHOWS("net|Running|deb\nwork|Paused|deb\n", "qvm-ls", "--raw-data",
	      "-O", "NAME,STATE,TEMPLATE", "net", "work");
}

static void filters_leave_some_out(void **state)
{
	SHOWS("net\n", "ls", "--raw-list", "--running", "--class", "AppVM");
	SHOWS("net\nwork\n", "ls", "--raw-list", "--template-source", "deb");
	SHOWS("net\nwork\n", "ls", "--raw-list", "--tags", "b", "c");
	SHOWS("work\n", "ls", "--raw-list", "--tags", "b", "--exclude-tags",
	      "a");
	SHOWS("net\n", "ls", "--raw-list", "--features", "x=1");
	SHOWS("deb\n", "ls", "--raw-list", "--features", "x=a\\b\nc");
	SHOWS("dom0\nwork\n", "ls", "--raw-list", "--features", "x=");
	SHOWS("dom0\ndeb\nnet\nwork\n", "ls", "--raw-list", "--features", "y");
	SHOWS("work\n", "ls", "--raw-list", "--prefs", "netvm=net");
	SHOWS("dom0\nwork\n", "ls", "--raw-list", "--exclude", "net",
	      "--running", "--paused");
	SHOWS("", "ls", "--raw-list", "--label", "pink");
}

static void some_features_have_filters(void **state)
{
	SHOWS("net\n", "qvm-ls", "--raw-list", "--internal", "y");
	SHOWS("dom0\ndeb\nwork\n", "qvm-ls", "--raw-list", "--internal=No");
	SHOWS("net\nwork\n", "qvm-ls", "--raw-list", "--servicevm", "true");
	SHOWS("work\n", "qvm-ls", "--raw-list", "--servicevm", "1",
	      "--internal", "0");
	SHOWS("deb\n", "qvm-ls", "--raw-list", "--pending-update");
	SHOWS("deb\n", "qvm-ls", "--raw-l", "--pend", "--int", "n");
	assert_int_equal(RUN(*state, "qvm-ls", "--internal", "maybe"), 2);
	assert_string_equal(fake_manager_err(*state),
	                    "qvm-ls: --internal is y or n, not \"maybe\"\n");
	assert_int_equal(RUN(*state, "qvm-ls", "--raw"), 2);
	assert_string_equal(fake_manager_err(*state),
	                    "qvm-ls: which option is --raw? --raw-data, "
	                    "--raw-list\n");
}

/* However many qubes there are. */
static void a_filter_asks_once(void **state)
{
	size_t before = strlen(fake_manager_asked(*state));

	SHOWS("net\n", "ls", "--raw-list", "--tags", "b", "--features", "x=1");
	assert_string_equal(fake_manager_asked(*state) + before,
	                    "admin.vm.List dom0\nbento.Feature+x dom0\n"
	                    "bento.Tags dom0\n");
}

static void order_can_be_chosen(void **state)
{
	SHOWS("work\nnet\ndom0\ndeb\n", "ls", "--raw-list", "--sort", "name",
	      "--reverse");
	SHOWS("deb\ndom0\nnet\n \\_ work\n", "ls", "--raw-list", "--tree");
}

static void numbers_come_from_elsewhere(void **state)
{
	SHOWS("net|2|1\nwork|0|0\ndeb|-|-\n", "ls", "--raw-data", "-O",
	      "name,mem,cputime", "net", "work", "deb");
	SHOWS("work|100|200|50%|none|b\n", "ls", "--raw-data", "-O",
	      "name,priv-curr,priv-max,priv-used,encrypted,tags", "work");
}

static void values_stay_on_their_line(void **state)
{
	SHOWS("a\\b_c\n", "ls", "--raw-data", "-O", "default-user", "work");
}

static void machines_get_json(void **state)
{
	SHOWS("[\n  {\n    \"name\": \"net\",\n    \"netvm\": null\n  }\n]\n",
	      "ls", "--json", "-O", "name,netvm", "net");
}

static void mistakes_are_named(void **state)
{
	assert_int_equal(RUN(*state, "ls", "wrok"), 1);
	assert_string_equal(fake_manager_err(*state),
	                    "bento ls: no qube named 'wrok'; did you mean "
	                    "'work'?\n");
	assert_int_equal(RUN(*state, "qvm-ls", "-O", "nam"), 1);
	assert_string_equal(fake_manager_err(*state),
	                    "qvm-ls: no column named 'nam'; those there are: "
	                    "bento ls --help-columns\n");
	assert_int_equal(RUN(*state, "ls", "--format", "x"), 2);
	assert_int_equal(RUN(*state, "ls", "--nothing"), 2);
	assert_int_equal(RUN(*state, "ls", "--sort", "label", "-O", "name"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_as_wide_as_need_be),
		cmocka_unit_test(raw_forms_are_those_of_qvm_ls),
		cmocka_unit_test(filters_leave_some_out),
		cmocka_unit_test(some_features_have_filters),
		cmocka_unit_test(a_filter_asks_once),
		cmocka_unit_test(order_can_be_chosen),
		cmocka_unit_test(numbers_come_from_elsewhere),
		cmocka_unit_test(values_stay_on_their_line),
		cmocka_unit_test(machines_get_json),
		cmocka_unit_test(mistakes_are_named),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
