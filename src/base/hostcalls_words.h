/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of a table of host calls, as rows of base/hostcalls.h.  Included
 * before each table, which takes HOSTCALL and HOSTFAIL away again.
 */
#define ANY      HOSTCALLS_ANY
#define IS       HOSTCALLS_IS
#define ONLY     HOSTCALLS_ONLY
#define NONE_OF  HOSTCALLS_NONE_OF
#define IS64     HOSTCALLS_IS64
#define HOSTFAIL HOSTCALLS_FAIL
#define HOSTCALL HOSTCALLS_CALL
