# SPDX-License-Identifier: BSD-2-Clause
"""koshien.py works, and whatever becomes of the exporter, packets are translated and counted."""

import os
import unittest

from koshien import Koshien
from lab import V1
from netns import wait_until
from stats_segment import StatsSegment

MAPPINGS = 20_000


class Watched(unittest.TestCase):
    def test_crowd(self):
        with Koshien(MAPPINGS) as koshien:
            path = os.path.join(koshien.daemon.directory, "stats")
            before = StatsSegment(path).pair(V1)[1]
            found = koshien.round(5)
            print(found)
            self.assertGreater(found["taken"], 0)
            self.assertIsNone(koshien.daemon.process.poll())
            # Through a deleted file and a new generation: all bytes of both streams, and headers.
            wait_until(lambda: StatsSegment(path).pair(V1)[1] - before > found["bytes"],
                       "the numbers")


if __name__ == "__main__":
    unittest.main(verbosity=2)
