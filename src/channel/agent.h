/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket in a qube on which its programs ask for calls to other qubes.
 *
 * AGENT_SOCKET is a listening AF_UNIX stream socket of the kernel's; anyone in
 * the qube may connect.  The program sends one request, as Qubes OS's agent
 * takes it:
 *
 *	le32 type	AGENT_TRIGGER3 or AGENT_TRIGGER4
 *	le32 size	of what follows
 *	[source[64]	AGENT_TRIGGER4 only: for whom; or empty]
 *	target[64]	the qube; empty: "@default"
 *	ident[32]	the program's own name for its request
 *	service		"NAME" or "NAME+ARGUMENT", at most 65000 bytes and an
 *			optional NUL
 *
 * The names before the service end with a NUL, and are NUL from there on; ident
 * consists of letters, digits and "_.- ".  A request that breaks this is
 * answered by the end of the connection.  In a service, characters other than
 * letters, digits and "+-._" become a '_'; in source and target "@" and ":" stay
 * as well.
 *
 * Then it waits.  If it goes away instead, nobody is asked any more.  The answer
 * is one message:
 *
 *	le32 type	AGENT_REFUSED
 *	le32 size	32
 *	ident[32]	as it came
 *
 * or
 *
 *	le32 type	AGENT_ALLOWED
 *	le32 size	32
 *	ident[32]	as it came
 *
 * together with four descriptors (SCM_RIGHTS beside its first byte), one for
 * each direction: to write to the service's standard input; to read its standard
 * output; to read its standard errors; and to read its exit status, in four
 * bytes, little-endian.  Each ends by being closed.  A status that ends without
 * its four bytes means that the service was lost.
 *
 * A program that need not know the answer before it begins adds AGENT_EARLY to the
 * type of its request.  Then AGENT_BEGUN may come before the answer, in the same
 * form, with the four descriptors; the answer has none then.  What is written
 * meanwhile waits, and goes nowhere if the call is refused: the streams end, with
 * AGENT_EXIT_REFUSED as the status.  The program still has to stay for the answer.
 *
 * After the answer, and if it cannot be had, the kernel closes the connection.
 * A client ends with AGENT_EXIT_REFUSED when it was refused, with
 * AGENT_EXIT_PROBLEM when there was no answer or no status, and else with the
 * service's own status (AGENT_EXIT_NO_SERVICE when there is no such service).
 *
 * Nothing here needs more than C, so programs for the qube may include it.
 */
#pragma once

#define AGENT_SOCKET "/run/qubes/qrexec-agent"

#define AGENT_TRIGGER3 0x212u
#define AGENT_TRIGGER4 0x213u
#define AGENT_REFUSED  0x203u
#define AGENT_EARLY    0x80000000u /* of ours, as what follows is */
#define AGENT_ALLOWED  0x7b000001u
#define AGENT_BEGUN    0x7b000002u

#define AGENT_HEADER_SIZE 8u
#define AGENT_NAME_SIZE   64u /* of source and target */
#define AGENT_IDENT_SIZE  32u
#define AGENT_SERVICE_MAX 65000u
#define AGENT_ANSWER_SIZE (AGENT_HEADER_SIZE + AGENT_IDENT_SIZE)

enum agent_stream {
	AGENT_IN,     /* write: the service's standard input */
	AGENT_OUT,    /* read: its standard output */
	AGENT_ERRORS, /* read: its standard errors */
	AGENT_STATUS, /* read: its exit status */
	AGENT_STREAMS,
};

#define AGENT_EXIT_PROBLEM    125
#define AGENT_EXIT_REFUSED    126
#define AGENT_EXIT_NO_SERVICE 127
