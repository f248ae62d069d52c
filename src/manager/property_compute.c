/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/property_compute.h"

#include <stdio.h>
#include <sys/sysinfo.h>

typedef bool compute(struct ledger *l, const struct qube *q, char *out);

static bool put(char *out, const char *text)
{
	(void)snprintf(out, PROPERTY_VALUE_MAX, "%s", text);
	return true;
}

static bool compute_name(struct ledger *l, const struct qube *q, char *out)
{
	(void)l;
	return put(out, q->name);
}

static bool compute_qid(struct ledger *l, const struct qube *q, char *out)
{
	(void)l;
	(void)snprintf(out, PROPERTY_VALUE_MAX, "%u", q->id);
	return true;
}

static bool compute_uuid(struct ledger *l, const struct qube *q, char *out)
{
	(void)l;
	return put(out, q->uuid);
}

static bool compute_klass(struct ledger *l, const struct qube *q, char *out)
{
	(void)l;
	return put(out, qube_class_name(q->class));
}

static bool compute_label(struct ledger *l, const struct qube *q, char *out)
{
	(void)l;
	return put(out, q->class == QUBE_AdminVM ? "black" : "red");
}

static bool compute_icon(struct ledger *l, const struct qube *q, char *out)
{
	static const char *const kind[QUBE_CLASSES] = {
		[QUBE_AdminVM] = "adminvm",
		[QUBE_AppVM] = "appvm",
		[QUBE_TemplateVM] = "templatevm",
		[QUBE_StandaloneVM] = "standalonevm",
		[QUBE_DispVM] = "dispvm",
		[QUBE_RemoteVM] = "remotevm",
	};
	char label[PROPERTY_VALUE_MAX];

	property_text(l, q, "label", label);
	(void)snprintf(out, PROPERTY_VALUE_MAX, "%s-%.200s", kind[q->class],
	               label);
	return true;
}

/* An unnamed disposable is called "disp" and its number. */
static bool compute_dispid(struct ledger *l, const struct qube *q, char *out)
{
	uint64_t n;

	(void)l;
	if (strncmp(q->name, "disp", 4) == 0 &&
	    property_compute_number(q->name + 4, &n))
		return put(out, q->name + 4);
	return put(out, "0");
}

/* Ten times the memory or 4000, but no more than half of the machine's. */
static bool compute_maxmem(struct ledger *l, const struct qube *q, char *out)
{
	uint64_t most = MAX(property_number(l, q, "memory") * 10,
	                    (uint64_t)4000);
	struct sysinfo si;

	if (sysinfo(&si) == 0)
		most = MIN(most, (uint64_t)si.totalram * si.mem_unit >> 21);
	(void)snprintf(out, PROPERTY_VALUE_MAX, "%llu",
	               (unsigned long long)most);
	return true;
}

static bool compute_include_in_backups(struct ledger *l, const struct qube *q,
                                       char *out)
{
	bool gone = q->class == QUBE_DispVM &&
	            property_true(l, q, "auto_cleanup");

	return put(out, gone ? "False" : "True");
}

static bool compute_updateable(struct ledger *l, const struct qube *q,
                               char *out)
{
	(void)l;
	return put(out, q->class == QUBE_AppVM || q->class == QUBE_DispVM ||
	                                q->class == QUBE_RemoteVM
	                        ? "False"
	                        : "True");
}

/* 10.137.x.y by number; disposables 10.138.x.y. */
static bool compute_ip(struct ledger *l, const struct qube *q, char *out)
{
	char dispid[PROPERTY_VALUE_MAX];
	uint64_t n = q->id;
	int net = 137;

	if (q->class == QUBE_DispVM && compute_dispid(l, q, dispid) &&
	    strcmp(dispid, "0") != 0 && property_compute_number(dispid, &n))
		net = 138;
	(void)snprintf(out, PROPERTY_VALUE_MAX, "10.%d.%u.%u", net,
	               (unsigned)(n >> 8 & 0xff), (unsigned)(n & 0xff));
	return true;
}

static bool compute_mac(struct ledger *l, const struct qube *q, char *out)
{
	(void)l;
	(void)snprintf(out, PROPERTY_VALUE_MAX, "00:16:3e:5e:6c:%02x",
	               q->id & 0xffu);
	return true;
}

/* The manager writes it down when the qube has started. */
static bool compute_start_time(struct ledger *l, const struct qube *q,
                               char *out)
{
	(void)l;
	(void)q;
	return put(out, "");
}

static const struct {
	const char *name;
	compute *compute;
} computed[] = {
	{"name", compute_name},
	{"remote_name", compute_name},
	{"qid", compute_qid},
	{"uuid", compute_uuid},
	{"klass", compute_klass},
	{"label", compute_label},
	{"icon", compute_icon},
	{"dispid", compute_dispid},
	{"maxmem", compute_maxmem},
	{"include_in_backups", compute_include_in_backups},
	{"updateable", compute_updateable},
	{"ip", compute_ip},
	{"mac", compute_mac},
	{"start_time", compute_start_time},
};

bool property_compute(struct ledger *l, const struct qube *q, const char *name,
                      char out[PROPERTY_VALUE_MAX])
{
	for (size_t i = 0; i < ARRAY_LEN(computed); i++)
		if (strcmp(computed[i].name, name) == 0)
			return computed[i].compute(l, q, out);
	return false;
}

bool property_compute_number(const char *text, uint64_t *out)
{
	uint64_t n = 0;

	if (*text == '\0' || strlen(text) > 18)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		n = n * 10 + (uint64_t)(*text - '0');
	}
	*out = n;
	return true;
}
