# SPDX-License-Identifier: BSD-2-Clause
"""What is compared. Each file of this folder is an adapter: it has a list CASES of `Translator`s.
The tool takes every file that lies here, in the order of RANK, then of names."""

import importlib
import pkgutil

from testbed import CLIENT_IN_PREFIX, PUBLIC4


class Translator:
    """One way through the gateway.

    name     for the command line and the results
    label    for tables and plots
    server   the server's address as the client sees it
    client   the client's address as the server sees it
    only     names of the workloads it is for; None: all
    """

    name = label = None
    server, client = PUBLIC4, CLIENT_IN_PREFIX
    only = None

    def missing(self):
        """Why it cannot run on this machine, in a sentence; None if it can."""
        return None

    def version(self):
        """For the report."""
        return None

    def start(self, testbed):
        """Sets up and starts it in the namespace "gw", routes included; once for each workload. It
        need not answer yet when this returns. If it raises, the testbed is made anew."""

    def stop(self, testbed):
        """Leaves the gateway as start() found it."""


def load_all():
    modules = [importlib.import_module(f"{__name__}.{m.name}")
               for m in pkgutil.iter_modules(__path__)]
    modules.sort(key=lambda m: (getattr(m, "RANK", 50), m.__name__))
    return [case for module in modules for case in module.CASES]
