# SPDX-License-Identifier: Apache-2.0
# What is shared, as whom, and what is refused before anything starts.
mkdir -p a/sub b
echo text >a/f
equal "read only" "$(qube --ro "$PWD/a:/x" -- sh -c 'cat /x/f; echo no 2>/dev/null >/x/g; echo $?; touch /x/f 2>&1 | grep -o Read-only')" "text
2
Read-only"
[ ! -e a/g ] || fail "wrote through --ro"
equal "read write" "$(qube --rw "$PWD/a:/x" -- sh -c 'echo new >/x/g; mkdir /x/d; mv /x/f /x/d; chmod 600 /x/g; ln -s g /x/l; cat /x/l; id -un; stat -c %U /x/g')" "new
user
user"
equal "outside" "$(cat a/g a/d/f; readlink a/l; stat -c '%a' a/g; stat -c %u a/g a/d | sort -u)" "new
text
g
600
$(id -u)"
equal "same path" "$(cd a && qube --rw . --cwd "$PWD" -- sh -c 'pwd; ls' | head -1)" "$PWD/a"
equal "changes from outside" "$(qube --rw "$PWD/b:/x" -- sh -c 'echo ready >/x/ready; until [ -e /x/go ]; do sleep 0.01; done; cat /x/go' & until [ -s b/ready ]; do :; done; echo went >b/.go; mv b/.go b/go; wait)" went
equal "one file" "$(qube --ro "$PWD/a/g:/etc/shared" -- cat /etc/shared)" new
# Copies of trees come out whole, though a link's times are its own.
equal "copied" "$(qube --rw "$PWD/b:/x" -- sh -c 'cd "$(mktemp -d)" && mkdir t && echo f >t/f && ln -s f t/l && touch -h -d @5 t/f t/l && cp -a t /x/t && tar cf - t | tar xf - -C /x/t && stat -c %Y /x/t/f /x/t/t/f; cat /x/t/l /x/t/t/l' 2>&1)" "5
5
f
f"
# Links in a shared folder lead nowhere outside it.
ln -s /etc/shadow a/evil
ln -s ../b a/up
ln -s "$PWD/b" a/abs
status 1 qube --rw "$PWD/a:/x" -- cat /x/evil
status 2 qube --rw "$PWD/a:/x" -- ls /x/up/
status 2 qube --rw "$PWD/a:/x" -- ls /x/abs/
status 125 qube --rw "$PWD/none" -- true
grep -q none status.err || fail "the error does not name the path"
status 125 qube --rw / -- true
status 125 qube --ro / -- true
status 125 qube --rw "$PWD/a:/x" --ro "$PWD/b:/x" -- true
status 125 qube --rw "$PWD/a" --rw "$PWD/a" -- true
status 125 qube --ro "$PWD/a:relative" -- true
status 125 qube --user nobody-we-know -- true
status 125 qube --cwd /none/such -- true
status 125 qube --memory lots -- true
status 125 qube --pids 0 -- true
equal "environment" "$(A=1 B=2 qube --env A --env C=3 --env EMPTY= -- sh -c 'echo "$A${B-}$C${EMPTY-unset}"; echo "${HOME} ${USER}"')" "13
/home/user user"
equal "users" "$(qube --user root -- sh -c 'id -un; echo $HOME'; qube --user user -- id -u)" "root
/root
1000"
equal "cwd" "$(qube --cwd /usr/lib -- pwd; qube -- pwd)" "/usr/lib
/home/user"
status 0 qube --pids 20 -- sh -c 'i=0; while [ $i -lt 10 ]; do sleep 100 & i=$((i + 1)); done'
equal "pids" "$(qube --pids 20 -- bash -c 'i=0; while [ $i -lt 60 ]; do sleep 100 & i=$((i + 1)); done; wait' 2>&1 | grep -c 'Resource temporarily unavailable' | sed 's/[1-9].*/some/')" some
status 0 qube --memory 200M -- true
status 1 qube --memory 64M -- dd if=/dev/zero of=/tmp/big bs=1M count=200
equal "persistence" "$(qube -- sh -c 'echo x >~/kept; ls ~'; qube -- ls -A /home/user | grep -c kept)" "kept
0"
