# SPDX-License-Identifier: BSD-2-Clause
"""No translator: the gateway forwards one family. Plain IPv6 is what all others are held against:
a translated connection has its segment size."""

from testbed import CLIENT4, CLIENT6, SERVER4, SERVER6
from translators import Translator

RANK = 0


class Plain(Translator):
    def __init__(self, name, label, server, client):
        self.name, self.label, self.server, self.client = name, label, server, client


CASES = [Plain("ipv6", "plain IPv6", SERVER6, CLIENT6),
         Plain("ipv4", "plain IPv4", SERVER4, CLIENT4)]
