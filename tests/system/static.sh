# SPDX-License-Identifier: Apache-2.0
# Programs without the usual library: musl, Go, busybox.
need busybox
cat >m.c <<'END'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/wait.h>
static void *f(void *a) { *(int *)a += 1; return a; }
int main(int argc, char **argv)
{
	int x = 41, status;
	pthread_t t;
	pthread_create(&t, 0, f, &x);
	pthread_join(t, 0);
	printf("%s %d\n", argv[argc - 1], x);
	fflush(stdout);
	if (fork() == 0)
		execl("/bin/echo", "echo", "from a child", (char *)0);
	wait(&status);
	FILE *p = popen("echo popen", "r");
	char buf[32];
	fputs(fgets(buf, 32, p), stdout);
	return pclose(p) + 5;
}
END
if command -v musl-gcc >/dev/null; then
	musl-gcc -static -O1 -o musl m.c
	got=$(qube --ro "$PWD/musl:/m" -- /m arg) && st=0 || st=$?
	equal "musl" "$got $st" "arg 42
from a child
popen 5"
	musl-gcc -static-pie -fPIE -O1 -o muslpie m.c 2>/dev/null &&
		equal "musl, static-pie" "$(qube --ro "$PWD/muslpie:/m" -- /m pie | head -1)" "pie 42"
fi
gcc -static -O1 -o glibc m.c && equal "static glibc" \
	"$(qube --ro "$PWD/glibc:/m" -- /m g | head -1)" "g 42"
same 'busybox sh -c "echo \$((2 + 3)) | busybox cat; busybox ls -a; busybox uname"
busybox seq 3 | busybox awk "{ s += \$1 } END { print s }"; busybox tar c /etc/debian_version 2>/dev/null | busybox tar t
busybox ps >/dev/null; echo $?; busybox false; echo $?; busybox vi --help 2>&1 | head -1'
terminal "$BENTO" run -- busybox sh <<'END'
expect [$#] 
send echo $((3+4))x\r
expect 7x
send exit 2\r
status 2
END
