/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/world_text.h"

#include <stdio.h>

/* The accounts programs of a Debian expect, with the numbers they have there.
 * name, number, group, home */
static const struct account {
	const char *name;
	unsigned uid, gid;
	const char *home;
} accounts[] = {
	{"daemon", 1, 1, "/usr/sbin"},
	{"bin", 2, 2, "/bin"},
	{"sys", 3, 3, "/dev"},
	{"sync", 4, 65534, "/bin"},
	{"games", 5, 60, "/usr/games"},
	{"man", 6, 12, "/var/cache/man"},
	{"lp", 7, 7, "/var/spool/lpd"},
	{"mail", 8, 8, "/var/mail"},
	{"news", 9, 9, "/var/spool/news"},
	{"uucp", 10, 10, "/var/spool/uucp"},
	{"proxy", 13, 13, "/bin"},
	{"www-data", 33, 33, "/var/www"},
	{"backup", 34, 34, "/var/backups"},
	{"list", 38, 38, "/var/list"},
	{"irc", 39, 39, "/run/ircd"},
	{"_apt", 42, 65534, "/nonexistent"},
	{"nobody", 65534, 65534, "/nonexistent"},
};

static const struct group {
	const char *name;
	unsigned gid;
	bool user; /* is `user` in it */
} groups[] = {
	{"daemon", 1, false},      {"bin", 2, false},
	{"sys", 3, false},         {"adm", 4, true},
	{"tty", 5, false},         {"disk", 6, false},
	{"lp", 7, false},          {"mail", 8, false},
	{"news", 9, false},        {"uucp", 10, false},
	{"man", 12, false},        {"proxy", 13, false},
	{"kmem", 15, false},       {"dialout", 20, false},
	{"fax", 21, false},        {"voice", 22, false},
	{"cdrom", 24, true},       {"floppy", 25, false},
	{"tape", 26, false},       {"sudo", 27, true},
	{"audio", 29, true},       {"dip", 30, false},
	{"www-data", 33, false},   {"backup", 34, false},
	{"operator", 37, false},   {"list", 38, false},
	{"irc", 39, false},        {"src", 40, false},
	{"shadow", 42, false},     {"utmp", 43, false},
	{"video", 44, true},       {"sasl", 45, false},
	{"plugdev", 46, true},     {"staff", 50, false},
	{"games", 60, false},      {"users", 100, true},
	{"nogroup", 65534, false},
};

/* snprintf() behind `used`, never beyond `room`. */
#define ADD(...)                                                        \
	do {                                                            \
		int n_ = snprintf(to + used, room - used, __VA_ARGS__); \
		if (n_ > 0)                                             \
			used = MIN(used + (size_t)n_, room - 1);        \
	} while (0)

size_t world_text_passwd(struct kernel *k, const struct world_options *o,
                         char *to, size_t room)
{
	size_t used = 0;

	(void)k;
	ADD("root:x:0:0:root:/root:/bin/bash\n");
	for (size_t i = 0; i < ARRAY_LEN(accounts); i++) {
		const struct account *a = &accounts[i];

		ADD("%s:x:%u:%u:%s:%s:/usr/sbin/nologin\n", a->name, a->uid,
		    a->gid, a->name, a->home);
	}
	ADD("user:x:%u:%u:user:/home/user:/bin/bash\n", o->user_uid,
	    o->user_gid);
	return used;
}

size_t world_text_group(struct kernel *k, const struct world_options *o,
                        char *to, size_t room)
{
	size_t used = 0;

	(void)k;
	ADD("root:x:0:\n");
	for (size_t i = 0; i < ARRAY_LEN(groups); i++)
		ADD("%s:x:%u:%s\n", groups[i].name, groups[i].gid,
		    groups[i].user ? "user" : "");
	ADD("user:x:%u:\n", o->user_gid);
	return used;
}

size_t world_text_shadow(struct kernel *k, const struct world_options *o,
                         char *to, size_t room)
{
	size_t used = 0;

	(void)k, (void)o;
	ADD("root:*:19700:0:99999:7:::\n");
	for (size_t i = 0; i < ARRAY_LEN(accounts); i++)
		ADD("%s:*:19700:0:99999:7:::\n", accounts[i].name);
	ADD("user:*:19700:0:99999:7:::\n");
	return used;
}

size_t world_text_hostname(struct kernel *k, const struct world_options *o,
                           char *to, size_t room)
{
	size_t used = 0;

	(void)o;
	ADD("%s\n", k->hostname);
	return used;
}

size_t world_text_hosts(struct kernel *k, const struct world_options *o,
                        char *to, size_t room)
{
	size_t used = 0;

	(void)o;
	ADD("127.0.0.1\tlocalhost\n127.0.1.1\t%s\n\n", k->hostname);
	ADD("::1\tlocalhost ip6-localhost ip6-loopback\n");
	ADD("ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n");
	return used;
}

size_t world_text_machine_id(struct kernel *k, const struct world_options *o,
                             char *to, size_t room)
{
	const char *id = k->world->machine_id;
	size_t used = 0;

	(void)o;
	ADD("%s\n", id);
	return used;
}
