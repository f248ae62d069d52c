# SPDX-License-Identifier: Apache-2.0
# find, xargs, grep, sed and awk.
need find grep sed awk
same 'mkdir -p a/b a/c; touch a/b/1.txt a/c/2.txt a/c/3.log; echo x >a/c/4.txt
find a -name "*.txt" | sort; find a -type d | sort; find a -size +0 -type f
find a -name "*.log" -delete; find a -type f -exec basename {} \; | sort
find a -type f -print0 | xargs -0 -n1 echo | sort; find a -empty | sort
find a -newer a/b/1.txt -name none; find none; echo $?'
same 'find /usr/share/doc -maxdepth 1 | wc -l; find /usr/share -maxdepth 2 -name "b*" | sort | md5sum'
same 'printf "alpha\nbeta\ngamma\n" >f; grep -n a f; grep -c a f; grep -v et f
grep -E "^(a|g)" f; grep -o "m*a" f; grep -q none f; echo $?; grep -r beta .
grep -P "\bbe" f; grep x none; echo $?; grep -l a f f; zgrep -c a f'
same 'grep -rl "GNU GENERAL" /usr/share/common-licenses | sort'
same 'printf "1 2\n3 4\n" >f; sed "s/\([0-9]\) \([0-9]\)/\2-\1/" f; sed -n 2p f
sed -i "1d" f; cat f; sed "y/34/ab/;a tail" f; sed -e "$!d" f | sed = '
same 'printf "a 1\nb 2\na 3\n" | awk "{ s[\$1] += \$2 } END { for (k in s) print k, s[k] }" | sort
awk "BEGIN { printf \"%05.2f %s\n\", 3.14159, toupper(\"x\"); print length(\"abc\") }"
awk "BEGIN { while ((\"seq 3\" | getline x) > 0) t += x; print t }"
echo a,b | awk -F, "{ print \$2; exit 3 }"; echo $?'
same 'seq 1 20000 | awk "{ t += \$1 } END { print t }"; seq 5 | xargs -P 2 -I{} echo {} | sort'
same 'printf "a\nb\n" >x; printf "a\nc\n" >y; diff -u x y | tail -n +3
diff x y >p; patch x p; cat x; cmp x y && echo same'
