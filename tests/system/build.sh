# SPDX-License-Identifier: Apache-2.0
# gcc and make -j2 on a project of twenty files, in a shared folder.
need gcc make
mkdir p
for i in $(seq 20); do
	printf '#include <stdio.h>\n#include <stdlib.h>\nint f%d(int x) { return x + %d; }\n' "$i" "$i" >"p/f$i.c"
done
{
	for i in $(seq 20); do echo "int f$i(int);"; done
	echo '#include <stdio.h>'
	echo 'int main(void) { int x = 0;'
	for i in $(seq 20); do echo "x = f$i(x);"; done
	echo 'printf("%d\n", x); return 0; }'
} >p/main.c
printf 'OBJ := $(patsubst %%.c,%%.o,$(sort $(wildcard *.c)))\nprog: $(OBJ)\n\tgcc -o $@ $^\n%%.o: %%.c\n\tgcc -O1 -c -o $@ $<\n' >p/Makefile
LIMIT=180 qube --rw "$PWD/p:/p" --cwd /p -- make -s -j2
equal "outside" "$(p/prog)" 210
[ "$(stat -c %u p/prog)" = "$(id -u)" ] || fail "the program is not ours"
equal "nothing to do" "$(qube --rw "$PWD/p:/p" --cwd /p -- make)" \
	"make: 'prog' is up to date."
touch p/f7.c
equal "one file" "$(qube --rw "$PWD/p:/p" --cwd /p -- make | grep -c -- ' -c ')" 1
status 2 qube --rw "$PWD/p:/p" --cwd /p -- make nosuch
# All of it inside, run there, with debugging symbols and a library.
equal "inside" "$(LIMIT=180 inside 'cat >l.c <<E
int twice(int x) { return 2 * x; }
E
cat >m.c <<E
#include <stdio.h>
#include <math.h>
#include <pthread.h>
int twice(int);
static void *t(void *a) { printf("%d %.3f\n", twice(21), sqrt(2)); return a; }
int main(void) { pthread_t p; pthread_create(&p, 0, t, 0); pthread_join(p, 0); return 0; }
E
gcc -g -shared -fPIC -o libl.so l.c && gcc -O2 -pipe -Wall -o m m.c -L. -ll -lm -Wl,-rpath,. && ./m
ar rc l.a l.o 2>/dev/null; gcc -c l.c && ar rc l.a l.o && gcc m.c l.a -lm -o n && ./n
echo "int x = ;" >bad.c; gcc -c bad.c 2>/dev/null; echo $?')" "42 1.414
42 1.414
1"
