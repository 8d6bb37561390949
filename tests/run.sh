#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Installs what is needed, builds, and runs every test under CTest. As root on Debian 12.
# XLAT646_FUZZ_SECONDS: how long each fuzz target runs (default 30).
set -Eeuo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root
cd "$root"
exec </dev/null

if [ "$(id -u)" -ne 0 ]; then
    echo "tests/run.sh: the integration tests make network namespaces and need root" >&2
    exit 77
fi
packaging/dependencies.sh build demo test

# build TREE OPTIONS...: configures and builds one tree.
build() {
    local tree=$1
    shift
    echo "== $tree"
    cmake -S . -B "$tree" -G Ninja "$@"
    cmake --build "$tree"
}

build build
build build-asan -DCMAKE_BUILD_TYPE=Debug -DXLAT646_SANITIZE=address,undefined
build build-fuzz -DCMAKE_CXX_COMPILER=clang++ -DXLAT646_FUZZ=ON -DXLAT646_SANITIZE=address,undefined

# The release tree's CTest runs the tests of the other trees, too: one summary at the end.
ctest --test-dir build --output-on-failure -j2
