/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/firewall.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define VALUE_MAX 256u

struct rule {
	unsigned seen; /* bits by place in `keys` */
	char proto[VALUE_MAX];
};

static bool number(const char *text, unsigned long long most,
                   unsigned long long *out)
{
	size_t len = strspn(text, "0123456789");

	if (len == 0 || len > 18 || text[len] != '\0')
		return false;
	*out = strtoull(text, NULL, 10);
	return *out <= most;
}

static bool action_ok(struct rule *r, char *value)
{
	(void)r;
	return strcmp(value, "accept") == 0 || strcmp(value, "drop") == 0;
}

static bool proto_ok(struct rule *r, char *value)
{
	(void)snprintf(r->proto, sizeof(r->proto), "%s", value);
	return strcmp(value, "tcp") == 0 || strcmp(value, "udp") == 0 ||
	       strcmp(value, "icmp") == 0;
}

static bool address_ok(int family, char *value, unsigned most)
{
	char *slash = strchr(value, '/');
	unsigned long long bits;
	uint8_t address[16];

	if (slash) {
		*slash = '\0';
		if (!number(slash + 1, most, &bits))
			return false;
	}
	return inet_pton(family, value, address) == 1;
}

static bool dst4_ok(struct rule *r, char *value)
{
	(void)r;
	return address_ok(AF_INET, value, 32);
}

static bool dst6_ok(struct rule *r, char *value)
{
	(void)r;
	return address_ok(AF_INET6, value, 128);
}

static bool dsthost_ok(struct rule *r, char *value)
{
	size_t len = strspn(value, "abcdefghijklmnopqrstuvwxyz"
	                           "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

	(void)r;
	return len > 0 && len < 254 && value[len] == '\0' && value[0] != '-';
}

static bool dstports_ok(struct rule *r, char *value)
{
	char *dash = strchr(value, '-');
	unsigned long long from, to;

	(void)r;
	if (!dash)
		return number(value, 65535, &from);
	*dash = '\0';
	return number(value, 65535, &from) && number(dash + 1, 65535, &to) &&
	       from <= to;
}

static bool icmptype_ok(struct rule *r, char *value)
{
	unsigned long long n;

	(void)r;
	return number(value, 255, &n);
}

static bool specialtarget_ok(struct rule *r, char *value)
{
	(void)r;
	return strcmp(value, "dns") == 0;
}

static bool expire_ok(struct rule *r, char *value)
{
	unsigned long long n;

	(void)r;
	return number(value, 1ull << 53, &n);
}

enum { ACTION, PROTO, DST4, DST6, DSTHOST, DSTPORTS, ICMPTYPE };

static const struct {
	const char *name;
	bool (*ok)(struct rule *r, char *value);
} keys[] = {
	[ACTION] = {"action", action_ok},
	[PROTO] = {"proto", proto_ok},
	[DST4] = {"dst4", dst4_ok},
	[DST6] = {"dst6", dst6_ok},
	[DSTHOST] = {"dsthost", dsthost_ok},
	[DSTPORTS] = {"dstports", dstports_ok},
	[ICMPTYPE] = {"icmptype", icmptype_ok},
	{"specialtarget", specialtarget_ok},
	{"expire", expire_ok},
};

/* NULL, or what is wrong with KEY=VALUE. */
static const char *check_word(struct rule *r, struct span word)
{
	char text[VALUE_MAX];
	char *equals;

	if (word.size >= sizeof(text))
		return "a word is too long";
	memcpy(text, word.at, word.size);
	text[word.size] = '\0';
	equals = strchr(text, '=');
	if (!equals)
		return "a word is not KEY=VALUE";
	*equals = '\0';
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strcmp(keys[i].name, text) != 0)
			continue;
		if (r->seen & 1u << i)
			return "a key comes twice";
		r->seen |= 1u << i;
		return keys[i].ok(r, equals + 1) ? NULL
		                                 : "a value makes no sense";
	}
	return "there is no such key";
}

static const char *check_whole(const struct rule *r)
{
	unsigned targets = r->seen & (1u << DST4 | 1u << DST6 | 1u << DSTHOST);

	if (!(r->seen & 1u << ACTION))
		return "the action is missing";
	if (targets & (targets - 1))
		return "only one of dst4, dst6 and dsthost may be there";
	if (r->seen & 1u << DSTPORTS && strcmp(r->proto, "tcp") != 0 &&
	    strcmp(r->proto, "udp") != 0)
		return "dstports goes with proto=tcp or proto=udp only";
	if (r->seen & 1u << ICMPTYPE && strcmp(r->proto, "icmp") != 0)
		return "icmptype goes with proto=icmp only";
	return NULL;
}

static const char *check_rule(struct span line)
{
	struct rule r = {0};

	while (line.size > 0) {
		const uint8_t *end = memchr(line.at, ' ', line.size);
		struct span word = {
			line.at,
			end ? (size_t)(end - line.at) : line.size,
		};
		const char *wrong;

		if (word.size >= 8 && memcmp(word.at, "comment=", 8) == 0)
			break;
		wrong = check_word(&r, word);
		if (wrong)
			return wrong;
		if (end && word.size + 1 == line.size)
			return "a blank at the end";
		line = span_from(line, word.size + 1);
	}
	return check_whole(&r);
}

int firewall_check(struct span rules, struct fault *f)
{
	unsigned number_of_line = 0;

	for (size_t i = 0; i < rules.size; i++)
		if ((rules.at[i] < ' ' && rules.at[i] != '\n') ||
		    rules.at[i] > '~')
			return fault_set(f, -EINVAL,
			                 "rules are of printable ASCII");
	while (rules.size > 0) {
		const uint8_t *end = memchr(rules.at, '\n', rules.size);
		struct span line = {
			rules.at,
			end ? (size_t)(end - rules.at) : rules.size,
		};
		const char *wrong = check_rule(line);

		number_of_line++;
		if (wrong)
			return fault_set(f, -EINVAL, "rule %u: %s",
			                 number_of_line, wrong);
		rules = span_from(rules, line.size + 1);
	}
	return 0;
}
