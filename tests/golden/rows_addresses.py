# SPDX-License-Identifier: BSD-2-Clause
"""Matrix sections 10 and 16: special-purpose addresses and the translation prefix."""
import ipaddress

from book import (
    C4,
    C6,
    R6,
    S4,
    S6,
    Book,
    config,
    down,
    embed,
    error4,
    error6,
    out_error4,
    out_error6,
    quote46,
    quote64,
    up,
)
from packets import Echo, tcp, udp, v4, v6
from special_blocks import BESIDE4, BESIDE6, DENIED6, IPV4, IPV6


def ends(block):
    net = ipaddress.ip_network(block)
    return [str(net[0])] if net.num_addresses == 1 else [str(net[0]), str(net[-1])]


def configs():
    config("internet", profile="internet")
    config("private", profile="private")


def sources4(b):
    for block, kind in IPV4:
        for client in ends(block):
            profiles = (
                ("internet", kind == "A"),
                ("private", kind in "Ap"),
                ("default", kind != "H"),
            )
            for name, allowed in profiles if client == ends(block)[0] else profiles[:1]:
                text = f"client {client} ({block}), profile {'any' if name == 'default' else name}"
                reason = "martian4" if kind == "H" else "policy4"
                segment = tcp() if client == ends(block)[0] else udp()
                if allowed:
                    b.forward(
                        "SPA-01 SPA-02 T46-11",
                        f"{text}: passes as source",
                        *up(segment, client),
                        config=name,
                    )
                    b.forward(
                        "SPA-01 SPA-02",
                        f"{text}: passes as destination",
                        *down(segment, dst=client),
                        config=name,
                    )
                else:
                    b.drop(
                        "SPA-01 SPA-02 T46-11 G4-03",
                        f"{text}: dropped as source",
                        v4(client, S4, segment),
                        reason,
                        config=name,
                    )
                    b.drop(
                        "SPA-01 SPA-02",
                        f"{text}: dropped as destination",
                        v6(S6, embed(client), segment),
                        reason,
                        config=name,
                    )
    for client in BESIDE4:
        b.forward(
            "SPA-01", f"client {client} is ordinary: source", *up(udp(), client), config="internet"
        )
    b.forward("SPA-01", "client 192.0.0.8 with profile any", *up(udp(), "192.0.0.8"))
    b.drop(
        "SPA-01",
        "192.0.0.8 as destination",
        v6(S6, embed("192.0.0.8"), udp()),
        "policy4",
        config="internet",
    )
    for dst in (
        "0.0.0.0",
        "127.0.0.1",
        "169.254.1.1",
        "224.0.0.5",
        "232.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
    ):
        b.drop("SPA-01 T46-20 G4-03", f"IPv4 destination {dst}", v4(C4, dst, udp()), "martian4")
    for block in ("10.0.0.0/8", "198.51.100.0/24"):
        name = config(f"allow_{block.split('.')[0]}", profile="internet", allow=[block])
        client = ends(block)[1]
        b.forward("SPA-02 SPA-03", f"{block} switched on: source", *up(udp(), client), config=name)
        b.forward(
            "SPA-02 SPA-03",
            f"{block} switched on: destination",
            *down(udp(), dst=client),
            config=name,
        )
        b.drop(
            "SPA-03",
            "192.168.0.1 is not switched on with it",
            v4("192.168.0.1", S4, udp()),
            "policy4",
            config=name,
        )
    config("allow_part", profile="internet", allow=["10.1.0.0/16"])
    b.forward(
        "SPA-03",
        "10.1.0.0/16 inside of 10/8 switched on",
        *up(udp(), "10.1.2.3"),
        config="allow_part",
    )
    b.drop(
        "SPA-03",
        "the rest of 10/8 is not",
        v4("10.2.2.3", S4, udp()),
        "policy4",
        config="allow_part",
    )
    config("deny", deny=["8.8.8.0/24"], allow=["8.8.8.8/32"])
    b.drop(
        "SPA-03 SPA-06",
        "8.8.8.0/24 switched off: source",
        v4("8.8.8.7", S4, udp()),
        "policy4",
        config="deny",
    )
    b.drop(
        "SPA-03 SPA-06",
        "8.8.8.0/24 switched off: destination",
        v6(S6, embed("8.8.8.9"), udp()),
        "policy4",
        config="deny",
    )
    b.forward("SPA-03", "8.8.8.8 is more specific", *up(udp(), "8.8.8.8"), config="deny")
    config("allow_hard", allow=["127.0.0.0/8", "224.0.0.0/4"])
    b.drop(
        "SPA-01",
        "class H cannot be switched on: 127.0.0.1",
        v4("127.0.0.1", S4, udp()),
        "martian4",
        config="allow_hard",
    )
    b.drop(
        "SPA-01",
        "class H cannot be switched on: 224.0.0.1",
        v6(S6, embed("224.0.0.1"), udp()),
        "martian4",
        config="allow_hard",
    )
    b.drop(
        "SPA-01 T46-08",
        "policy comes before the TTL",
        v4("10.0.0.1", S4, udp(), ttl=1),
        "policy4",
        config="internet",
    )
    b.drop(
        "SPA-01 T64-07",
        "policy comes before the hop limit",
        v6(S6, embed("10.0.0.1"), udp(), hlim=1),
        "policy4",
        config="internet",
    )
    b.forward(
        "SPA-01 SPA-02",
        "the server's own block is not asked about",
        *up(udp(), "9.9.9.9"),
        config="internet",
    )


def errors4(b):
    before, after = quote46(udp(), client="9.9.9.9")
    for router in (
        "10.0.0.1",
        "100.64.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "192.0.0.8",
        "192.0.0.1",
        "198.18.0.1",
        "203.0.113.200",
    ):
        for kind, code, to in ((11, 0, (3, 0)), (3, 1, (1, 0))):
            b.forward(
                "T46-12 SPA-04 S91-07",
                f"{kind}/{code} from {router} passes",
                error4(kind, code, 0, before, src=router),
                out_error6(*to, 0, after, src=embed(router)),
                config="internet",
            )
        if router == "192.0.0.8":
            continue  # no rule for other packets from it
        b.drop(
            "T46-12 SPA-04",
            f"an echo request from {router} does not",
            v4(router, S4, Echo()),
            "policy4",
            config="internet",
        )
    for router in (
        "0.0.0.0",
        "0.255.255.255",
        "127.0.0.1",
        "169.254.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
    ):
        b.drop(
            "T46-12 SPA-01",
            f"11/0 from {router} does not pass",
            error4(11, 0, 0, before, src=router),
            "martian4",
        )
    for client in ("127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255"):
        b.drop(
            "SPA-01 INN-01",
            f"quoted destination {client}",
            error4(11, 0, 0, v4(S4, client, udp())),
            ["martian4", "icmp_quote"],
        )


def sources6(b):
    before, after = quote64(udp(), "9.9.9.9")
    to6, to4 = embed("9.9.9.9"), "9.9.9.9"
    for block, kind in IPV6:
        for src in ends(block):
            profiles = (
                ("internet", kind == "A"),
                ("private", kind == "A"),
                ("default", kind != "H"),
            )
            for name, allowed in profiles if src == ends(block)[0] else profiles[:1]:
                text = f"3/0 from {src} ({block}), profile {'any' if name == 'default' else name}"
                packet = error6(3, 0, 0, before, src=src, dst=to6)
                if name == "default" and src.startswith("2001:db8:64::"):
                    continue
                if allowed:
                    b.forward(
                        "SPA-01 S91-01",
                        f"{text}: passes",
                        packet,
                        out_error4(11, 0, 0, after, dst=to4),
                        config=name,
                    )
                else:
                    b.drop(
                        "SPA-01 S91-06" if kind == "H" else "SPA-01 SPA-02",
                        f"{text}: dropped",
                        packet,
                        "martian6" if kind == "H" else "policy6",
                        config=name,
                    )
            if kind == "H":
                b.drop("SPA-01 SEC-01 T64-15", f"UDP from {src}", v6(src, C6, udp()), "martian6")
                b.drop("SPA-01", f"UDP to {src}", v6(S6, src, udp()), "martian6")
    for src in BESIDE6:
        packet = error6(1, 0, 0, before, src=src, dst=to6)
        if src in DENIED6:
            b.drop(
                "SPA-01",
                f"1/0 from {src}, the rest of 2001::/23",
                packet,
                "policy6",
                config="internet",
            )
        else:
            b.forward(
                "SPA-01 S91-01",
                f"1/0 from {src}: ordinary",
                packet,
                out_error4(3, 1, 0, after, dst=to4),
                config="internet",
            )
    b.forward(
        "SPA-01",
        "the server itself may lie in a class D block",
        error6(1, 4, 0, before, src=S6, dst=to6),
        out_error4(3, 3, 0, after, src=S4, dst=to4),
        config="internet",
    )
    config("allow_documentation", profile="internet", allow=["2001:db8::/32"])
    b.forward(
        "SPA-03 S91-01",
        "2001:db8::/32 switched on",
        error6(3, 0, 0, before, src=R6, dst=to6),
        out_error4(11, 0, 0, after, dst=to4),
        config="allow_documentation",
    )


def prefixes(b):
    well_known = "64:ff9b::/96"
    config("well_known", prefix=well_known)
    for block, kind in IPV4:
        client = ends(block)[0]
        if kind == "A":
            b.forward(
                "A52-06",
                f"well-known prefix, client {client} is global: source",
                *up(tcp(), client, prefix=well_known),
                config="well_known",
            )
            b.forward(
                "A52-06",
                f"well-known prefix, client {client} is global: destination",
                *down(tcp(), dst=client, prefix=well_known),
                config="well_known",
            )
        else:
            reason = "martian4" if kind == "H" else "policy4"
            b.drop(
                "A52-06",
                f"well-known prefix, client {client}: dropped as source",
                v4(client, S4, tcp()),
                reason,
                config="well_known",
            )
            b.drop(
                "A52-06",
                f"well-known prefix, client {client}: dropped as destination",
                v6(S6, embed(client, well_known), tcp()),
                reason,
                config="well_known",
            )
    for client in ("1.1.1.1", "9.9.9.9", "223.255.255.254"):
        b.forward(
            "A52-05 A52-06 DC-06",
            f"well-known prefix, client {client}: source",
            *up(tcp(), client, prefix=well_known),
            config="well_known",
        )
        b.forward(
            "A52-05 A52-06 DC-06",
            f"well-known prefix, client {client}: destination",
            *down(udp(), dst=client, prefix=well_known),
            config="well_known",
        )
    for number, prefix in enumerate(
        (
            "64:ff9b:1::/96",
            "64:ff9b:1:fffe::/96",
            "64:ff9b:1:fffd:1::/96",
            "64:ff9b:1:fffc:2::/96",
            "64:ff9b:1:abcd:0:5431::/96",
            "2001:db8:122:344::/96",
            "2001:db8:1:2:3:4::/96",
            "fd00:64::/96",
        )
    ):
        name = config(f"prefix_{number}", prefix=prefix)
        for client in ("10.1.1.1", "192.0.2.33", "9.9.9.9"):
            b.forward(
                "A52-01 A52-12 A52-13 DC-06",
                f"{prefix}, client {client}: source",
                *up(tcp(), client, prefix=prefix),
                config=name,
            )
            b.forward(
                "A52-01 A52-04 A52-12 A52-13 DC-06",
                f"{prefix}, client {client}: destination",
                *down(udp(), dst=client, prefix=prefix),
                config=name,
            )
    pairs = [
        ["192.0.2.255", "2001:db8:1:0:200:5eff:fe00:1"],
        ["192.0.2.0", "2001:db8:1:0:ffff:ffff:ffff:ffff"],
        ["8.8.8.255", "2001:db8::"],
        ["10.0.0.0", "fd00::10"],
    ]
    config("odd_pairs", pairs=pairs)
    for four, six in pairs:
        for segment in (tcp(), udp(), Echo()):
            b.forward(
                "A52-15 SPA-05",
                f"the pair {four} = {six}, 4to6",
                *up(segment, dst=four, to=six),
                config="odd_pairs",
            )
            b.forward(
                "A52-15 SPA-05",
                f"the pair {four} = {six}, 6to4",
                *down(segment, src=six, was=four),
                config="odd_pairs",
            )


def books():
    b = Book("addresses")
    configs()
    for rows in (sources4, errors4, sources6, prefixes):
        rows(b)
    return [b]
