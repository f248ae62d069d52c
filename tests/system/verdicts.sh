# SPDX-License-Identifier: Apache-2.0
# The policy socket and the calls policy.*, driven by a small client.
# shellcheck shell=bash
need python3
if [ -d /etc/bento/policy.d ]; then skip "this machine has a policy of its own"; fi
export BENTO
PYTHONDONTWRITEBYTECODE=1 python3 "$TOP/tests/system/verdicts.py"
