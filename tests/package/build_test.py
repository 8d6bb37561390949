# SPDX-License-Identifier: BSD-2-Clause
"""Builds the Debian package and judges it, without installing it and without a network.
installed_test.py does the rest.

Environment: XLAT646_PACKAGE_DIRECTORY, where the package goes and stays.
"""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OUT = pathlib.Path(os.environ["XLAT646_PACKAGE_DIRECTORY"]).resolve()


def run(*words, **options):
    return subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, **options)


def output(*words, **options):
    done = run(*words, **options)
    if done.returncode != 0:
        raise AssertionError(f"{words}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def tree():
    """Every file of the tree but what is built: name, time and size."""
    out = {}
    for directory, names, files in os.walk(ROOT):
        names[:] = [n for n in names if not n.startswith("build") and n not in (".git", "__pycache__")]
        for file in files:
            found = os.lstat(os.path.join(directory, file))
            out[os.path.join(directory, file)] = (found.st_mtime_ns, found.st_size)
    return out


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        OUT.mkdir(parents=True, exist_ok=True)
        for old in OUT.glob("xlat646*"):
            old.unlink()
        before = tree()
        # Debug symbols are a third of the work, and nobody looks at them here.
        cls.log = output(ROOT / "packaging" / "build-deb", OUT, env={
            **os.environ, "DEB_CXXFLAGS_APPEND": "-g0",
            "DEB_BUILD_OPTIONS": f"parallel={os.cpu_count()} noautodbgsym"})
        cls.is_tree_clean = tree() == before
        (cls.deb,) = OUT.glob("xlat646_*.deb")
        cls.files = cls.unpack(cls.deb)

    @classmethod
    def unpack(cls, deb):
        directory = tempfile.TemporaryDirectory(prefix="xlat646-package-")
        cls.addClassCleanup(directory.cleanup)
        output("dpkg-deb", "--raw-extract", deb, directory.name)
        return pathlib.Path(directory.name)

    def test_the_tree_stays_as_it_is(self):
        self.assertTrue(self.is_tree_clean)

    def test_lintian_has_nothing_to_say(self):
        (changes,) = OUT.glob("*.changes")
        done = run("lintian", "--allow-root", "--fail-on", "error,warning", changes)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)

    def test_version(self):
        wanted = re.search(r"project\(xlat646 VERSION (\S+)",
                           (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))[1]
        self.assertEqual(output("dpkg-deb", "--field", self.deb, "Version").strip(), wanted)

    def test_what_is_in_it(self):
        for name in ("usr/sbin/xlat646d", "usr/bin/xlat646", "lib/systemd/system/xlat646.service",
                     "usr/share/man/man8/xlat646d.8.gz", "usr/share/man/man1/xlat646.1.gz",
                     "usr/share/man/man5/xlat646.yaml.5.gz",
                     "usr/share/man/man5/xlat646-mapping.5.gz",
                     "usr/share/bash-completion/completions/xlat646d",
                     "usr/share/xlat646/schema/mapping.schema.json",
                     "usr/share/xlat646/grafana/xlat646.json",
                     "usr/share/xlat646/prometheus/xlat646-alerts.rules.yml",
                     "usr/lib/sysusers.d/xlat646.conf",
                     "usr/share/doc/xlat646/examples/systemd/fastpath.conf",
                     "usr/share/doc/xlat646/examples/lib/lab.sh",
                     "usr/share/doc/xlat646/examples/edge/nftables.conf"):
            self.assertTrue((self.files / name).exists(), name)
        demo = self.files / "usr/share/doc/xlat646/examples/demo.sh"
        self.assertTrue(os.access(demo, os.X_OK))
        self.assertIn("--installed", output(demo, "--help"))

    def test_what_is_not_in_it(self):
        """What the tree needs to test and to make its own files."""
        found = [p for p in self.files.rglob("*")
                 if re.search(r"_test\.(yml|py)|make_dashboard|\.py$|__pycache__", p.name)]
        self.assertEqual(found, [])

    def test_configuration_files(self):
        listed = (self.files / "DEBIAN" / "conffiles").read_text(encoding="utf-8").split()
        self.assertEqual(sorted(listed), ["/etc/xlat646/bird/00-about.conf",
                                          "/etc/xlat646/mapping.yaml",
                                          "/etc/xlat646/xlat646.yaml"])

    def test_the_example_is_good(self):
        """As installed: what the first start would read."""
        said = output(self.files / "usr/bin/xlat646", "check",
                      self.files / "etc/xlat646/xlat646.yaml")
        self.assertIn("good, 0 mappings", said)

    def test_nothing_starts_at_installation(self):
        scripts = "".join(p.read_text(encoding="utf-8")
                          for p in (self.files / "DEBIAN").glob("p*")
                          if p.name in ("preinst", "postinst"))
        self.assertNotRegex(scripts, r"deb-systemd-invoke (?!try-restart)|systemctl.*\bstart\b")
        # Only what an earlier version had enabled.
        self.assertEqual(scripts.count("deb-systemd-helper enable"),
                         scripts.count("deb-systemd-helper debian-installed"))

    def test_the_fast_path_is_in_it(self):
        self.assertNotIn("WITHOUT the fast path", self.log)
        needed = output("objdump", "-p", self.files / "usr/sbin/xlat646d")
        self.assertIn("libbpf.so", needed)

    def test_pages_of_the_units_are_in_it(self):
        for unit in (self.files / "lib/systemd/system").iterdir():
            for name, section in re.findall(r"man:(\S+)\((\d)\)", unit.read_text(encoding="utf-8")):
                page = self.files / f"usr/share/man/man{section}/{name}.{section}.gz"
                self.assertTrue(page.exists(), page)
            for program in re.findall(r"^Exec\w+=(/usr/\S+)", unit.read_text(encoding="utf-8"),
                                      re.MULTILINE):
                self.assertTrue(os.access(self.files / program[1:], os.X_OK), program)


if __name__ == "__main__":
    unittest.main()
