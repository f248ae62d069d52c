# SPDX-License-Identifier: Apache-2.0
# bento doctor, and what the commands say of themselves.
out=$("$BENTO" doctor) || fail "doctor: status $?"
for word in Landlock seccomp Yama mseal cgroup 'PID namespace' 'user namespace' 'network namespace'; do
	grep -qi "$word" <<<"$out" || fail "doctor does not speak of $word: $out"
done
"$BENTO" --help | grep -q run || fail "no help"
"$BENTO" run --help | grep -q -- --rw || fail "no help for run"
status 125 "$BENTO" no-such-verb
status 0 "$BENTO" --version
# Where neither Landlock nor a PID namespace is to be had, nothing starts.
status 0 "$WITHOUT" user-namespaces "$BENTO" run -- true
if grep -q '^PID namespaces *yes' <<<"$out"; then
	status 0 "$WITHOUT" landlock "$BENTO" run -- true
fi
status 125 "$WITHOUT" user-namespaces,landlock "$BENTO" run -- true
grep -q 'neither Landlock nor a PID namespace' status.err || fail "it does not say why"
status 1 "$WITHOUT" user-namespaces,landlock "$BENTO" doctor
