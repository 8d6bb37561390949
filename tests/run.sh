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

build build-asan -DCMAKE_BUILD_TYPE=Debug -DXLAT646_SANITIZE=address,undefined
build build-tsan -DCMAKE_BUILD_TYPE=Debug -DXLAT646_SANITIZE=thread
build build-fuzz -DCMAKE_CXX_COMPILER=clang++ -DXLAT646_FUZZ=ON \
    -DXLAT646_SANITIZE=address,undefined
# The plain tree's CTest also runs the programs of the other trees: one summary at the end.
build build "-DXLAT646_ASAN_TREE=$root/build-asan" "-DXLAT646_TSAN_TREE=$root/build-tsan" \
    "-DXLAT646_FUZZ_TREE=$root/build-fuzz" "-DXLAT646_FUZZ_SECONDS=${XLAT646_FUZZ_SECONDS:-30}"

ctest --test-dir build --output-on-failure -j2
