# SPDX-License-Identifier: Apache-2.0
# The manager, driven over its socket by a small client.
# shellcheck shell=bash
need python3
export BENTO
PYTHONDONTWRITEBYTECODE=1 python3 "$TOP/tests/system/admin.py"
