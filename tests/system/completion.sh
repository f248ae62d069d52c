# SPDX-License-Identifier: Apache-2.0
# What bash and zsh offer behind our commands.
own_manager
BUILD=$(dirname "$BENTO")
PATH=$BUILD:$PATH
"$BENTO" create --label blue work
"$BENTO" create --label red web

# The words a completion of this line offers, sorted.
offers() { # WORD...
	bash -c 'source "$0"
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		_bento
		printf "%s\n" "${COMPREPLY[@]}"' "$BUILD/completion.bash" "$@" |
		sort | tr '\n' ' '
}
equal "verbs" "$(offers bento cr)" "create "
equal "verbs" "$(offers bento un)" "unpause "
equal "options" "$(offers bento shutdown --w)" "--wait "
equal "options by program" "$(offers qvm-shutdown --ti)" "--timeout "
equal "qubes" "$(offers bento start w)" "web work "
equal "qubes again" "$(offers bento kill work we)" "web "
equal "qube behind an option" "$(offers qvm-run -u root wo)" "work "
equal "labels" "$(offers bento create --label bl)" "black blue "
equal "labels glued" "$(offers bento create --label=bl)" "black blue "
equal "classes" "$(offers bento create -C T)" "TemplateVM "
equal "choices" "$(offers bento tags work a)" "add "
equal "properties" "$(offers bento prefs work memo)" "memory "
equal "volumes" "$(offers bento volume revert wo)" "work:private "
bento create deb --class TemplateVM
equal "roots" "$(offers bento volume info deb:)" "deb:private deb:root "
bento remove -f deb
equal "no such verb" "$(offers bento nothing x)" " "
touch archive.tar
equal "files" "$(offers bento create -r arch)" "archive.tar "

command -v zsh >/dev/null || exit 0
# What zsh is given to choose from, without its line editor.
offers_zsh() { # WORD...
	zsh -fc 'compdef() { :; }
		compset() { :; }
		compadd() { [[ $1 != -a ]] || set -- ${all}; print -rl -- $@; }
		source $0
		words=("$@") CURRENT=$#
		_bento' "$BUILD/completion.zsh" "$@" | sort | tr '\n' ' '
}
equal "zsh: qubes" "$(offers_zsh bento start w)" "dom0 web work "
equal "zsh: labels" "$(offers_zsh bento create --label= | grep -o "blue")" blue
equal "zsh: choices" "$(offers_zsh bento tags work a)" "add del list "
equal "zsh: options" "$(offers_zsh qvm-unpause - | grep -o -- --exclude)" "--exclude"
