#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Installs the Debian 12 packages of the groups that are named: build, demo, test, routing,
# comparison, package. Does nothing, and needs no network, when they are all there.
set -Eeuo pipefail

build=(g++ cmake ninja-build pkg-config libnl-3-dev libnl-route-3-dev libyaml-cpp-dev
       libboost-program-options-dev libspdlog-dev libsystemd-dev libmd-dev catch2
       nlohmann-json3-dev clang bpftool libbpf-dev libmicrohttpd-dev prometheus-cpp-dev
       libpcap-dev)
demo=(iproute2 iputils-ping traceroute curl iperf3 python3 procps ethtool util-linux)
test=("${demo[@]}" ansible-core git
      clang-format clang-tidy llvm libclang-rt-14-dev mtr-tiny tcpdump nftables
      libbenchmark-dev python3-scapy python3-yaml python3-jsonschema iputils-tracepath
      openssh-client dropbear-bin unbound bind9-utils bird2 frr prometheus prometheus-bird-exporter chromium
      chromium-driver python3-selenium wrk)
routing=(iproute2 bird2 nftables python3)
comparison=(iproute2 iputils-ping iperf3 python3 procps ethtool util-linux tayga jool-tools
            nginx-light wrk python3-matplotlib)
package=(debhelper dpkg-dev lintian bash-completion binutils man-db mandoc systemd
         mmdebstrap systemd-container python3)

usage() {
    echo "usage: $0 [build] [demo] [test] [routing] [comparison] [package]" >&2
    exit 64
}

[ $# -gt 0 ] || usage
wanted=()
for group in "$@"; do
    case $group in
    build) wanted+=("${build[@]}") ;;
    demo) wanted+=("${demo[@]}") ;;
    test) wanted+=("${test[@]}") ;;
    routing) wanted+=("${routing[@]}") ;;
    comparison) wanted+=("${comparison[@]}") ;;
    package) wanted+=("${package[@]}") ;;
    *) usage ;;
    esac
done

missing=()
for package in "${wanted[@]}"; do
    status=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
    [[ $status == ii* ]] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "$0: run as root, or install first: apt-get install ${missing[*]}" >&2
    exit 1
fi

export DEBIAN_FRONTEND=noninteractive
# Debian starts the services of what it installs (nginx, bird, frr); only the programs are wanted.
readonly policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap 'rm -f $policy' EXIT
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
fi
echo "installing ${#missing[@]} Debian packages: ${missing[*]}"
apt-get -qq update || { sleep 5 && apt-get -qq update; }
if ! output=$(apt-get -qq -o Dpkg::Use-Pty=0 install --yes --no-install-recommends \
    "${missing[@]}" </dev/null 2>&1); then
    echo "$output" >&2
    exit 1
fi
