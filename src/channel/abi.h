/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linux's structures as an x86-64 program lays them out, under names of their
 * own: libc and the kernel headers declare several of them twice.
 */
#pragma once

#include "base/base.h"

typedef int32_t abi_int;
typedef int64_t abi_off;
typedef uint64_t abi_sigset;

typedef struct {
	int32_t fd[2];
} abi_fdpair;

typedef struct {
	int64_t sec;
	int64_t nsec;
} abi_timespec;

/* Of access and of change, as utimensat(2) has them. */
typedef abi_timespec abi_filetimes[2];

typedef struct {
	int64_t sec;
	int64_t usec;
} abi_timeval;

typedef struct {
	int32_t minutes_west;
	int32_t dst;
} abi_timezone;

typedef struct {
	abi_timespec interval;
	abi_timespec value;
} abi_itimerspec;

typedef struct {
	abi_timeval interval;
	abi_timeval value;
} abi_itimerval;

typedef struct {
	int64_t atime;
	int64_t mtime;
} abi_utimbuf;

typedef struct {
	uint64_t base;
	uint64_t size;
} abi_iovec;

typedef struct {
	int32_t fd;
	int16_t events;
	int16_t revents;
} abi_pollfd;

typedef struct {
	uint32_t events;
	uint64_t data;
} __attribute__((packed)) abi_epoll_event;

typedef struct {
	uint64_t dev;
	uint64_t ino;
	uint64_t nlink;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	uint32_t pad0;
	uint64_t rdev;
	int64_t size;
	int64_t blksize;
	int64_t blocks;
	abi_timespec atime;
	abi_timespec mtime;
	abi_timespec ctime;
	int64_t unused[3];
} abi_stat;

typedef struct {
	int64_t sec;
	uint32_t nsec;
	int32_t pad;
} abi_statx_time;

typedef struct {
	uint32_t mask;
	uint32_t blksize;
	uint64_t attributes;
	uint32_t nlink;
	uint32_t uid;
	uint32_t gid;
	uint16_t mode;
	uint16_t pad0;
	uint64_t ino;
	uint64_t size;
	uint64_t blocks;
	uint64_t attributes_mask;
	abi_statx_time atime;
	abi_statx_time btime;
	abi_statx_time ctime;
	abi_statx_time mtime;
	uint32_t rdev_major;
	uint32_t rdev_minor;
	uint32_t dev_major;
	uint32_t dev_minor;
	uint64_t mnt_id;
	uint64_t spare[13];
} abi_statx;

typedef struct {
	int64_t type;
	int64_t bsize;
	int64_t blocks;
	int64_t bfree;
	int64_t bavail;
	int64_t files;
	int64_t ffree;
	int32_t fsid[2];
	int64_t namelen;
	int64_t frsize;
	int64_t flags;
	int64_t spare[4];
} abi_statfs;

typedef struct {
	uint64_t handler;
	uint64_t flags;
	uint64_t restorer;
	uint64_t mask;
} abi_sigaction;

/* siginfo_t: the three words all have in common, then what si_code says. */
typedef struct {
	int32_t signo;
	int32_t err;
	int32_t code;
	int32_t pad0;
	union {
		struct {
			int32_t pid;
			uint32_t uid;
			union {
				int32_t status;
				uint64_t value; /* sigval, at offset 24 */
			};
			int64_t utime;
			int64_t stime;
		};
		struct {
			int32_t timer_id;
			int32_t overrun;
			uint64_t timer_value;
		};
		uint64_t addr; /* faults */
		struct {
			int64_t band;
			int32_t fd;
		};
		uint8_t bytes[112];
	};
} abi_siginfo;

typedef struct {
	uint64_t value;
	int32_t signo;
	int32_t notify;
	int32_t tid;
	uint8_t pad[44];
} abi_sigevent;

typedef struct {
	uint64_t name;
	uint32_t name_size;
	uint32_t pad0;
	uint64_t iov;
	uint64_t iov_count;
	uint64_t control;
	uint64_t control_size;
	uint32_t flags;
	uint32_t pad1;
} abi_msghdr;

typedef struct {
	abi_timeval utime;
	abi_timeval stime;
	int64_t maxrss;
	int64_t ixrss;
	int64_t idrss;
	int64_t isrss;
	int64_t minflt;
	int64_t majflt;
	int64_t nswap;
	int64_t inblock;
	int64_t oublock;
	int64_t msgsnd;
	int64_t msgrcv;
	int64_t nsignals;
	int64_t nvcsw;
	int64_t nivcsw;
} abi_rusage;

typedef struct {
	uint64_t cur;
	uint64_t max;
} abi_rlimit;

typedef struct {
	int64_t utime;
	int64_t stime;
	int64_t cutime;
	int64_t cstime;
} abi_tms;

typedef struct {
	int64_t uptime;
	uint64_t loads[3];
	uint64_t totalram;
	uint64_t freeram;
	uint64_t sharedram;
	uint64_t bufferram;
	uint64_t totalswap;
	uint64_t freeswap;
	uint16_t procs;
	uint16_t pad0;
	uint32_t pad1;
	uint64_t totalhigh;
	uint64_t freehigh;
	uint32_t mem_unit;
	uint32_t pad2;
} abi_sysinfo;

typedef struct {
	char sysname[65];
	char nodename[65];
	char release[65];
	char version[65];
	char machine[65];
	char domainname[65];
} abi_utsname;

static_assert(sizeof(abi_stat) == 144, "struct stat");
static_assert(sizeof(abi_statx) == 256, "struct statx");
static_assert(sizeof(abi_statfs) == 120, "struct statfs");
static_assert(sizeof(abi_siginfo) == 128, "siginfo_t");
static_assert(sizeof(abi_sigevent) == 64, "struct sigevent");
static_assert(sizeof(abi_msghdr) == 56, "struct msghdr");
static_assert(sizeof(abi_rusage) == 144, "struct rusage");
static_assert(sizeof(abi_sysinfo) == 112, "struct sysinfo");
static_assert(sizeof(abi_utsname) == 390, "struct utsname");
