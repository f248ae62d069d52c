/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What verbs ask the manager for, say, and end with.  Each row is one command.
 */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "cli/fake_manager.h"
#include "cli/verbs.h"

#define LIST "admin.vm.List dom0\n"

static const struct fake_row script[] = {
	{"admin.vm.List dom0", "dom0 class=AdminVM state=Running uuid=0\n"
                               "deb class=TemplateVM state=Halted uuid=1\n"
                               "net class=AppVM state=Running uuid=2\n"
                               "work class=AppVM state=Paused uuid=3\n"},
	{"admin.vmclass.List dom0", "AppVM\nDispVM\n"},
	{"admin.vm.Create.AppVM dom0", ""},
	{"admin.vm.Create.TemplateVM+deb dom0",
         FAKE_NO("QubesValueError", "name 'deb' is taken")},
	{"admin.vm.CreateInPool.StandaloneVM+deb dom0", ""},
	{"admin.vm.property.Set+memory new", ""},
	{"admin.vm.property.Set+oops new",
         FAKE_NO("QubesNoSuchPropertyError", "no property 'oops'")},
	{"bento.Clone work", ""},
	{"admin.vm.Remove work",
         FAKE_NO("QubesVMNotHaltedError", "work is not halted")},
	{"admin.vm.Remove deb", ""},
	{"admin.vm.Start deb", ""},
	{"admin.vm.Kill net", ""},
	{"admin.vm.Kill work", ""},
	{"admin.vm.Pause net", ""},
	{"admin.vm.Unpause work", ""},
	{"admin.vm.Shutdown net", ""},
	{"admin.vm.Shutdown+force work", ""},
	{"admin.vm.tag.List work", "a\nb\n"},
	{"admin.vm.tag.Get+a work", "1"},
	{"admin.vm.tag.Get+c work", "0"},
	{"admin.vm.tag.Set+x work", ""},
	{"admin.vm.tag.Set+y work", ""},
	{"admin.vm.tag.Remove+x work",
         FAKE_NO("QubesTagNotFoundError", "work has no tag 'x'.")},
	{"admin.vm.feature.List work", "gui\nservice.cups\nservice.crond\n"},
	{"admin.vm.feature.Get+gui work", "a\033[2J"},
	{"admin.vm.feature.Get+service.cups work", "1"},
	{"admin.vm.feature.Get+service.crond work", ""},
	{"admin.vm.feature.Get+no work",
         FAKE_NO("QubesFeatureNotFoundError", "no feature 'no'")},
	{"admin.vm.feature.Get+service.no work",
         FAKE_NO("QubesFeatureNotFoundError", "no feature 'no'")},
	{"admin.vm.feature.Set+gui work", ""},
	{"admin.vm.feature.Set+service.x work", ""},
	{"admin.vm.feature.Remove+service.x work", ""},
	{"admin.vm.feature.Remove+gui work", ""},
	{"admin.vm.notes.Get work", "old"},
	{"admin.vm.notes.Set work", ""},
	{"admin.label.List dom0", "red\nblue\n"},
	{"admin.label.Get+red dom0", "0xcc0000"},
	{"admin.label.Get+blue dom0", "0x3333ff"},
	{"admin.label.Create+pink dom0", ""},
	{"admin.vm.property.GetAll work", "netvm default=True type=vm net\n"
                                          "memory default=False type=int 400\n"
                                          "template default=False type=vm \n"},
	{"admin.vm.property.GetAll net", "netvm default=True type=vm \n"},
	{"admin.vm.property.Get+default_user work",
         "default=True type=str user"},
	{"admin.vm.property.Get+template work", "default=True type=vm "},
	{"admin.vm.property.Set+netvm work", ""},
	{"admin.vm.property.Reset+memory work", ""},
	{"admin.property.Get+clockvm dom0", "default=True type=vm net"},
	{"admin.vm.property.Get+label wrok",
         FAKE_NO("QubesVMNotFoundError", "No such domain: 'wrok'")},
	{"admin.vm.volume.List work", "private\n"},
	{"admin.vm.volume.List net", ""},
	{"admin.vm.volume.List deb", ""},
	{"admin.vm.volume.Info+private work",
         "pool=file\nvid=work/private\nsize=2048\nusage=5\n"},
	{"admin.vm.volume.ListSnapshots+private work", "r1\nr2\n"},
	{"admin.vm.volume.Resize+private work", ""},
	{"admin.vm.volume.Revert+private work", ""},
	{"admin.vm.volume.Set.rw+private work", ""},
	{"admin.vm.volume.Import+private work", ""},
	{"admin.vm.volume.ImportWithSize+private work",
         FAKE_NO("StoragePoolException", "no archive")},
	{"bento.volume.Snapshot+private work", "r3"},
	{"bento.volume.Check+private work", "lost inode\n"},
	{"bento.volume.Check+private net", ""},
};

static const struct {
	const char *command; /* words with one blank between them */
	int status;
	const char *out;
	const char *err;
	const char *asked;
	const char *input;
} runs[] = {
	{"create new", 0, "", "",
         "admin.vm.Create.AppVM dom0 name=new label=red\n", ""},
	{"qvm-create -C TemplateVM -t deb -lblue deb", 1, "",
         "qvm-create: name 'deb' is taken\n",
         "admin.vm.Create.TemplateVM+deb dom0 name=deb label=blue\n", ""},
	{"create --standalone --template deb -p root=p --pool private=q new", 0,
         "", "",
         "admin.vm.CreateInPool.StandaloneVM+deb dom0 "
         "name=new label=red pool:root=p pool:private=q\n",
         ""},
	{"create --prop memory=500 --property oops=1 new", 2, "",
         "bento create: cannot set oops (but the qube is made): no property "
         "'oops'; those there are: bento prefs new\n",
         "admin.vm.Create.AppVM dom0 name=new label=red\n"
         "admin.vm.property.Set+memory new 500\n"
         "admin.vm.property.Set+oops new 1\n",
         ""},
	{"create --help-classes", 0, "AppVM\nDispVM\n", "",
         "admin.vmclass.List dom0\n", ""},
	{"create", 2, "", NULL, "", ""},
	{"create a b", 2, "", NULL, "", ""},
	{"create --disp --standalone a", 2, "", NULL, "", ""},
	{"create --prop memory a", 2, "", NULL, "", ""},

	{"clone --label blue work w2", 0, "", "",
         "bento.Clone work name=w2 label=blue\n", ""},
	{"clone work", 2, "", NULL, "", ""},

	{"remove -f deb work", 1, "",
         "bento remove: work: work is not halted; shut it down: bento "
         "shutdown --wait work\n",
         LIST "admin.vm.Remove deb\nadmin.vm.Remove work\n", ""},
	{"remove deb", 0, "", NULL, LIST LIST "admin.vm.Remove deb\n", "y\n"},
	{"remove deb", 1, "", NULL, LIST, "n\n"},
	{"remove deb", 1, "", NULL, LIST, ""},
	{"remove dab", 1, "",
         "bento remove: no qube named 'dab'; did you mean 'deb'?\n", LIST, ""},

	{"start deb", 0, "", "", LIST "admin.vm.Start deb\n", ""},
	{"start net", 1, "",
         "bento start: net: it runs already (--skip-if-running makes that "
         "no failure)\n",
         LIST, ""},
	{"qvm-start --skip-if-running net", 0, "", "", LIST, ""},
	{"start", 2, "", NULL, "", ""},
	{"start --all net", 2, "", NULL, "", ""},
	{"kill --all --exclude work", 0, "", "", LIST "admin.vm.Kill net\n",
         ""},
	{"qvm-kill work", 0, "", "", LIST "admin.vm.Kill work\n", ""},
	{"pause --all", 0, "", "", LIST "admin.vm.Pause net\n", ""},
	{"unpause --all", 0, "", "", LIST "admin.vm.Unpause work\n", ""},
	{"shutdown net", 0, "", "", LIST "admin.vm.Shutdown net\n", ""},
	{"shutdown --force work", 0, "", "",
         LIST "admin.vm.Shutdown+force work\n", ""},
	{"shutdown --all --dry-run", 0, "net\nwork\n", "", LIST, ""},
	{"shutdown deb", 1, "", "bento shutdown: deb: it does not run\n", LIST,
         ""},
	{"shutdown --timeout 0 net", 2, "", NULL, "", ""},

	{"check work deb", 0, "work, deb exist\n", "", LIST, ""},
	{"qvm-check --running work net", 3, "net is running\n", "", LIST, ""},
	{"check --running deb", 1, "None of the qubes is running\n", "", LIST,
         ""},
	{"check -q --paused work", 0, "", "", LIST, ""},
	{"check --networked work net", 3, "work has a network\n", "",
         LIST "admin.vm.property.GetAll work\n"
              "admin.vm.property.GetAll net\n",
         ""},
	{"check none", 1, "None of the qubes exists\n", "", LIST, ""},

	{"tags work", 0, "a\nb\n", "", "admin.vm.tag.List work\n", ""},
	{"tags --json work", 0, "[\n  \"a\",\n  \"b\"\n]\n", "",
         "admin.vm.tag.List work\n", ""},
	{"qvm-tags work list a", 0, "a\n", "", "admin.vm.tag.Get+a work\n", ""},
	{"tags work list c", 1, "", "", "admin.vm.tag.Get+c work\n", ""},
	{"tags work add x y", 0, "", "",
         "admin.vm.tag.Set+x work\nadmin.vm.tag.Set+y work\n", ""},
	{"tags work d x", 1, "",
         "bento tags: work has no tag 'x'; those it has: bento tags work\n",
         "admin.vm.tag.Remove+x work\n", ""},
	{"tags work add", 2, "", NULL, "", ""},
	{"tags work eat x", 2, "", NULL, "", ""},

	{"features work gui", 0, "a\033[2J\n", "",
         "admin.vm.feature.Get+gui work\n", ""},
	{"features work no", 1, "", "", "admin.vm.feature.Get+no work\n", ""},
	{"features work gui 1", 0, "", "", "admin.vm.feature.Set+gui work 1\n",
         ""},
	{"features -D work gui", 0, "", "",
         "admin.vm.feature.Remove+gui work\n", ""},
	{"features work", 0,
         "gui            a_[2J\nservice.cups   1\nservice.crond  \n", "", NULL,
         ""},
	{"features --unset work", 2, "", NULL, "", ""},
	{"service work", 0, "cups   on\ncrond  off\n", "", NULL, ""},
	{"qvm-service work cups", 0, "on\n", "",
         "admin.vm.feature.Get+service.cups work\n", ""},
	{"service work crond", 0, "off\n", "",
         "admin.vm.feature.Get+service.crond work\n", ""},
	{"service work no", 1, "", "", "admin.vm.feature.Get+service.no work\n",
         ""},
	{"service -e work x", 0, "", "",
         "admin.vm.feature.Set+service.x work 1\n", ""},
	{"service work x off", 0, "", "",
         "admin.vm.feature.Set+service.x work\n", ""},
	{"service work x maybe", 2, "", NULL, "", ""},
	{"service -D work x", 0, "", "",
         "admin.vm.feature.Remove+service.x work\n", ""},

	{"notes --print work", 0, "old", "", "admin.vm.notes.Get work\n", ""},
	{"notes --append new work", 0, "", "",
         "admin.vm.notes.Get work\nadmin.vm.notes.Set work old\nnew\n", ""},
	{"notes -f --import - work", 0, "", "",
         "admin.vm.notes.Get work\nadmin.vm.notes.Set work a b\n\n", "a b\n"},
	{"notes --set x work", 1, "", NULL, "admin.vm.notes.Get work\n", "n\n"},
	{"notes --set x --delete work", 2, "", NULL, "", ""},

	{"volume list", 0,
         "POOL:VOLUME        VMNAME  VOLUME_NAME  REVERT_POSSIBLE\n"
         "file:work/private  work    private      Yes\n",
         "", NULL, ""},
	{"qvm-volume l --pool other work", 0,
         "POOL:VOLUME  VMNAME  VOLUME_NAME  REVERT_POSSIBLE\n", "",
         LIST "admin.vm.volume.List work\n"
              "admin.vm.volume.Info+private work\n",
         ""},
	{"volume info work:private", 0,
         "pool   file\nvid    work/private\nsize   2048\nusage  5\n"
         "Available revisions (for revert):\n  r1\n  r2\n",
         "", NULL, ""},
	{"volume info work:private size", 0, "2048\n", "", NULL, ""},
	{"volume info work:private revisions", 0, "r1\nr2\n", "", NULL, ""},
	{"volume resize work:private 2G", 0, "", "",
         "admin.vm.volume.Info+private work\n"
         "admin.vm.volume.Resize+private work 2147483648\n",
         ""},
	{"volume resize work:private 1k", 1, "",
         "bento volume: 1k is smaller than its 2048 bytes; --force does it "
         "nonetheless\n",
         NULL, ""},
	{"volume extend -f work:private 1k", 0, "", "",
         "admin.vm.volume.Info+private work\n"
         "admin.vm.volume.Resize+private work 1024\n",
         ""},
	{"volume revert work:private", 0, "", "",
         "admin.vm.volume.Revert+private work\n", ""},
	{"volume r work:private r1", 0, "", "",
         "admin.vm.volume.Revert+private work r1\n", ""},
	{"volume config work:private rw False", 0, "", "",
         "admin.vm.volume.Set.rw+private work False\n", ""},
	{"volume config work:private wr False", 2, "", NULL, "", ""},
	{"volume import work:private -", 0, "", "",
         "admin.vm.volume.Import+private work bytes\n", "bytes"},
	{"volume import --size 1k work:private -", 1, "",
         "bento volume: no archive\n",
         "admin.vm.volume.ImportWithSize+private work 1024\nbytes\n", "bytes"},
	{"volume import work:private /none/such", 1, "",
         "bento volume: open /none/such: No such file or directory\n", "", ""},
	{"volume snapshot work:private", 0, "r3\n", "", NULL, ""},
	{"volume check work:private", 1, "lost inode\n", "", NULL, ""},
	{"volume check net:private", 0, "", "", NULL, ""},
	{"volume check net", 2, "", NULL, "", ""},
	{"volume info", 2, "", NULL, "", ""},
	{"volume eat work:private", 2, "", NULL, "", ""},

	{"label", 0, "red   0xcc0000\nblue  0x3333ff\n", "", NULL, ""},
	{"label get red", 0, "0xcc0000\n", "", "admin.label.Get+red dom0\n",
         ""},
	{"label create pink 0xff00ff", 0, "", "",
         "admin.label.Create+pink dom0 0xff00ff\n", ""},
	{"label create pink", 2, "", NULL, "", ""},

	{"qvm-prefs work", 0,
         "memory    -  400\nnetvm     D  net\ntemplate  -  None\n", "",
         "admin.vm.property.GetAll work\n", ""},
	{"prefs --hide-default work", 0,
         "memory    -  400\ntemplate  -  None\n", "",
         "admin.vm.property.GetAll work\n", ""},
	{"prefs work default-user", 0, "user\n", "",
         "admin.vm.property.Get+default_user work\n", ""},
	{"prefs work template", 0, "", "",
         "admin.vm.property.Get+template work\n", ""},
	{"prefs work netvm none", 0, "", "",
         "admin.vm.property.Set+netvm work\n", ""},
	{"prefs -D work memory", 0, "", "",
         "admin.vm.property.Reset+memory work\n", ""},
	{"prefs -D work memory 3", 2, "", NULL, "", ""},
	{"prefs wrok label", 1, "",
         "bento prefs: no qube named 'wrok'; did you mean 'work'?\n",
         "admin.vm.property.Get+label wrok\n" LIST, ""},
	{"qubes-prefs clockvm", 0, "net\n", "",
         "admin.property.Get+clockvm dom0\n", ""},
	{"log ../x", 1, "",
         "bento log: no qube named '../x'; those there are: bento ls\n", LIST,
         ""},
	{"log work", 1, "",
         "bento log: work has no log: it has not been started yet\n", LIST, ""},
};

static int set_up(void **state)
{
	static struct fake_manager m;

	fake_manager_start(&m, script, ARRAY_LEN(script));
	*state = &m;
	return 0;
}

static int tear_down(void **state)
{
	fake_manager_stop(*state);
	return 0;
}

static void expect(const char *command, const char *what, const char *got,
                   const char *want)
{
	if (want && strcmp(got, want) != 0)
		fail_msg("%s: %s is \"%s\", not \"%s\"", command, what, got,
		         want);
}

static void commands_ask_for_the_right_thing(void **state)
{
	struct fake_manager *m = *state;

	for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
		const char *words[16] = {NULL};
		char text[128];
		char *rest = NULL;
		size_t count = 0;
		int status;

		(void)snprintf(text, sizeof(text), "%s", runs[i].command);
		for (char *word = strtok_r(text, " ", &rest); word;
		     word = strtok_r(NULL, " ", &rest))
			words[count++] = word;
		buffer_clear(&m->asked);
		status = fake_manager_run(m, runs[i].input, words);
		if (status != runs[i].status)
			fail_msg("%s: status %d: %s", runs[i].command, status,
			         fake_manager_err(m));
		expect(runs[i].command, "output", fake_manager_out(m),
		       runs[i].out);
		expect(runs[i].command, "error", fake_manager_err(m),
		       runs[i].err);
		expect(runs[i].command, "request", fake_manager_asked(m),
		       runs[i].asked);
	}
}

static void every_verb_has_help(void **state)
{
	const struct verb *v;

	for (size_t i = 0; (v = verbs_at(i)); i++) {
		assert_int_equal(RUN(*state, v->name, "--help"), 0);
		assert_non_null(strstr(fake_manager_out(*state), "--help"));
		assert_int_not_equal(RUN(*state, v->name, "--no-such-option"),
		                     0);
		assert_ptr_equal(verbs_find(v->name), v);
	}
}

static void what_is_said_wrong_costs_nothing(void **state)
{
	struct fake_manager *m = *state;

	buffer_clear(&m->asked);
	assert_int_equal(RUN(m, "kill"), 2);
	assert_int_equal(RUN(m, "kill", "--all", "work"), 2);
	assert_int_equal(RUN(m, "kill", "work", "--exclude", "work"), 2);
	assert_int_equal(m->asked.size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_ask_for_the_right_thing),
		cmocka_unit_test(every_verb_has_help),
		cmocka_unit_test(what_is_said_wrong_costs_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
