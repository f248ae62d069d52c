/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of qrexec, as Qubes OS has them.
 *
 * A message is a header of eight bytes, the type and the size of the body, and
 * the body; all numbers are little-endian. messages.def lists the types.
 *
 *	HELLO                  le32 version
 *	EXEC_CMDLINE           le32 domain, le32 port, command, NUL
 *	JUST_EXEC              the same
 *	SERVICE_CONNECT        le32 domain, le32 port, ident, NUL
 *	SERVICE_REFUSED        ident[32]
 *	CONNECTION_TERMINATED  le32 domain, le32 port
 *	TRIGGER_SERVICE3       target[64], ident[32], service, NUL
 *	TRIGGER_SERVICE4       source[64], target[64], ident[32], service, NUL
 *	DATA_EXIT_CODE         le32 code
 *	DATA_*                 bytes, at most what qrmsg_chunk() says
 *
 * Text in a field of fixed size ends with a NUL, and all behind it is NUL. Text
 * at the end of a message has exactly one NUL, its last byte.
 *
 * Nothing here reads or writes a descriptor.
 */
#pragma once

#include "base/buffer.h"

#define QRMSG_HEADER_SIZE 8u

/* The version we speak, the oldest that we understand. The lower one of two
 * HELLOs is spoken. */
#define QRMSG_VERSION        4u
#define QRMSG_VERSION_OLDEST 2u

#define QRMSG_CHUNK_MAX 65536u
#define QRMSG_NAME_MAX  65000u
#define QRMSG_EXEC_MAX  (8u + 65535u)
#define QRMSG_BODY_MAX  QRMSG_EXEC_MAX /* of all messages */

#define QRMSG_QUBE_SIZE  64u
#define QRMSG_IDENT_SIZE 32u

#define QRMSG_PORT_CONTROL 512u
#define QRMSG_PORT_DATA    513u
#define QRMSG_CONNECTIONS  256u

/* How a client ends when no program's code is there to be told. */
enum qrmsg_code {
	QRMSG_PROBLEM = 125,
	QRMSG_REFUSED = 126,
	QRMSG_NO_SERVICE = 127,
};

enum qrmsg_type {
#define MESSAGE(number, name, least, most, body) QRMSG_##name = (number),
#include "qrexec/messages.def"
};

struct qrmsg_header {
	uint32_t type;
	uint32_t size; /* of the body that follows */
};

/*
 * Reads a header. 0 and *out; or -EPROTO, when there is no such message or its
 * body cannot have that size. So a body is at most QRMSG_BODY_MAX bytes.
 */
must_check int qrmsg_header_read(const uint8_t wire[QRMSG_HEADER_SIZE],
                                 struct qrmsg_header *out);
void qrmsg_header_write(struct qrmsg_header h, uint8_t wire[QRMSG_HEADER_SIZE]);

/* The name in the table; NULL: there is none. */
const char *qrmsg_type_name(uint32_t type);

/* The size of data messages in that version. */
uint32_t qrmsg_chunk(uint32_t version);

/*
 * HELLO: the version to speak with a peer of version `theirs`; -EPROTONOSUPPORT
 * if it is too old.
 */
must_check int qrmsg_version(uint32_t theirs);

/* A number: HELLO and DATA_EXIT_CODE. 0, or -EPROTO. */
must_check int qrmsg_number_read(struct span body, uint32_t *out);

/* EXEC_CMDLINE, JUST_EXEC, SERVICE_CONNECT. */
struct qrmsg_exec {
	uint32_t domain;
	uint32_t port;
	struct span text; /* without the NUL; points into the body */
};

/* 0, or -EPROTO and *out is left alone. */
must_check int qrmsg_exec_read(struct span body, struct qrmsg_exec *out);

/*
 * The same without a text: CONNECTION_TERMINATED, and a daemon's answer to
 * EXEC_CMDLINE and JUST_EXEC, which says at which port to meet.
 */
must_check int qrmsg_port_read(struct span body, struct qrmsg_exec *out);

/* TRIGGER_SERVICE3 and 4; SERVICE_REFUSED, which has an ident only. */
struct qrmsg_trigger {
	struct span source; /* empty with TRIGGER_SERVICE3 */
	struct span target; /* may be empty: whatever policy says */
	struct span ident;
	struct span service;
};

/*
 * Reads one and holds names to qrname.h. The spans point into the body. 0;
 * -EPROTO, when it is not of that form; or -EINVAL, when a name is refused. *out
 * is left alone then.
 */
must_check int qrmsg_trigger_read(uint32_t type, struct span body,
                                  struct qrmsg_trigger *out);
must_check int qrmsg_refused_read(struct span body, struct span *ident);

/*
 * Each appends a whole message. Texts that do not fit are our own mistakes.
 */
void qrmsg_put_number(struct buffer *to, enum qrmsg_type type, uint32_t n);
void qrmsg_put_exec(struct buffer *to, enum qrmsg_type type,
                    const struct qrmsg_exec *e);
void qrmsg_put_port(struct buffer *to, enum qrmsg_type type, uint32_t domain,
                    uint32_t port);
void qrmsg_put_trigger(struct buffer *to, enum qrmsg_type type,
                       const struct qrmsg_trigger *t);
void qrmsg_put_refused(struct buffer *to, struct span ident);
void qrmsg_put_data(struct buffer *to, enum qrmsg_type type, struct span bytes);
