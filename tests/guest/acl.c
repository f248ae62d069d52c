/* SPDX-License-Identifier: Apache-2.0 */
/* Access control lists: who may, what new files inherit, and what chmod does. */
#include "check.h"

#include <grp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

#define ACCESS  "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"

enum {
	USER_OBJ = 1,
	USER = 2,
	GROUP_OBJ = 4,
	GROUP = 8,
	MASK = 16,
	OTHER = 32
};

struct entry {
	uint16_t tag, perm;
	uint32_t id;
};

struct list {
	uint32_t version;
	struct entry entry[8];
};

#define NOBODY ((uint32_t)-1)
#define LIST(...)                           \
	(&(struct list){2, {__VA_ARGS__}}), \
		4 + sizeof((struct entry[]){__VA_ARGS__})

/* Sets a list, which must be well formed, or not. */
static int set(const char *path, const char *name, const struct list *l,
               size_t size)
{
	return setxattr(path, name, l, size, 0);
}

/* Is this what the file has? */
static void is(const char *path, const char *name, const struct list *l,
               size_t size)
{
	struct list have;

	EQ(getxattr(path, name, &have, sizeof(have)), size);
	CHECK(!memcmp(&have, l, size));
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	OK(stat(path, &st));
	return st.st_mode & 07777;
}

#define OWNER(p)                    \
	{                           \
		USER_OBJ, p, NOBODY \
	}
#define GROUPS(p)                    \
	{                            \
		GROUP_OBJ, p, NOBODY \
	}
#define OTHERS(p)                \
	{                        \
		OTHER, p, NOBODY \
	}
#define MASKED(p)               \
	{                       \
		MASK, p, NOBODY \
	}
#define NAMED(u, p)        \
	{                  \
		USER, p, u \
	}
#define TEAM(g, p)          \
	{                   \
		GROUP, p, g \
	}

static void well_formed(void)
{
	struct list old = {1, {OWNER(7), GROUPS(5), OTHERS(0)}};
	struct list odd = {2, {OWNER(7), GROUPS(5), OTHERS(0)}};

	put_file("f", "");
	OK(chmod("f", 0640));
	FAILS(getxattr("f", ACCESS, NULL, 0), ENODATA);
	FAILS(setxattr("f", ACCESS, &old, 28, 0), EOPNOTSUPP);
	FAILS(setxattr("f", ACCESS, &old, 3, 0), EINVAL);
	FAILS(setxattr("f", ACCESS, &odd, 11, 0), EINVAL);
	FAILS(set("f", ACCESS, LIST(OWNER(7), GROUPS(5))), EINVAL);
	FAILS(set("f", ACCESS, LIST(GROUPS(5), OWNER(7), OTHERS(0))), EINVAL);
	FAILS(set("f", ACCESS, LIST(OWNER(8), GROUPS(5), OTHERS(0))), EINVAL);
	FAILS(set("f", ACCESS, LIST(OWNER(7), OWNER(7), GROUPS(5), OTHERS(0))),
	      EINVAL);
	/* Who is named needs a mask. */
	FAILS(set("f", ACCESS,
	          LIST(OWNER(7), NAMED(7, 7), GROUPS(5), OTHERS(0))),
	      EINVAL);
	FAILS(set("f", ACCESS,
	          LIST(OWNER(7), NAMED(NOBODY, 7), GROUPS(5), MASKED(7),
	               OTHERS(0))),
	      EINVAL);
	EQ(mode_of("f"), 0640);
	/* What a mode can say is no list. */
	OK(set("f", ACCESS, LIST(OWNER(6), GROUPS(0), OTHERS(4))));
	EQ(mode_of("f"), 0604);
	FAILS(getxattr("f", ACCESS, NULL, 0), ENODATA);
	OK(removexattr("f", ACCESS));
	FAILS(set("f", DEFAULT, LIST(OWNER(7), GROUPS(5), OTHERS(0))), EACCES);
	OK(symlink("f", "link"));
	FAILS(lgetxattr("link", ACCESS, NULL, 0), EOPNOTSUPP);
}

static void and_mode(void)
{
	char names[256];

	put_file("g", "");
	OK(chmod("g", 0600));
	OK(set("g", ACCESS,
	       LIST(OWNER(6), NAMED(4321, 7), GROUPS(4), TEAM(77, 6), MASKED(5),
	            OTHERS(1))));
	EQ(mode_of("g"), 0651);
	is("g", ACCESS,
	   LIST(OWNER(6), NAMED(4321, 7), GROUPS(4), TEAM(77, 6), MASKED(5),
	        OTHERS(1)));
	EQ(getxattr("g", ACCESS, NULL, 0), 52);
	FAILS(getxattr("g", ACCESS, names, 51), ERANGE);
	CHECK(memmem(names, (size_t)listxattr("g", names, sizeof(names)),
	             ACCESS, sizeof(ACCESS)));
	/* The bits of the group are the mask. */
	OK(chmod("g", 04720));
	is("g", ACCESS,
	   LIST(OWNER(7), NAMED(4321, 7), GROUPS(4), TEAM(77, 6), MASKED(2),
	        OTHERS(0)));
	EQ(mode_of("g"), 04720);
	OK(removexattr("g", ACCESS));
	EQ(mode_of("g"), 04720);
	FAILS(getxattr("g", ACCESS, NULL, 0), ENODATA);
	OK(chmod("g", 0644));
	EQ(mode_of("g"), 0644);
}

static void inherited(void)
{
	struct sockaddr_un a = {AF_UNIX, "d/socket"};
	int fd;

	OK(mkdir("d", 0700));
	OK(set("d", DEFAULT,
	       LIST(OWNER(7), NAMED(4321, 7), GROUPS(5), MASKED(7),
	            OTHERS(4))));
	EQ(mode_of("d"), 0700);
	umask(077);
	put_file("d/f", "");
	EQ(mode_of("d/f"), 0644); /* whatever the umask says */
	is("d/f", ACCESS,
	   LIST(OWNER(6), NAMED(4321, 7), GROUPS(5), MASKED(4), OTHERS(4)));
	FAILS(getxattr("d/f", DEFAULT, NULL, 0), ENODATA);
	OK(mkdir("d/sub", 0751));
	EQ(mode_of("d/sub"), 0750);
	is("d/sub", ACCESS,
	   LIST(OWNER(7), NAMED(4321, 7), GROUPS(5), MASKED(5), OTHERS(0)));
	is("d/sub", DEFAULT,
	   LIST(OWNER(7), NAMED(4321, 7), GROUPS(5), MASKED(7), OTHERS(4)));
	OK(mkfifo("d/fifo", 0666));
	EQ(mode_of("d/fifo"), 0664);
	OK(fd = socket(AF_UNIX, SOCK_STREAM, 0));
	OK(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	EQ(mode_of("d/socket"), 0700); /* for bind(2) the umask counts */
	OK(close(fd));
	OK(symlink("f", "d/link"));
	OK(fd = open("d", O_TMPFILE | O_RDWR, 0660));
	EQ(fgetxattr(fd, ACCESS, NULL, 0), 44);
	OK(close(fd));
	/* A default that says no more than a mode leaves no list. */
	OK(set("d", DEFAULT, LIST(OWNER(6), GROUPS(4), OTHERS(0))));
	put_file("d/plain", "");
	EQ(mode_of("d/plain"), 0640);
	FAILS(getxattr("d/plain", ACCESS, NULL, 0), ENODATA);
	OK(removexattr("d", DEFAULT));
	put_file("d/none", "");
	EQ(mode_of("d/none"), 0600);
	umask(022);
}

/* Does somebody get what is asked for? */
struct somebody {
	uid_t uid;
	gid_t gid, other; /* and a supplementary one */
	const char *path;
	int want, err;
};

static void asks(void *arg)
{
	const struct somebody *s = arg;

	OK(setgroups(1, &s->other));
	OK(setresgid(s->gid, s->gid, s->gid));
	OK(setresuid(s->uid, s->uid, s->uid));
	if (s->err)
		FAILS(access(s->path, s->want), s->err);
	else
		OK(access(s->path, s->want));
	if (s->err && s->want == R_OK)
		FAILS(open(s->path, O_RDONLY), s->err);
	FAILS(set(s->path, ACCESS, LIST(OWNER(7), GROUPS(7), OTHERS(7))),
	      access(s->path, F_OK) < 0 ? EACCES : EPERM);
}

static void obeyed(void)
{
	static const struct somebody table[] = {
		{100, 1, 1, "o", R_OK, 0},       /* named */
		{100, 1, 1, "o", W_OK, EACCES},  /* but masked */
		{101, 1, 1, "o", R_OK, EACCES},  /* named, for nothing */
		{101, 77, 1, "o", R_OK, EACCES}, /* whatever its groups */
		{102, 77, 1, "o", R_OK, 0},      /* in a group */
		{102, 1, 77, "o", R_OK, 0},      /* or in it as well */
		{102, 78, 77, "o", R_OK | X_OK, EACCES}, /* no one has both */
		{102, 78, 77, "o", X_OK, 0},
		{102, 50, 1, "o", R_OK, EACCES}, /* the file's own group */
		{102, 1, 1, "o", R_OK, 0},       /* others */
		{102, 1, 1, "o", X_OK, EACCES},
		{103, 1, 1, "way/in", R_OK, EACCES}, /* may not go through */
		{104, 1, 1, "way/in", R_OK, 0},
	};

	OK(chmod(".", 0755));
	put_file("o", "");
	OK(chown("o", 0, 50));
	OK(set("o", ACCESS,
	       LIST(OWNER(7), NAMED(100, 7), NAMED(101, 0), GROUPS(0),
	            TEAM(77, 4), TEAM(78, 1), MASKED(5), OTHERS(4))));
	OK(mkdir("way", 0755));
	put_file("way/in", "");
	OK(set("way", ACCESS,
	       LIST(OWNER(7), NAMED(103, 0), GROUPS(5), MASKED(5), OTHERS(5))));
	EQ(mode_of("way"), 0755);
	for (size_t i = 0; i < COUNT(table); i++) {
		struct somebody s = table[i];

		printf("user %d, groups %d and %d, %s\n", (int)s.uid,
		       (int)s.gid, (int)s.other, s.path);
		apart(asks, &s);
	}
	/* Capabilities override lists as they do modes. */
	OK(access("o", R_OK | W_OK | X_OK));
	/* Nobody in the group's class may do anything: who is named is others. */
	OK(chmod("o", 0704));
	apart(asks, &(struct somebody){101, 1, 1, "o", R_OK, 0});
}

int main(void)
{
	scratch();
	umask(022);
	put_file("try", "");
	if (getxattr("try", ACCESS, NULL, 0) < 0 && errno == EOPNOTSUPP)
		SKIP("no access control lists on this file system");
	well_formed();
	and_mode();
	inherited();
	if (getuid() == 0)
		obeyed();
	return 0;
}
