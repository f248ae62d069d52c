# SPDX-License-Identifier: Apache-2.0
# The manager dies at every step of every change, and nothing is half there.
# shellcheck shell=bash
need python3
export BENTO
PYTHONDONTWRITEBYTECODE=1 python3 "$TOP/tests/system/crash.py" \
	"$(dirname "$BENTO")/tests/system/libdieat.so"
