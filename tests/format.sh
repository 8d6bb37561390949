#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The C++ files of the repository: formatted by .clang-format, and none longer than 500 lines.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v clang-format >/dev/null || {
    echo "format.sh: clang-format is missing (apt-get install clang-format)" >&2
    exit 1
}
mapfile -d '' files < <(find . \( -path './.*' -o -path './build*' \) -prune -o \
    -type f \( -name '*.[ch]' -o -name '*.[ch]pp' \) -print0 | sort -z)
[ "${#files[@]}" -gt 50 ] || { echo "format.sh: no files found" >&2; exit 1; }

bad=0
clang-format --dry-run -Werror "${files[@]}" || bad=1
for file in "${files[@]}"; do
    lines=$(wc -l <"$file")
    if [ "$lines" -gt 500 ]; then
        echo "$file: $lines lines, more than 500" >&2
        bad=1
    fi
done
exit $bad
