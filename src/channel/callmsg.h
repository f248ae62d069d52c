/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls between qubes: what a qube's kernel and the manager tell each other.
 *
 * The manager opens a connection to the kernel of each running qube and says
 * `calls` on it (channel/control.def).  From then on:
 *
 *	kernel to manager               manager to kernel
 *	call {id, number, flags} + record  allowed {id, number} + streams
 *	gone {id}                       refused {id}
 *	serving {count}                 calls
 *	over {id, exit status, count}   serve {id, flags} + record + streams
 *
 * A program in the source qube asks: its kernel sends `call` under a number of
 * its own, and waits.  `refused` ends it, without a reason.  So does the
 * program that asked, by going away: `gone`, after which either answer is
 * ignored, with its descriptors closed.
 *
 * If it is allowed, the manager makes the streams, sends `serve` with one half
 * to the target's kernel, and `allowed` with the other half to the source's;
 * it need not wait between these.  What becomes of the service, even that there
 * is none, is told by the stream of its status; then `over`, once for each
 * `serve` that wants it (CALLMSG_TELL).  The numbers of `serve` are the
 * manager's; a manager does well to begin where no earlier one can have been
 * (at the clock, say), since what was begun for an earlier connection is over
 * for a later one.
 *
 * A call need not wait for its streams.  With `allowed` for one that would not have
 * waited (CALLMSG_EARLY) the manager sends, behind that call's own, streams for a call
 * to come, under a number, and keeps their other half.  The next such call names it
 * (others 0) and has its streams: `allowed` comes without.  What has been written
 * into them meanwhile is there when the service begins.  `refused` comes behind their end, with CALLMSG_EXIT_REFUSED as the
 * status.  So a call takes one way through three processes, not two.  Streams
 * come from the manager only, since a kernel is not to choose what another gets.
 * With the connection they end, also of calls not yet decided.
 *
 * The latest connection that said `calls` is the one for calls; an older one
 * is closed.  It is answered by `serving`; and whatever calls wait are sent to
 * it (anew, and under their old numbers, if an earlier manager had them).  What
 * has been joined goes on without any manager.  Without one, calls wait a few
 * seconds, and are refused then; in a qube that does not last (LAUNCH_LISTEN),
 * at once.
 *
 * Neither side may wait for the other: what a full socket does not take must be
 * kept until it does.
 *
 * The streams are two stream sockets, and two pipes for what is only told, one
 * end of each for either qube, and each for one direction:
 *
 *	CALLMSG_IN      bytes for the service        source writes
 *	CALLMSG_OUT     bytes from the service       target writes
 *	CALLMSG_ERRORS  its standard errors          target writes
 *	CALLMSG_STATUS  its exit status, in four bytes, little-endian: target
 *
 * An end of file is a closed end, so each direction ends by itself, also by
 * what knows nothing but close(2).  A status that ends without its four bytes
 * means that the service was lost (125).
 *
 * The record of `call` and `serve` is four names with one space between them,
 *
 *	SERVICE+ARGUMENT TARGET SOURCE USER
 *
 * of which the last three may be empty.  If it is at most CONTROL_TEXT_MAX
 * bytes long, it is the text of the message; else the text is empty, and the
 * record in a memory file (base/memfile.h), a descriptor before those of the
 * streams.
 *
 *	           call                          serve
 *	SERVICE    what is asked for             what is to be served
 *	TARGET     as asked: a name, "@..."      what had been asked for
 *	SOURCE     for whom, of TRIGGER_         the caller's name, for
 *	           SERVICE4; or empty            QREXEC_REMOTE_DOMAIN
 *	USER       empty                         whom it runs as; empty: `user`
 *
 * All consist of letters, digits and "+-._", a target also of "@:"; SERVICE has
 * a '+', with or without something behind it, and does not begin with one.
 */
#pragma once

#include "channel/control.h"

/* In `flags` of `call`. */
#define CALLMSG_EARLY 1u /* its program would take streams before the answer */

/* In `flags` of `serve`. */
#define CALLMSG_NOGUI 1u /* without the desktop of the user, if there is one */
#define CALLMSG_TELL  2u /* the manager wants to hear when it is over */
#define CALLMSG_FLAGS 3u

#define CALLMSG_NAME_MAX    63u
#define CALLMSG_SERVICE_MAX 65000u
#define CALLMSG_SIZE_MAX    (CALLMSG_SERVICE_MAX + 3u * (CALLMSG_NAME_MAX + 1u))

enum callmsg_stream {
	CALLMSG_IN,
	CALLMSG_OUT,
	CALLMSG_ERRORS,
	CALLMSG_STATUS,
	CALLMSG_STREAMS,
};

/* Exit statuses that have a meaning of ours. */
#define CALLMSG_EXIT_PROBLEM    125u
#define CALLMSG_EXIT_REFUSED    126u
#define CALLMSG_EXIT_NO_SERVICE 127u

struct callmsg {
	struct span service; /* with the '+' */
	struct span target;
	struct span source;
	struct span user;
};

/*
 * Reads a record.  The names in *out lie in `text`.  0, or -EPROTO and *out is
 * left alone.
 */
must_check int callmsg_parse(struct span text, struct callmsg *out);

/*
 * Sends a `call` or `serve` without waiting; of `c`, kind and values are used.
 * `streams` (borrowed) is NULL for a `call`.  0, -EINVAL when callmsg_parse()
 * would refuse it, or what control_send() or making a memory file said.
 */
must_check int callmsg_send(int sock, const struct control *c,
                            const struct callmsg *m,
                            const int streams[CALLMSG_STREAMS]);

/*
 * Takes the record out of a received `call` or `serve`, and for a `serve` the
 * streams, which are the caller's then.  0, and the names in *out lie in *text,
 * which the caller frees; -EMFILE (descriptors were lost), -EPROTO, -ENOMEM.
 */
must_check int callmsg_take(const struct control *c, struct control_fds *fds,
                            char **text, struct callmsg *out,
                            int streams[CALLMSG_STREAMS]);

/*
 * Takes four streams of a received `allowed`, from descriptor `from` on.  0, -EMFILE,
 * -EPROTO.
 */
must_check int callmsg_take_streams(struct control_fds *fds, uint32_t from,
                                    int streams[CALLMSG_STREAMS]);

/*
 * Writes the exit status into its stream, as the first on it: there is room, or
 * nobody reads.
 */
void callmsg_tell_status(int stream, uint32_t status);

/* Closes those that are not -1, and makes them so. */
void callmsg_close(int streams[CALLMSG_STREAMS]);
