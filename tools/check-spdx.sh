#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check-spdx.sh - every source file names its licence in its first two lines
set -u
bad=0
for f in $(find run test check .ci src include compat tests bench tools examples docs -type f \
    \( -name '*.[chS]' -o -name '*.sh' -o -name '*.py' -o -name meson.build -o -name run -o -name test \
    -o -name check \) 2>/dev/null); do
    head -n 2 "$f" | grep -q 'SPDX-License-Identifier: MIT' && continue
    echo "$f:1: begin with SPDX-License-Identifier: MIT"
    bad=1
done
exit $bad
