# SPDX-License-Identifier: BSD-2-Clause
"""Matrix section 11: explicit mappings with prefixes. Its rows go to eam_hairpin.json."""
from book import (
    C4,
    C6,
    S4,
    T4,
    config,
    down,
    embed,
    error4,
    out_error6,
    own_error4,
    own_error6,
    quote46,
    up,
)
from packets import Echo, tcp, udp, v4, v6

S6C, T6C = embed(S4), embed(T4)  # the servers as IPv4 hosts
TABLE = (
    ("192.0.2.1", "2001:db8:aaaa::"),
    ("192.0.2.2", "2001:db8:bbbb::b"),
    ("192.0.2.16", "2001:db8:cccc::"),
    ("192.0.2.24", "2001:db8:cccc::8"),
    ("192.0.2.31", "2001:db8:cccc::f"),
    ("192.0.2.128", "2001:db8:dddd::"),
    ("192.0.2.152", "2001:db8:dddd:0:6000::"),
    ("192.0.2.183", "2001:db8:dddd:0:dc00::"),
    ("192.0.2.191", "2001:db8:dddd:0:fc00::"),
    ("192.0.2.195", "2001:db8:eeee:9:8000::"),
    ("192.0.2.192", "2001:db8:eeee:8::"),
    ("192.0.2.199", "2001:db8:eeee:b:8000::"),
)
PAIRS = [
    ["192.0.2.1", "2001:db8:aaaa::"],
    ["192.0.2.2", "2001:db8:bbbb::b"],
    ["192.0.2.16/28", "2001:db8:cccc::/124"],
    ["192.0.2.128/26", "2001:db8:dddd::/64"],
    ["192.0.2.192/29", "2001:db8:eeee:8::/62"],
]


def mappings(b):
    config("eam", pairs=PAIRS)
    for number, (four, six) in enumerate(TABLE):
        for name, segment in (("TCP", tcp()), ("UDP", udp()), ("echo", Echo()))[
            number % 2 : number % 2 + 2
        ]:
            b.forward(
                "EAM-01 EAM-02", f"{name} to {four}", *up(segment, dst=four, to=six), config="eam"
            )
            b.forward(
                "EAM-01 EAM-03 EAM-04",
                f"{name} from {six}",
                *down(segment, src=six, was=four),
                config="eam",
            )
        before, after = quote46(udp(), four, six)
        b.forward(
            "EAM-02 INN-04",
            f"11/0 to {four}",
            error4(11, 0, 0, before, dst=four),
            out_error6(3, 0, 0, after, dst=six),
            config="eam",
        )
    for six, four in (
        ("2001:db8:dddd:0:6000::1234", "192.0.2.152"),
        ("2001:db8:dddd:0:63ff:ffff:ffff:ffff", "192.0.2.152"),
        ("2001:db8:eeee:9:8000:ffff::", "192.0.2.195"),
    ):
        b.forward(
            "EAM-03",
            f"from {six}: what is behind the IPv4 suffix is cut off",
            *down(tcp(), src=six, was=four),
            config="eam",
        )
    for four in (
        "192.0.2.0",
        "192.0.2.3",
        "192.0.2.15",
        "192.0.2.32",
        "192.0.2.127",
        "192.0.2.200",
        "192.0.2.248",
    ):
        packet = v4(C4, four, udp())
        b.reply(
            "EAM-02 EAM-05 T46-23",
            f"{four} is in no mapping",
            packet,
            "no_mapping",
            own_error4(3, 13, 0, packet),
            config="eam",
        )
    for six in (
        "2001:db8:aaaa::1",
        "2001:db8:cccc::10",
        "2001:db8:dddd:1::",
        "2001:db8:eeee:7::",
        "2001:db8:eeee:c::",
    ):
        packet = v6(six, C6, udp())
        b.reply(
            "EAM-03 T64-22",
            f"{six} is in no mapping",
            packet,
            "no_mapping",
            own_error6(1, 1, 0, packet, to=six),
            config="eam",
        )
    nested = [
        ["192.0.2.16/28", "2001:db8:cccc::/124"],
        ["192.0.2.20", "2001:db8:5::20"],
        ["192.0.2.24/30", "2001:db8:6::/64"],
        ["192.0.0.0/16", "2001:db8:7::/96"],
    ]
    config("nested", pairs=nested)
    for four, six in (
        ("192.0.2.19", "2001:db8:cccc::3"),
        ("192.0.2.20", "2001:db8:5::20"),
        ("192.0.2.21", "2001:db8:cccc::5"),
        ("192.0.2.25", "2001:db8:6:0:4000::"),
        ("192.0.2.28", "2001:db8:cccc::c"),
        ("192.0.77.7", "2001:db8:7::4d07:0"),
    ):
        b.forward(
            "EAM-02 EAM-04",
            f"{four}: the longest match wins",
            *up(tcp(), dst=four, to=six),
            config="nested",
        )
        b.forward(
            "EAM-03 EAM-04",
            f"{six}: the longest match wins",
            *down(tcp(), src=six, was=four),
            config="nested",
        )
    b.forward(
        "EAM-03 EAM-06",
        "2001:db8:cccc::4: asymmetric, but its mapping",
        *down(udp(), src="2001:db8:cccc::4", was="192.0.2.20"),
        config="nested",
    )
    config("spoof_off", drop_spoofed_pairs=False)
    for name, segment in (("TCP", tcp()), ("UDP", udp()), ("echo", Echo())):
        b.forward(
            "EAM-05 HP-01 SEC-04",
            f"{name} between two pairs, spoof check off: the source goes by the prefix",
            *up(segment, T4),
            config="spoof_off",
        )
