# SPDX-License-Identifier: Apache-2.0
# The README's first five minutes, as they stand there: each command says what it
# says there.
need python3 make cc
ln -s "$(dirname "$BENTO")" build
follow_readme 'Five minutes'
