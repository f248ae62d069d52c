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
