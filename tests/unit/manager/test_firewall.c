/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/firewall.h"

#include <string.h>

#include "cmocka_all.h"

/* What must be refused, and why. */
static const struct {
	const char *why, *rules;
} refused[] = {
	{"no action", "proto=tcp\n"},
	{"an empty line", "\n"},
	{"an action we do not know", "action=reject\n"},
	{"action twice", "action=drop action=drop\n"},
	{"a key we do not know", "action=drop port=80\n"},
	{"a word without a value", "action=drop tcp\n"},
	{"two blanks", "action=drop  proto=tcp\n"},
	{"a blank at the end", "action=drop \n"},
	{"ports without a protocol", "action=drop dstports=80\n"},
	{"ports of icmp", "action=drop proto=icmp dstports=80\n"},
	{"ports the wrong way round", "action=drop proto=tcp dstports=9-8\n"},
	{"a port too large", "action=drop proto=tcp dstports=65536\n"},
	{"a type without icmp", "action=drop proto=tcp icmptype=8\n"},
	{"an address that is none", "action=drop dst4=1.2.3\n"},
	{"a mask too long", "action=drop dst4=1.2.3.4/33\n"},
	{"a mask too long, IPv6", "action=drop dst6=::/129\n"},
	{"two destinations", "action=drop dst4=1.2.3.4 dst6=::1\n"},
	{"a host name with a slash", "action=drop dsthost=a/b\n"},
	{"a special target we do not know", "action=drop specialtarget=ntp\n"},
	{"an expiry in the past's words", "action=drop expire=never\n"},
	{"a byte above ASCII", "action=drop comment=\xff\n"},
	{"a second line that is wrong", "action=accept\naction=?\n"},
};

static void refuses_what_makes_no_sense(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct fault f = {""};
		int got = firewall_check(span_str(refused[i].rules), &f);

		if (got != -EINVAL || !*f.text)
			fail_msg("%s: got %d", refused[i].why, got);
	}
}

static void takes_what_qubes_has(void **state)
{
	static const char *const good[] = {
		"",
		"action=accept",
		FIREWALL_DEFAULT,
		"action=drop proto=udp specialtarget=dns\n",
		"action=accept proto=tcp dst4=10.0.0.0/8 dstports=80-443\n",
		"action=accept dst6=2001:db8::/32 comment=a = b  c\n",
		"action=accept dsthost=example.com expire=1700000000\n",
		"action=accept proto=icmp icmptype=8\naction=drop\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct fault f = {""};

		if (firewall_check(span_str(good[i]), &f) != 0)
			fail_msg("%s: %s", good[i], f.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_makes_no_sense),
		cmocka_unit_test(takes_what_qubes_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
