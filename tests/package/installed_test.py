# SPDX-License-Identifier: BSD-2-Clause
"""Installs the package into a plain Debian, boots that with systemd in a container, and runs
inside.sh there: the real units, the real restrictions. Needs root, a network for apt, mmdebstrap
and systemd-nspawn; takes some minutes. packaging/test runs it, CTest does not.

Environment: XLAT646_PACKAGE_DIRECTORY, where build_test.py has left the package.
"""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
OUT = pathlib.Path(os.environ["XLAT646_PACKAGE_DIRECTORY"]).resolve()
SOURCES = "/etc/apt/sources.list.d/debian.sources"
# What the tests use; what the package needs, apt finds out.
BASE = "systemd-sysv,dbus,iproute2,iputils-ping,procps"
# What the demo asks for beyond that; installed when the newcomer's clock has stopped.
DEMO = ("curl", "iperf3", "traceroute", "python3")
BOOT_LIMIT = 540
INSTALLATION_LIMIT = 600
# Seconds from "apt update", on a Debian that has never heard of it, to the first answer to a ping.
NEWCOMER_BAR = 300

# A mount namespace of its own, with the control groups in one tree as Debian 12 has them: some
# machines still have the old ones. Neither is left behind.
BOOT = """
set -e
mount --make-rprivate /
umount -R /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
mount -t tmpfs none /run/systemd
mkdir /sys/fs/cgroup/$2
echo $$ >/sys/fs/cgroup/$2/cgroup.procs
# bpf() and all capabilities: the fast path, and the units' list of devices.
export SYSTEMD_SECCOMP=0
exec systemd-nspawn --quiet --directory="$1" --machine="$2" --boot --register=no --keep-unit \
    --private-network --capability=all --console=pipe
"""
SERVICE = """
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/proof/inside.sh
StandardOutput=file:/proof/result
StandardError=inherit
ExecStopPost=/bin/systemctl --no-block poweroff --force
"""


def run(*words, timeout=INSTALLATION_LIMIT, **options):
    done = subprocess.run([str(w) for w in words], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
                          stdin=subprocess.DEVNULL, timeout=timeout, **options)
    if done.returncode != 0:
        raise AssertionError(f"{words}: status {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout


def repack_as_newer(deb, out):
    """The same package with a higher version, for the upgrade."""
    with tempfile.TemporaryDirectory() as directory:
        run("dpkg-deb", "--raw-extract", deb, directory)
        control = pathlib.Path(directory) / "DEBIAN" / "control"
        text = control.read_text(encoding="utf-8")
        control.write_text(text.replace("\nVersion: ", "\nVersion: 99:"), encoding="utf-8")
        run("dpkg-deb", "--root-owner-group", "--build", directory, out)


class Installed(unittest.TestCase):
    def setUp(self):
        self.machine = f"x46-package-{os.getpid()}"
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="xlat646-root-"))
        self.addCleanup(shutil.rmtree, self.root)
        self.addCleanup(self.remove_control_groups)

    def remove_control_groups(self):
        """By a look from the side: the machine may show another tree at /sys/fs/cgroup."""
        subprocess.run(["unshare", "--mount", "sh", "-c",
                        'mount -t cgroup2 none /mnt && find "/mnt/$1" -depth -type d -exec '
                        "rmdir {} +", "sh", self.machine], check=False, capture_output=True)

    def install(self):
        (deb,) = OUT.glob("xlat646_*.deb")
        run("mmdebstrap", "--variant=minbase", f"--include={BASE}", "bookworm", self.root, SOURCES)
        proof = self.root / "proof"
        proof.mkdir()
        shutil.copy(deb, self.root / "xlat646.deb")
        begin = time.monotonic()
        run("chroot", self.root, "apt-get", "update")
        run("chroot", self.root, "apt-get", "install", "--yes", "/xlat646.deb",
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
        self.apt_seconds = time.monotonic() - begin
        run("chroot", self.root, "apt-get", "install", "--yes", "--no-install-recommends", *DEMO,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
        repack_as_newer(deb, proof / "newer.deb")
        shutil.copy(HERE / "inside.sh", proof)
        unit = self.root / "etc/systemd/system/proof.service"
        unit.write_text(SERVICE, encoding="utf-8")
        wants = self.root / "etc/systemd/system/default.target.wants"
        wants.mkdir()
        (wants / "proof.service").symlink_to("../proof.service")

    def boot(self):
        process = subprocess.Popen(["unshare", "--mount", "bash", "-c", BOOT, "bash",
                                    str(self.root), self.machine], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            said, _ = process.communicate(timeout=BOOT_LIMIT)
        except subprocess.TimeoutExpired:
            process.terminate() # systemd-nspawn powers it off
            said, _ = process.communicate(timeout=60)
        finally:
            if process.poll() is None:
                process.kill() # the container dies with it
                process.wait()
        return said.decode(errors="replace")

    def test_installed(self):
        self.install()
        said = self.boot()
        result = self.root / "proof" / "result"
        text = result.read_text(encoding="utf-8") if result.exists() else said[-4000:]
        print(text)
        self.assertTrue(text.rstrip().endswith("\nok all"), "see above")
        own = float(re.search(r"^newcomer's seconds: ([0-9.]+)$", text, re.MULTILINE)[1])
        print(f"newcomer's path: apt update and apt install {self.apt_seconds:.0f} s, five lines "
              f"of YAML to first ping {own:.1f} s, together {self.apt_seconds + own:.0f} s "
              f"(bar: {NEWCOMER_BAR} s)")
        self.assertLess(self.apt_seconds + own, NEWCOMER_BAR)


if __name__ == "__main__":
    unittest.main()
