# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034
#
# The demo's network: four network namespaces, their cables, and the processes in them.
# $state/lab names the namespaces, so that --remove can find them later.

readonly state_prefix=/run/xlat646-demo.
readonly client_address=198.51.100.10
readonly server1_address=2001:db8:6::2 server1_public=192.0.2.1
readonly server2_address=2001:db8:6::3 server2_public=192.0.2.2
readonly third_address=2001:db8:6::4 third_public=192.0.2.3
readonly prefix=2001:db8:46::
readonly own4=192.0.2.254

# The namespace of a role: client, node, server1, server2.
ns() { echo "x46demo-$lab_id-$1"; }

# on ROLE COMMAND...: runs a command there.
on() {
    local role=$1
    shift
    ip netns exec "$(ns "$role")" "$@"
}

# start_on ROLE LOG COMMAND...: starts a process there; its id is in $started.
start_on() {
    local role=$1 log=$2
    shift 2
    ip netns exec "$(ns "$role")" "$@" </dev/null >"$log" 2>&1 &
    started=$!
    disown
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
    local tries=$(($1 * 10))
    shift
    until "$@" >/dev/null 2>&1; do
        ((tries-- > 0)) || return 1
        sleep 0.1
    done
}

lab_up() {
    state=$(mktemp -d "${state_prefix}XXXXXX")
    lab_id=${state#"$state_prefix"}
    chmod 755 "$state"
    local role
    for role in client node server1 server2; do
        ns "$role" >>"$state/lab"
        ip netns add "$(ns "$role")"
        ip -n "$(ns "$role")" link set lo up
        on "$role" sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0
    done
    # What any router needs, inside the node's namespace only. Traces send probes faster than a
    # kernel likes to answer.
    on node sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
        net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
        net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.default.send_redirects=0 \
        net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0

    ip link add eth0 netns "$(ns client)" type veth peer name outside netns "$(ns node)"
    ip link add eth0 netns "$(ns server1)" type veth peer name port1 netns "$(ns node)"
    ip link add eth0 netns "$(ns server2)" type veth peer name port2 netns "$(ns node)"
    ip -n "$(ns client)" -batch - <<END
link set eth0 up
addr add $client_address/24 dev eth0
route add default via 198.51.100.1
END
    ip -n "$(ns node)" -batch - <<END
link add inside type bridge
link set port1 master inside
link set port2 master inside
link set port1 up
link set port2 up
link set inside up
link set outside up
addr add 198.51.100.1/24 dev outside
addr add 2001:db8:6::1/64 dev inside nodad
END
    ip -n "$(ns server1)" -batch - <<END
link set eth0 up
addr add $server1_address/64 dev eth0 nodad
route add default via 2001:db8:6::1
END
    ip -n "$(ns server2)" -batch - <<END
link set eth0 up
addr add $server2_address/64 dev eth0 nodad
addr add $third_address/64 dev eth0 nodad
route add default via 2001:db8:6::1
END
}

# lab_down STATE: ends all processes in the namespaces that $STATE/lab lists, then removes these
# and the files.
lab_down() {
    local names=() name number
    [ ! -f "$1/lab" ] || mapfile -t names <"$1/lab"
    for number in TERM KILL; do
        signal_all "$number" "${names[@]}"
        wait_for 5 none_left "${names[@]}" && break
    done
    for name in "${names[@]}"; do
        ip netns del "$name" 2>/dev/null || true
    done
    rm -rf -- "$1"
}

processes() {
    local name
    for name in "$@"; do
        ip netns pids "$name" 2>/dev/null || true
    done
}

signal_all() {
    local pid
    for pid in $(processes "${@:2}"); do
        kill "-$1" "$pid" 2>/dev/null || true
    done
}

none_left() { [ -z "$(processes "$@")" ]; }
