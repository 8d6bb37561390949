# SPDX-License-Identifier: BSD-2-Clause
"""FRR's daemons for tests, as Debian's frr.service would run them: user frr, /etc/frr and /run/frr.
These are directories of the test's own, seen by these processes alone."""

import os
import shutil
import tempfile

from netns import LabError, wait_until

DAEMONS = ("zebra", "staticd", "bfdd", "ospfd", "ospf6d")
PROGRAMS = "/usr/lib/frr"
# `ip netns exec` gives each process mounts of its own.
WITH_DIRECTORIES = 'mount --bind "$0/etc" /etc/frr && mount --bind "$0/run" /run && exec "$@"'


def need_frr():
    missing = [name for name in (*DAEMONS, "../../bin/vtysh")
               if not os.access(os.path.join(PROGRAMS, name), os.X_OK)]
    if missing:
        raise LabError(f"missing programs of FRR: {missing}; packaging/dependencies.sh test")


class Frr:
    def __init__(self, net, role, text):
        self.net, self.role = net, role
        self.directory = tempfile.mkdtemp(prefix="xlat646-frr-")
        os.chmod(self.directory, 0o755)
        self.log_path = os.path.join(self.directory, "log")
        self.processes = {}
        for name in ("etc", "run", "run/frr"):
            os.mkdir(os.path.join(self.directory, name))
        for name in ("etc", "run/frr"):
            shutil.chown(os.path.join(self.directory, name), "frr", "frr")
        for name, content in (("frr.conf", text),
                              ("vtysh.conf", "service integrated-vtysh-config\n")):
            with open(os.path.join(self.directory, "etc", name), "w", encoding="utf-8") as file:
                file.write(content)

    def command(self, *words):
        return ("sh", "-c", WITH_DIRECTORIES, self.directory, *words)

    def start(self):
        with open(self.log_path, "ab") as log:
            for name in DAEMONS:
                self.processes[name] = self.net.start(
                    self.role, *self.command(f"{PROGRAMS}/{name}", "-P", "0", "--log", "stdout"),
                    stdout=log, stderr=log)
                self.wait_answer(name)
        done = self.net.run(self.role, *self.command("vtysh", "-b"))
        if done.returncode != 0 or "%" in done.stdout + done.stderr:
            raise LabError(f"vtysh -b: status {done.returncode}\n{done.stdout}{done.stderr}")
        return self

    def wait_answer(self, name):
        def answers():
            if self.processes[name].poll() is not None:
                raise LabError(f"{name} ended:\n{self.log()}")
            return self.net.run(self.role, *self.command(
                "vtysh", "-d", name, "-c", "show version")).returncode == 0
        wait_until(answers, f"{name} answers")

    def vtysh(self, *commands):
        """Each command as an operator would give it with -c."""
        words = [word for command in commands for word in ("-c", command)]
        done = self.net.run(self.role, *self.command("vtysh", *words))
        if done.returncode != 0:
            raise LabError(f"vtysh {words}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self):
        for process in reversed(self.processes.values()):
            if process.poll() is None:
                process.terminate()
        for process in self.processes.values():
            process.wait(timeout=30)

    def remove(self):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)
