#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Shows xlat646d at work on this machine, in network namespaces that touch nothing else.
# As root on Debian 12:   demo.sh [--installed] [--keep]   |   demo.sh --remove
# In a checkout it builds the programs; the package's copy, or --installed, takes the installed ones.
set -Eeuo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
root=$(dirname "$here")
readonly root
# shellcheck source=examples/lib/lab.sh
source "$here/lib/lab.sh"
# shellcheck source=examples/lib/steps.sh
source "$here/lib/steps.sh"

usage() {
    cat <<END
usage: demo.sh [--installed] [--keep] | --remove
  --installed  show the installed programs, build nothing; always so without a source tree
  --keep       leave the network and the translator up at the end, and say how to look around
  --remove     remove what --keep has left
END
}

remove() {
    local left
    for left in "$state_prefix"*; do
        [ -d "$left" ] || continue
        lab_down "$left"
        say "removed ${left#"$state_prefix"}"
    done
}

keep=no
installed=no
[ -f "$root/CMakeLists.txt" ] || installed=yes
while [ $# -gt 0 ]; do
    case $1 in
    --installed) installed=yes ;;
    --keep) keep=yes ;;
    --remove)
        remove
        exit 0
        ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        usage >&2
        exit 64
        ;;
    esac
    shift
done

if [ "$installed" = yes ]; then
    readonly daemon=/usr/sbin/xlat646d command=/usr/bin/xlat646
else
    readonly daemon=$root/build/bin/xlat646d command=$root/build/bin/xlat646
fi

if [ "$(id -u)" -ne 0 ]; then
    say "demo.sh: network namespaces need root" >&2
    exit 77
fi

state=
left_up=no
cleanup() {
    local status=$?
    trap - EXIT ERR INT TERM HUP
    if [ -n "$state" ] && [ "$left_up" = no ]; then
        lab_down "$state"
    fi
    exit "$status"
}
trap cleanup EXIT
trap 'say "demo.sh: line $LINENO failed: $BASH_COMMAND" >&2' ERR
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# The package's copy has no dependencies.sh beside it: it says what to install.
need_installed() {
    local missing=() need
    for need in ip:iproute2 ping:iputils-ping traceroute:traceroute curl:curl iperf3:iperf3 \
        python3:python3 sysctl:procps; do
        command -v "${need%%:*}" >/dev/null || missing+=("${need#*:}")
    done
    [ -x "$daemon" ] && [ -x "$command" ] || missing+=(xlat646)
    [ ${#missing[@]} -eq 0 ] || {
        say "demo.sh: install first: apt-get install ${missing[*]}" >&2
        exit 69
    }
}

build() {
    say "building xlat646d and xlat646 in build/ ..."
    if ! { cmake -S "$root" -B "$root/build" -G Ninja &&
        cmake --build "$root/build" --target xlat646d xlat646; } >"$state/build.log" 2>&1; then
        cat "$state/build.log" >&2
        return 1
    fi
}

write_configuration() {
    cat >"$state/xlat646.yaml" <<END
translation_prefix: "$prefix/96"
mapping_files: ["mapping.yaml"]
tun: { name: xlat646 }
own_addresses: { ipv4: $own4, ipv6: "2001:db8:46:ff::1" }
icmp_source_pool: [192.0.2.240/29]
policy: { profile: any }          # all addresses here are documentation blocks
control_socket: $state/control.sock
stats_segment: $state/stats
END
    cat >"$state/mapping.yaml" <<END
version: 1
mappings:
  - { ipv4: $server1_public, ipv6: "$server1_address", name: server1 }
  - { ipv4: $server2_public, ipv6: "$server2_address", name: server2 }
END
}

picture() {
    cat <<END

  client                     node                        two servers on one segment
  IPv4 only                  xlat646d on its TUN         IPv6 only

  198.51.100.10 ------- .1 [ IPv4 | IPv6 ] ::1 ---+----- server1  $server1_address
                                                  +----- server2  $server2_address

  mapping.yaml:    $server1_public  <->  $server1_address   (server1)
                   $server2_public  <->  $server2_address   (server2)
  To the servers, the IPv4 address a.b.c.d of a client is ${prefix}a.b.c.d.
  The translator itself is $own4 and 2001:db8:46:ff::1.
END
}

start_translator() {
    write_configuration
    printf '  %snode$ xlat646d --config xlat646.yaml &%s\n' "$dim" "$plain"
    start_on node "$state/xlat646d.log" "$daemon" --config "$state/xlat646.yaml"
    if ! wait_for 30 grep -q 'ready:' "$state/xlat646d.log"; then
        cat "$state/xlat646d.log"
        return 1
    fi
    sed 's/^/      /' "$state/xlat646d.log"
    show node ip route show dev xlat646
    show node ip -6 route show dev xlat646
    # The whole block is the operator's: addresses that are not in use get an answer, too.
    show node ip route add 192.0.2.0/24 dev xlat646
}

ping_server() {
    show client ping -n -c 3 -i 0.3 "$server1_public"
}

trace_server() {
    local method output
    for method in '' -I; do
        # shellcheck disable=SC2086
        output=$(show client traceroute -n -q 1 -w 3 $method "$server1_public")
        say "$output"
        grep -q " $own4 " <<<"$output" && grep -q " $server1_public " <<<"$output" || return 1
    done
}

download() {
    mkdir "$state/www"
    head -c 50000000 /dev/urandom >"$state/www/file"
    start_on server1 "$state/www.log" /usr/bin/python3 -m http.server --bind "$server1_address" \
        --directory "$state/www" 80
    wait_for 10 on server1 curl -s -o /dev/null -g "http://[$server1_address]/" || return 1
    show client curl -sS --max-time 60 -o "$state/fetched" \
        "http://$server1_public/file" || return 1
    local sent received
    sent=$(sha256sum <"$state/www/file")
    received=$(sha256sum <"$state/fetched")
    say "      sha256 at the server: ${sent%% *}" "      sha256 at the client: ${received%% *}"
    [ "$sent" = "$received" ]
}

call_client() {
    mkdir "$state/client"
    echo "greetings from the client" >"$state/client/hello"
    start_on client "$state/client.log" /usr/bin/python3 -u -m http.server \
        --bind "$client_address" --directory "$state/client" 8080
    wait_for 10 on client curl -s -o /dev/null "http://$client_address:8080/" || return 1
    show server1 curl -sS -g --max-time 20 "http://[$prefix$client_address]:8080/hello" || return 1
    say "   The log of the client's web server names the caller, server1's public address:"
    grep hello "$state/client.log" | sed 's/^/      /'
    grep -q "^$server1_public .*hello" "$state/client.log"
}

hairpin() {
    show server1 ping -n -c 3 -i 0.3 "$prefix$server2_public"
}

# gigabits ARGUMENTS...: one iperf3 run of two seconds from the client.
gigabits() {
    on client iperf3 -J -t 2 -O 1 -M 1440 "${tuning[@]}" "$@" |
        /usr/bin/python3 -c 'import json, sys
print("%.2f" % (json.load(sys.stdin)["end"]["sum_received"]["bits_per_second"] / 1e9))'
}

median() { printf '%s\n' "$@" | sort -g | sed -n "$((($# + 1) / 2))p"; }

speed() {
    # For the comparison only, the client gets IPv6 for a moment.
    ip -n "$(ns node)" addr add 2001:db8:c::1/64 dev outside nodad
    ip -n "$(ns client)" addr add 2001:db8:c::10/64 dev eth0 nodad
    ip -n "$(ns client)" route add 2001:db8:6::/64 via 2001:db8:c::1
    start_on server1 "$state/iperf3.log" iperf3 -s
    wait_for 10 grep -q 'Server listening' "$state/iperf3.log" || sleep 1
    tuning=()
    if grep -qw cubic /proc/sys/net/ipv4/tcp_available_congestion_control; then
        tuning+=(-C cubic)
    fi
    # Both ends stay where they are: the results scatter less.
    [ "$(nproc)" -lt 2 ] || tuning+=(-A "0,1")
    printf '  %sclient$ iperf3 -c %s -M 1440 %s [-R]%s\n' "$dim" "$server1_public" \
        "${tuning[*]}" "$plain"
    local direction flag translated native
    for direction in "client to server" "server to client"; do
        flag=()
        [ "$direction" = "client to server" ] || flag=(-R)
        translated=() native=()
        for _ in 1 2 3; do
            translated+=("$(gigabits -c "$server1_public" "${flag[@]}")") || return 1
            native+=("$(gigabits -c "$server1_address" "${flag[@]}")") || return 1
        done
        /usr/bin/python3 - "$direction" "$(median "${translated[@]}")" "$(median "${native[@]}")" <<'END'
import sys
direction, translated, native = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
print(f"      {direction}:  translated {translated:6.2f} Gbit/s   plain IPv6 {native:6.2f} Gbit/s"
      f"   ratio {translated / native:.2f}")
END
    done
    ip -n "$(ns client)" addr del 2001:db8:c::10/64 dev eth0
    ip -n "$(ns node)" addr del 2001:db8:c::1/64 dev outside
}

reload() {
    say "   $third_public has no mapping yet, so the translator says no:"
    local output
    output=$(show client ping -n -c 1 -W 3 "$third_public" || true)
    say "$output"
    grep -q "Packet filtered" <<<"$output" || return 1
    local line="  - { ipv4: $third_public, ipv6: \"$third_address\", name: new }"
    say "   Add a line to mapping.yaml and reload:"
    say "      $line"
    echo "$line" >>"$state/mapping.yaml"
    show node "$command" reload --socket "$state/control.sock" || return 1
    show client ping -n -c 2 -i 0.3 "$third_public"
}

status() {
    local output
    output=$(show node "$command" status --socket "$state/control.sock")
    say "$output"
    grep -q '3 mappings, generation 2' <<<"$output"
}

look_around() {
    left_up=yes
    cat <<END

The lab is still up. Look around:
  ip netns exec $(ns client) ping $server1_public
  ip netns exec $(ns server1) ping $prefix$client_address
  ip netns exec $(ns node) tcpdump -ni xlat646
  less $state/xlat646d.log
  $command status --socket $state/control.sock
  edit $state/mapping.yaml, then: $command reload --socket $state/control.sock
Remove it:
  $here/demo.sh --remove
END
}

if [ "$installed" = yes ]; then
    need_installed
    lab_up
else
    "$root/packaging/dependencies.sh" build demo
    lab_up
    build
fi
picture
step "Start the translator" start_translator \
    "It opens a TUN device and routes the mapped addresses and the prefix into it."
step "Ping from the IPv4 client to an IPv6-only server" ping_server \
    "$server1_public is only an entry in mapping.yaml; the server has no IPv4 at all."
step "Traceroute, by UDP and by ICMP" trace_server \
    "The node is several hops: its kernel, the translator ($own4), its kernel on the IPv6 side" \
    "(seen as an address of the pool 192.0.2.240/29, because it has no mapping)."
step "An HTTP download of 50 MB, checksums compared" download \
    "The web server listens on $server1_address, the client asks $server1_public."
step "A connection from server to client" call_client \
    "The same pair works in the other direction, without any state in the translator."
step "Hairpinning: server1 reaches server2 by its public address" hairpin \
    "The packet is turned around inside the translator and never becomes IPv4."
step "Speed beside plain IPv6 forwarding through the same node" speed \
    "One TCP stream, same segment size, medians of three runs of two seconds."
step "Add a pair while it runs" reload \
    "Other connections do not notice; a broken file would change nothing."
step "What has it done?" status \
    "Every packet that was discarded has a reason."
if [ ${#failed[@]} -gt 0 ]; then
    say "" "The translator's log:"
    tail -n 30 "$state/xlat646d.log"
fi
[ "$keep" = no ] || look_around
summary || exit 1
