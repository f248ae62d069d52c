# SPDX-License-Identifier: Apache-2.0
# The plain shell: pipelines, redirections, here-documents, traps, statuses.
same 'echo one two | tr " " "\n" | sort -r | while read x; do echo "<$x>"; done'
same 'for i in 1 2 3; do echo $((i * i)); done; false'
same 'cat <<END
value: $((6 * 7))
END
cat <<"END"
raw: $HOME
END'
same 'echo out; echo err >&2; exit 7'
same 'echo a >f; echo b >>f; cat <f; wc -c <f; exec 3<f; read x <&3; echo $x'
same 'trap "echo bye" EXIT; trap "echo usr" USR1; kill -USR1 $$; echo end'
same '(exit 3); echo $?; sh -c "kill -TERM \$\$"; echo $?; ! true; echo $?'
same 'f() { echo "f: $*"; return 4; }; f a b; echo $?; set -- x y; shift; echo $1'
same 'case abc in a*) echo yes ;; esac; test -d . && [ ! -e none ] && echo ok'
same 'yes | head -n 100000 | tail -n 1; seq 1 1000 | paste -sd+ | cut -c1-20'
same 'sleep 0.01 & wait $!; echo $?; (exit 9) & wait $!; echo $?'
same 'umask 027; touch f; mkdir d; stat -c "%a %F" f d'
same 'cd /; pwd; cd /usr/bin; pwd; cd -; cd ../nowhere'
same 'printf "%s\n" *; touch b a .h; printf "%s\n" * .h; rm *; ls -A'
same 'x=$(printf "\303\251"); echo ${#x}; read a b <<E
1 2 3
E
echo "$b"'
same 'nosuchcommand'
same 'exec ./nosuchfile'
same 'mkfifo p; (echo through >p) & cat p; wait'
same 'ulimit -c 0 && echo fine'
equal "input" "$(echo from outside | inside 'read x; echo "got $x"')" \
	"got from outside"
