#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Installs what is needed, builds, and runs every test under CTest. As root on Debian 12.
# XLAT646_FUZZ_SECONDS: how long each fuzz target runs (default 60).
set -Eeuo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root
cd "$root"
exec </dev/null

if [ "$(id -u)" -ne 0 ]; then
    echo "tests/run.sh: the integration tests make network namespaces and need root" >&2
    exit 77
fi
packaging/dependencies.sh build demo test comparison package

# Lines are enough for a report.
configure() {
    cmake -S . -B "$1" -G Ninja -DXLAT646_DEBUG_INFO=-g1 -DXLAT646_PRECOMPILE=ON "${@:2}"
}

configure build-asan -DCMAKE_BUILD_TYPE=Debug -DXLAT646_SANITIZE=address,undefined
cmake --build build-asan
configure build-tsan -DCMAKE_BUILD_TYPE=Debug -DXLAT646_SANITIZE=thread
# The command has one thread: its tests take the plain one.
cmake --build build-tsan --target xlat646d xlat646_snapshot_test
configure build-fuzz -DCMAKE_CXX_COMPILER=clang++ -DXLAT646_FUZZ=ON \
    -DXLAT646_SANITIZE=address,undefined
mapfile -t fuzzers < <(basename -s .cpp tests/fuzz/*_fuzzer.cpp)
cmake --build build-fuzz --target "${fuzzers[@]}"
configure build-coverage -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_COMPILER=clang++ \
    -DXLAT646_COVERAGE=ON
cmake --build build-coverage --target xlat646_unit_tests xlat646_model_driver "${fuzzers[@]}"
# The plain tree's CTest also runs the programs of the other trees: one summary at the end.
# Its prefix is the package's, for package.build.
configure build -DCMAKE_INSTALL_PREFIX=/usr -DXLAT646_UNIT_DIR=/lib/systemd/system \
    "-DXLAT646_ASAN_TREE=$root/build-asan" "-DXLAT646_TSAN_TREE=$root/build-tsan" \
    "-DXLAT646_FUZZ_TREE=$root/build-fuzz" "-DXLAT646_FUZZ_SECONDS=${XLAT646_FUZZ_SECONDS:-60}" \
    "-DXLAT646_COVERAGE_TREE=$root/build-coverage"
cmake --build build

# CTest judges it too, but shows nothing of a test that passes.
/usr/bin/python3 tests/coverage.py build-coverage || true
# Four: one of them mostly waits, and clang-tidy takes what the others leave.
ctest --test-dir build --output-on-failure -j4
