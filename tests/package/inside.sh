#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The newcomer's path and what follows, inside a Debian that has been booted with systemd and the
# package: installed_test.py runs it there as a service. /proof holds a newer package.
# Each step that went well is a line "ok ..."; the first that did not ends it with status 1.
set -Eeuo pipefail
trap 'echo "FAILED in line $LINENO: $BASH_COMMAND"; journalctl --no-pager -o cat -n 60 -u xlat646 -u xlat646-exporter || true' ERR

ok() { echo "ok $*"; }
fail() { echo "FAILED: $*"; return 1; }
not() { if "$@"; then fail "it should not: $*"; fi; } # set -e does not see what "!" turns round
wait_for() { # waits until a command succeeds; the limit is only a safety net
    local i
    for i in $(seq 600); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.05
    done
    fail "waited in vain for: $*"
}
is_ready() { systemctl is-active -q xlat646 && [ "$(cat /sys/class/net/xlat646/carrier)" = 1 ]; }
pid() { systemctl show -P MainPID xlat646; }
has_new_pid() { [ "$(pid)" != "$1" ] && [ "$(pid)" != 0 ]; }
client() { ip netns exec client "$@"; }
ping4() { client ping -n -q -W 5 -i 0.02 "$@" 192.0.2.1; }
capabilities() { awk '/^CapEff/ { print $2 }' "/proc/$1/status"; }
mapping() { # replaces the file as an editor would
    printf 'version: 1\nmappings:\n%s\n' "$1" >/etc/xlat646/mapping.yaml.new
    mv /etc/xlat646/mapping.yaml.new /etc/xlat646/mapping.yaml
}

network() {
    # As udev makes it on a machine of its own.
    mkdir -p /dev/net
    [ -c /dev/net/tun ] || mknod /dev/net/tun c 10 200
    chmod 666 /dev/net/tun
    sysctl -q -p /usr/share/doc/xlat646/examples/sysctl.d/60-xlat646.conf
    sysctl -q -w net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0
    ip netns add client
    ip netns add server
    ip link add v4 type veth peer name eth0 netns client
    ip link add v6 type veth peer name eth0 netns server
    ip link set v4 up
    ip link set v6 up
    ip addr add 1.2.3.1/24 dev v4
    ip addr add 2001:db8:6::1/64 dev v6 nodad
    ip -n client link set eth0 up
    ip -n client addr add 1.2.3.10/24 dev eth0
    ip -n client route add default via 1.2.3.1
    ip -n server link set eth0 up
    ip -n server addr add 2001:db8:6::2/64 dev eth0 nodad
    ip -n server route add default via 2001:db8:6::1
}

after_installation() {
    [ "$(systemctl is-enabled xlat646 || true)" = disabled ]
    [ "$(systemctl is-active xlat646 || true)" = inactive ]
    [ "$(systemctl is-enabled xlat646-exporter.socket || true)" = disabled ]
    [ "$(systemctl is-active xlat646-exporter.socket || true)" = inactive ]
    ok "nothing is enabled or started by the installation"
}

# What a newcomer types after "apt install", and no more; installed_test.py adds apt's time.
newcomer() {
    local begin=$EPOCHREALTIME
    cat >/etc/xlat646/xlat646.yaml <<END
translation_prefix: "2001:db8:46::/96"
mapping_files: ["mapping.yaml"]
END
    cat >/etc/xlat646/mapping.yaml <<END
version: 1
mappings:
  - { ipv4: 192.0.2.1, ipv6: "2001:db8:6::2" }
END
    xlat646 check /etc/xlat646/xlat646.yaml
    systemctl enable --now xlat646
    wait_for client ping -n -c 1 -W 1 192.0.2.1
    ok "newcomer: five lines, check, enable --now, and the first ping passes"
    echo "newcomer's seconds: $(awk "BEGIN { print $EPOCHREALTIME - $begin }")"
    wait_for is_ready
    ping4 -c 5
}

as_installed() {
    systemctl start xlat646
    wait_for is_ready
    systemctl stop xlat646
    ok "starts and becomes ready with the configuration as it is installed"
}

restrictions() {
    local main worker
    main=$(pid)
    [ "$(stat -c %U "/proc/$main")" = xlat646d ]
    # CAP_NET_ADMIN is bit 12, CAP_NET_RAW 13.
    [ "$(capabilities "$main")" = 0000000000003000 ]
    grep -q '^CapBnd:.*0000000000003000$' "/proc/$main/status"
    grep -q '^NoNewPrivs:.*1$' "/proc/$main/status"
    grep -q '^Seccomp:.*2$' "/proc/$main/status"
    ok "user xlat646d, two capabilities, no new privileges, seccomp"
    grep -q '^Max nice priority  *40 ' "/proc/$main/limits" ||
        echo "NOT PROVEN: LimitNICE= and the workers' priority; systemd itself may not raise limits here"
    if grep -q '^Max nice priority  *40 ' "/proc/$main/limits"; then
        for worker in $(grep -l '^worker' /proc/"$main"/task/*/comm); do
            # Field 19, counted from the end of the name, which holds a space.
            [ "$(sed 's/.*) //' "${worker%comm}stat" | awk '{ print $17 }')" = -10 ]
        done
        ok "the workers have their priority"
    fi
    nsenter -t "$main" -m sh -c '! touch /etc/xlat646/x && ! touch /usr/x && ! ls /home/* &&
        touch /run/xlat646/x && rm /run/xlat646/x' 2>/dev/null
    ok "the file system is read-only for it, but for its directories"
    not grep -i 'cannot\|not permitted\|denied' <(journalctl --no-pager -o cat -u xlat646 |
        grep -v 'tun.priority')
    ok "nothing in the log that it was not allowed to do"
    [ "$(stat -c '%a %U %G' /run/xlat646/control.sock)" = "660 xlat646d xlat646d" ]
    [ "$(stat -c '%a %U %G' /run/xlat646/stats)" = "640 xlat646d xlat646d" ]
    not runuser -u nobody -- xlat646 status
    ok "socket and statistics are for its group"
}

commands() {
    local config=/etc/xlat646/xlat646.yaml
    xlat646 capture --write /tmp/seen.pcapng --count 2 --seconds 60 icmp or icmp6 &
    wait_for test -s /tmp/seen.pcapng
    ping4 -c 20
    wait %1
    xlat646 explain --config $config --pcap /tmp/seen.pcapng --json >/tmp/explained
    grep -q '"verdict": "forward"' /tmp/explained
    ok "what a capture has seen is explained"
    xlat646 lookup --config $config 2001:db8:6::2 | grep -q '^  running  *the same$'
    xlat646 diff /etc/xlat646/mapping.yaml /etc/xlat646/mapping.yaml
    ok "lookup and diff"
}

reload() {
    local before
    before=$(pid)
    mapping '  - { ipv4: 192.0.2.1, ipv6: nonsense }'
    not systemctl reload xlat646
    ping4 -c 3
    ok "a bad file fails the reload, the old mappings stay"
    mapping '  - { ipv4: 192.0.2.1, ipv6: "2001:db8:6::2", name: www }
  - { ipv4: 192.0.2.2, ipv6: "2001:db8:6::2:2" }'
    ip -n server addr add 2001:db8:6::2:2/128 dev eth0 nodad
    systemctl reload xlat646
    wait_for client ping -n -q -c 1 -W 1 192.0.2.2
    [ "$(pid)" = "$before" ]
    systemctl is-active -q xlat646
    ok "a good one is used, by the same process"
}

restart() {
    local before
    before=$(pid)
    ping4 -c 500 >/tmp/ping &
    xlat646 restart
    wait_for has_new_pid "$before"
    wait %1
    grep -q ' 0% packet loss' /tmp/ping || fail "$(cat /tmp/ping)"
    systemctl is-active -q xlat646
    wait_for is_ready
    [ "$(capabilities "$(pid)")" = 0000000000003000 ]
    ok "xlat646 restart: another main process, no packet lost"
    before=$(pid)
    # Longer than WatchdogSec: systemd hears the new process.
    sleep 4
    [ "$(pid)" = "$before" ]
    kill -STOP "$before"
    wait_for has_new_pid "$before"
    wait_for is_ready
    ping4 -c 3
    [ "$(systemctl show -P NRestarts xlat646)" = 1 ]
    ok "the watchdog is fed by the new process, and kills it when it hangs"
    before=$(pid)
    kill -KILL "$before"
    [ -e /run/xlat646/stats ]
    wait_for has_new_pid "$before"
    wait_for is_ready
    ok "a killed daemon comes back"
}

bad_configuration() {
    cp /etc/xlat646/xlat646.yaml /tmp/good.yaml
    echo 'nonsense: 1' >>/etc/xlat646/xlat646.yaml
    systemctl stop xlat646
    not ip link show xlat646
    ok "a stop removes the TUN"
    not systemctl start xlat646
    [ "$(systemctl show -P ExecMainStatus xlat646)" = 78 ]
    [ "$(systemctl is-active xlat646 || true)" = failed ]
    cat /tmp/good.yaml >/etc/xlat646/xlat646.yaml
    systemctl start xlat646
    wait_for is_ready
    ok "status 78 is not tried again"
}

stop_after_restart() {
    local i
    for i in 1 2 3 4 5; do
        xlat646 restart
        systemctl stop xlat646
        [ "$(systemctl show -P Result xlat646)" = success ]
        systemctl start xlat646
        wait_for is_ready
    done
    ok "a stop just after xlat646 restart is orderly"
}

drop_ins() {
    local examples=/usr/share/doc/xlat646/examples/systemd there=/etc/systemd/system/xlat646.service.d
    mkdir -p $there
    cp $examples/without-raw-sockets.conf $there
    echo 'readiness: { probe: false }' >>/etc/xlat646/xlat646.yaml
    systemctl daemon-reload
    systemctl restart xlat646
    wait_for is_ready
    [ "$(capabilities "$(pid)")" = 0000000000001000 ]
    ping4 -c 3
    ok "example without-raw-sockets: CAP_NET_ADMIN alone"
    rm $there/*
    cat /tmp/good.yaml >/etc/xlat646/xlat646.yaml

    cp $examples/fastpath.conf $there
    echo 'fastpath: { mode: "on", interfaces: [v4, v6] }' >>/etc/xlat646/xlat646.yaml
    systemctl daemon-reload
    systemctl restart xlat646
    wait_for is_ready
    ping4 -c 50
    wait_for sh -c "xlat646 status | grep -Eq 'by the fast path +[1-9]'"
    ok "example fastpath: attached to both uplinks, and it has the packets"
    rm $there/*
    cat /tmp/good.yaml >/etc/xlat646/xlat646.yaml

    cp $examples/bird.conf $there
    chown xlat646d /etc/xlat646/bird
    cat >>/etc/bird/bird.conf <<END
router id 10.255.0.1;
include "/etc/xlat646/bird/*.conf";
END
    bird -p
    systemctl restart bird
    cat >>/etc/xlat646/xlat646.yaml <<END
routing: { router_id: 10.255.0.1, interfaces: [{ name: v4 }, { name: v6 }] }
hooks: { after_start: [/usr/bin/xlat646, bird-config, --install, /etc/xlat646/bird/xlat646.conf] }
END
    systemctl daemon-reload
    systemctl restart xlat646
    wait_for is_ready
    wait_for test -s /etc/xlat646/bird/xlat646.conf
    wait_for sh -c "birdc show route | grep -q 192.0.2.1/32"
    ok "example bird: the hook writes BIRD's part, BIRD has the route"
    xlat646 drain
    wait_for sh -c "! birdc show route | grep -q 192.0.2.1/32"
    ping4 -c 3
    xlat646 undrain
    wait_for sh -c "birdc show route | grep -q 192.0.2.1/32"
    ok "drain and undrain"
    rm -r $there
    cat /tmp/good.yaml >/etc/xlat646/xlat646.yaml
    systemctl daemon-reload
    systemctl restart xlat646
    wait_for is_ready
}

exporter() {
    local main
    systemctl enable --now xlat646-exporter.socket
    [ "$(systemctl is-active xlat646-exporter.service || true)" = inactive ]
    curl -sf http://127.0.0.1:9646/metrics >/tmp/metrics
    curl -sf 'http://[::1]:9646/-/ready'
    grep -q '^xlat646_mappings 2$' /tmp/metrics
    ok "the first question starts the exporter, and it reads the daemon's numbers"
    main=$(systemctl show -P MainPID xlat646-exporter)
    [ "$(capabilities "$main")" = 0000000000000000 ]
    [ "$(stat -c %U "/proc/$main")" != root ]
    grep -q '^Seccomp:.*2$' "/proc/$main/status"
    not nsenter -t "$main" -n ip link show v4 2>/dev/null
    not nsenter -t "$main" -m -S "$(stat -c %u "/proc/$main")" sh -c 'echo >/run/xlat646/control.sock'
    ok "it has no capability, no network and no control socket"
    systemctl stop xlat646
    not curl -sf http://127.0.0.1:9646/-/ready
    curl -sf http://127.0.0.1:9646/metrics >/dev/null
    systemctl start xlat646
    wait_for curl -sf http://127.0.0.1:9646/-/ready
    ok "it says that the daemon is gone, and that it is back"
}

demo() { # beside the running daemon: it has namespaces and files of its own
    local log=/proof/demo.log
    /usr/share/doc/xlat646/examples/demo.sh >$log 2>&1 || fail "$(tail -n 60 $log)"
    grep -q '^all [0-9]* steps passed' $log
    not grep -q building $log
    not grep -q x46demo <(ip netns list)
    is_ready
    ok "the demo runs with the installed programs: $(tail -n 1 $log)"
}

upgrade_and_removal() {
    local before
    before=$(pid)
    dpkg -i /proof/*.deb >/tmp/dpkg 2>&1 </dev/null
    [ "$(pid)" = "$before" ]
    systemctl is-active -q xlat646
    grep -q 2001:db8:6::2 /etc/xlat646/mapping.yaml
    ok "an upgrade leaves the daemon and changed files alone"
    xlat646 restart
    wait_for has_new_pid "$before"
    ok "xlat646 restart then runs the new program"
    echo mine >/etc/xlat646/mine.yaml
    dpkg --remove xlat646 >/tmp/dpkg 2>&1
    [ "$(systemctl is-active xlat646 || true)" = inactive ]
    not ip link show xlat646
    [ -e /etc/xlat646/mapping.yaml ]
    ok "removed: stopped, files of /etc are there"
    dpkg --purge xlat646 >/tmp/dpkg 2>&1
    [ "$(ls /etc/xlat646)" = mine.yaml ] || [ "$(ls /etc/xlat646 | sort | tr '\n' ' ')" = "bird mine.yaml " ]
    [ ! -e /var/lib/xlat646 ]
    [ -z "$(find /etc/systemd /lib/systemd /usr/lib/systemd -name 'xlat646*')" ]
    ok "purged: nothing is left but the operator's own"
}

network
after_installation
as_installed
newcomer
restrictions
commands
reload
restart
bad_configuration
stop_after_restart
drop_ins
exporter
demo
upgrade_and_removal
ok all
