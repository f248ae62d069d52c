# SPDX-License-Identifier: Apache-2.0
# Calls between qubes, as the manager decides and routes them.
# shellcheck shell=bash
need python3
if [ -d /etc/bento/policy.d ]; then skip "this machine has a policy of its own"; fi
export BENTO
PYTHONDONTWRITEBYTECODE=1 python3 "$TOP/tests/system/calls.py"
