# SPDX-License-Identifier: Apache-2.0
# The manager dies at every step of every change, and nothing is half there.
# shellcheck shell=bash
need python3
export BENTO
# What kills is loaded before the address sanitizer, in builds that have it.
export ASAN_OPTIONS=verify_asan_link_order=0
PYTHONDONTWRITEBYTECODE=1 python3 "$TOP/tests/system/crash.py" \
	"$(dirname "$BENTO")/tests/system/libdieat.so"
