#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tidy.sh BUILD [all]: clang-tidy with the checks of .clang-tidy, over the packet's way: tables, wire,
# rules, data paths, statistics, routes. all: over the three programs, too, whose JSON and logging
# headers take three quarters of the time, more than CI has.
set -Eeuo pipefail

build=${1:?usage: tidy.sh BUILD [all]}
scope=${2:-core}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if ! command -v clang-tidy >/dev/null; then
    echo "tidy.sh: clang-tidy is missing (packaging/dependencies.sh test)" >&2
    exit 1
fi
[ -f "$build/compile_commands.json" ] || { echo "tidy.sh: $build is no build tree" >&2; exit 1; }
mapfile -t files < <(find mapping translator routing-hooks -name '*.cpp' |
    if [ "$scope" = all ]; then cat; else grep -vE '^translator/(daemon|cli|exporter)/'; fi | sort)
[ ${#files[@]} -gt 20 ] || { echo "tidy.sh: only ${#files[@]} files found" >&2; exit 1; }
# Where most of a file is the JSON library's templates, the analyzer's shallow mode: half the time.
check() {
    case $2 in
    translator/daemon/* | translator/cli/* | translator/exporter/* | translator/stats/segment_json.cpp)
        exec nice -n 19 clang-tidy -p "$1" --quiet --extra-arg=-Xclang --extra-arg=-analyzer-config \
            --extra-arg=-Xclang --extra-arg=mode=shallow "$2" ;;
    *) exec nice -n 19 clang-tidy -p "$1" --quiet "$2" ;;
    esac
}
export -f check
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -c 'check "$@"' check "$build"
echo "${#files[@]} files are clean"
