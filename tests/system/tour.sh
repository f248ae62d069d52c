# SPDX-License-Identifier: Apache-2.0
# The tour of the README, as it stands there: each command says what it says
# there.  A line of three dots stands for anything.
own_manager
need dpkg-deb
PATH=$(dirname "$BENTO"):$PATH
mkdir tour
cd tour

follow_readme 'Qubes that last'

# As it says there, nothing is left.
cd ..
equal "files" "$(find .local run -mindepth 1 ! -name share ! -name state)" ""
trap - EXIT
