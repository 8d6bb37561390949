# SPDX-License-Identifier: BSD-2-Clause
"""xlat646 check, diff, lookup, explain and import: what needs files and no daemon. And the examples that
are built on them.

Environment: XLAT646D (the daemon; xlat646 lies beside it).
"""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
XLAT646 = pathlib.Path(os.environ["XLAT646D"]).resolve().parent / "xlat646"
FINE, WRONG, EX_USAGE, EX_DATAERR, EX_UNAVAILABLE, EX_CANTCREAT, EX_CONFIG = 0, 1, 64, 65, 69, 73, 78
MAIN = """\
translation_prefix: "2001:db8:46::/96"
mapping_files: [mapping.yaml]
own_addresses: { ipv4: 192.0.2.254, ipv6: "2001:db8:46:ff::1" }
"""
MAPPING = """\
version: 1
mappings:
  - { ipv4: 192.0.2.1, ipv6: "2001:db8:6::2", name: www, tenant: acme }
  - { ipv4: 192.0.2.16/28, ipv6: "2001:db8:7::/124" }
  - { ipv4: 192.0.2.17, ipv6: "2001:db8:8::17" }
"""
OTHER = """\
version: 1
mappings:
  - { ipv6: "2001:db8:7::/124", ipv4: 192.0.2.16/28 }
  - { ipv4: 192.0.2.3, ipv6: "2001:db8:6::3", name: "a\\u202eb" }
  - { ipv4: 192.0.2.17, ipv6: "2001:db8:9::17" }
  - { ipv4: 192.0.2.1, ipv6: "2001:db8:6::2", name: web, tenant: acme }
"""
NO_SEGMENT = "/nonexistent/stats"


class CommandTestCase(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.main = self.write("xlat646.yaml", MAIN)
        self.mapping = self.write("mapping.yaml", MAPPING)

    def write(self, name, text):
        path = self.directory / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(0o644)
        return str(path)

    def xlat646(self, *words, status=FINE, stdin=b"", **options):
        """The CompletedProcess, with text."""
        done = subprocess.run([XLAT646, *words], input=stdin, capture_output=True, check=False,
                              timeout=120, **options)
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
        self.assertEqual(done.returncode, status, (words, done.stdout, done.stderr))
        return done

    def usage(self, *words):
        done = self.xlat646(*words, status=EX_USAGE)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\Axlat646 \w+: [^\n]* \(try --help\)\n\Z")


class Check(CommandTestCase):
    def test_kinds(self):
        self.assertRegex(self.xlat646("check", self.main).stdout, r": good, 3 mappings, digest \w")
        for words in ([self.mapping], ["--mapping", self.mapping], ["-m", self.mapping]):
            self.assertRegex(self.xlat646("check", *words).stdout, r": good, 3 mappings\n\Z")
        nameless = self.write("ansible-tmp.1a2b", "{version: 1, mappings: []}")
        self.assertIn("good, 0 mappings", self.xlat646("check", nameless).stdout)
        done = self.xlat646("check", self.main, self.mapping, "-m", nameless)
        self.assertEqual(done.stdout.count(": good, "), 3)

    def test_standard_input(self):
        for words in (["-"], ["--mapping", "-"]):
            done = self.xlat646("check", *words, stdin=MAPPING.encode())
            self.assertEqual(done.stdout, "-: good, 3 mappings\n")
        done = self.xlat646("check", "--as", self.main, "-", stdin=MAIN.encode())
        self.assertIn("-: good, 3 mappings, digest", done.stdout)
        done = self.xlat646("check", "-", stdin=b"mappings: [\0", status=WRONG)
        self.assertIn("-:1:12: error:", done.stderr)

    def test_errors(self):
        bad = self.write("bad", MAPPING + "  - { ipv4: 192.0.2.1, ipv6: x }\n")
        done = self.xlat646("check", "--mapping", bad, self.mapping, status=WRONG)
        self.assertIn(f"{bad}:6:13: error: ipv4: 192.0.2.1 is mapped twice", done.stderr)
        self.assertIn(f"{bad}:6:30: error:", done.stderr)
        self.assertIn(": good, 3", done.stdout)
        broken = self.write("broken", "mappings:\n  - [\n")
        done = self.xlat646("check", broken, status=WRONG)
        self.assertNotIn("translation_prefix", done.stderr)
        self.xlat646("check", "/nonexistent", status=WRONG)
        # A main file is no mapping file, whatever is said of it.
        self.xlat646("check", "--mapping", self.main, status=WRONG)

    def test_rules_of_a_main_file(self):
        own = self.write("own", 'version: 1\nmappings: [{ipv4: 192.0.2.254, ipv6: "2001:db8::1"}]')
        self.xlat646("check", "--mapping", own)
        done = self.xlat646("check", "--mapping", own, "--config", self.main, status=WRONG)
        self.assertIn("the translator's own address", done.stderr)
        self.xlat646("check", "--mapping", self.mapping, "--config", self.main)
        self.xlat646("check", "--mapping", self.mapping, "-c", self.mapping, status=WRONG)

    def test_place_of_a_main_file(self):
        (self.directory / "elsewhere").mkdir()
        candidate = self.write("elsewhere/tmp", MAIN)
        self.xlat646("check", candidate, status=WRONG)
        self.xlat646("check", "--as", self.main, candidate)

    def test_usage(self):
        for words in ([], ["--mapping"], ["-", "--mapping", "-"], ["--map", "x"]):
            self.usage("check", *words)


class Diff(CommandTestCase):
    def test_equal(self):
        again = self.write("again", "\n".join(reversed(MAPPING.splitlines()[2:])))
        text = "mappings:\n" + (self.directory / "again").read_text() + "\nversion: 1\n"
        again = self.write("again", text)
        for old, new in ((self.mapping, again), (self.main, self.main), (self.main, again)):
            self.assertEqual(self.xlat646("diff", old, new).stdout, "")
        document = json.loads(self.xlat646("diff", "--json", self.main, again).stdout)
        self.assertEqual((document["equal"], document["unchanged"]), (True, 3))
        self.assertEqual(document["changes"], [])

    def test_changes(self):
        other = self.write("other", OTHER)
        done = self.xlat646("diff", self.mapping, other, status=WRONG)
        self.assertEqual(done.stdout, (
            "- 192.0.2.1 = 2001:db8:6::2, name www, tenant acme\n"
            "+ 192.0.2.1 = 2001:db8:6::2, name web, tenant acme\n"
            "+ 192.0.2.3 = 2001:db8:6::3, name a?b\n"
            "- 192.0.2.17 = 2001:db8:8::17\n"
            "+ 192.0.2.17 = 2001:db8:9::17\n"
            "1 added, 0 removed, 1 with another IPv6 address, 1 with another name or tenant, "
            "1 unchanged\n"))
        document = json.loads(self.xlat646("diff", other, self.mapping, "--json",
                                           status=WRONG).stdout)
        self.assertEqual([(c["change"], c["ipv4"]) for c in document["changes"]],
                         [("relabelled", "192.0.2.1"), ("removed", "192.0.2.3"),
                          ("readdressed", "192.0.2.17")])
        self.assertEqual(document["changes"][1]["after"], None)
        self.assertEqual(document["changes"][1]["before"]["name"], "a\u202eb")
        self.assertEqual(document["removed"], 1)

    def test_settings(self):
        new = self.write("new.yaml", MAIN + "mtu: { ipv4: 1400 }\n")
        done = self.xlat646("diff", self.main, new, status=WRONG)
        self.assertEqual(done.stdout.splitlines()[0], "! mtu.ipv4")
        self.assertIn("3 unchanged; 1 setting changed", done.stdout)
        document = json.loads(self.xlat646("diff", "--json", self.main, new, status=WRONG).stdout)
        self.assertEqual(document["settings"], ["mtu.ipv4"])
        self.xlat646("diff", self.main, self.mapping)

    def test_trouble(self):
        bad = self.write("bad", "version: 2\n")
        for old, new in ((self.mapping, bad), (bad, self.mapping), ("/nonexistent", self.mapping)):
            done = self.xlat646("diff", old, new, status=EX_CONFIG)
            self.assertEqual(done.stdout, "")
            self.assertIn("is not usable", done.stderr)
        for words in ([], [self.main], [self.main] * 3, ["-", "-"], ["--yaml", "a", "b"]):
            self.usage("diff", *words)
        self.assertEqual(self.xlat646("diff", "-", self.mapping, stdin=MAPPING.encode()).stdout, "")


class Lookup(CommandTestCase):
    def lookup(self, *words, status=FINE, config=None):
        return self.xlat646("lookup", "-c", config or self.main, *words, status=status)

    def test_answers(self):
        done = self.lookup("192.0.2.1")
        self.assertEqual(done.stdout, (
            "192.0.2.1 is translated to 2001:db8:6::2\n"
            "  rule        explicit address mapping (RFC 7757)\n"
            "  mapping     192.0.2.1 = 2001:db8:6::2\n"
            "  name        www\n  tenant      acme\n"
            f"  written in  {self.mapping}:3:13\n"))
        self.assertEqual(done.stderr, "")
        document = json.loads(self.lookup("2001:db8:7::3", "--json").stdout)
        self.assertEqual((document["becomes"], document["rule"], document["mapping"]["line"]),
                         ("192.0.2.19", "pair", 4))
        self.assertIn("RFC 6052", self.lookup("8.8.8.8").stdout)
        self.assertIn("policy4: ", self.lookup("10.0.0.1", status=WRONG).stdout)
        document = json.loads(self.lookup("2001:db8::99", "--json", status=WRONG).stdout)
        self.assertEqual((document["mapped"], document["reason"]), (False, "no_mapping"))

    def test_other_mapping_files(self):
        other = self.write("other", OTHER)
        self.assertIn("2001:db8:9::17", self.lookup("192.0.2.17", "--mapping", other).stdout)

    def test_trouble(self):
        self.lookup("8.8.8.8", config="/nonexistent", status=EX_CONFIG)
        self.lookup("8.8.8.8", config=self.mapping, status=EX_CONFIG)
        self.lookup("8.8.8.8", "--stats", NO_SEGMENT, status=EX_UNAVAILABLE)
        for words in ([], ["1.2.3.4", "1.2.3.5"], ["1.2.3"], ["1.2.3.4/32"], ["fe80::1%eth0"],
                      ["\x1b[2J"], ["--json=x", "1.2.3.4"]):
            self.usage("lookup", "-c", self.main, *words)


class Explain(CommandTestCase):
    PING = ("45000054123440004001" "9e7c" "08080808" "c0000201" "0800" "2f7d" "00010001"
            + "00" * 56)  # fmt: skip

    def explain(self, *words, status=FINE, **options):
        return self.xlat646("explain", "-c", self.main, *words, status=status, **options)

    def ping(self, **changes):
        """An echo request from 8.8.8.8 with a right header checksum."""
        header = {"ttl": 64, "destination": bytes([192, 0, 2, 1]), **changes}
        packet = bytearray(bytes.fromhex(self.PING))
        packet[8] = header["ttl"]
        packet[16:20] = header["destination"]
        packet[10:12] = bytes(2)
        total = sum(int.from_bytes(packet[i:i + 2], "big") for i in range(0, 20, 2))
        total = (total & 0xffff) + (total >> 16)
        total = (total & 0xffff) + (total >> 16)
        packet[10:12] = (total ^ 0xffff).to_bytes(2, "big")
        return packet.hex()

    def test_forwarded(self):
        text = self.explain("--hex", self.ping()).stdout
        for words in ("RFC 7757", "T46-10", "forwarded as IPv6", "mapping.yaml:3:",
                      "2001:db8:6::2", "8/0", "128/0"):
            self.assertIn(words, text)
        document = json.loads(self.explain("--hex", "-", "--json",
                                           stdin=self.ping().encode()).stdout)
        self.assertEqual((document["verdict"], document["reason"]), ("forward", None))
        self.assertEqual(document["mapping"]["line"], 3)
        (sent,) = document["sent"]
        self.assertEqual(sent["fields"]["hop limit"], "63")
        self.assertEqual(sent["fields"]["source"], "2001:db8:46::808:808")
        self.assertIn("destination_mapped", [step["rule"] for step in document["steps"]])

    def test_not_forwarded(self):
        text = self.explain("--hex", self.ping(ttl=1), status=WRONG).stdout
        self.assertIn("hop_limit, and answered: ICMP time exceeded", text)
        unmapped = self.ping(destination=bytes([192, 0, 2, 200]))
        document = json.loads(self.explain("--hex", unmapped, "--json", status=WRONG).stdout)
        self.assertEqual((document["verdict"], document["reason"], document["mapping"]),
                         ("reply", "no_mapping", None))
        broken = "46" + self.ping()[2:]
        document = json.loads(self.explain("--hex", broken, "--json", status=WRONG).stdout)
        self.assertEqual((document["verdict"], document["reason"], document["sent"]),
                         ("drop", "malformed4", []))

    def test_bad_input(self):
        self.explain("--hex", "45zz", status=EX_DATAERR)
        self.explain("--pcap", "/nonexistent", status=EX_DATAERR)
        self.explain("--pcap", self.main, status=EX_DATAERR)
        self.explain(status=EX_USAGE)
        self.explain("--hex", "45", "--pcap", "x", status=EX_USAGE)
        self.explain("--pcap", "x", "--packet", "0", status=EX_USAGE)
        self.write("mapping.yaml", "nonsense")
        self.explain("--hex", self.ping(), status=EX_CONFIG)


class Import(CommandTestCase):
    def test_tayga(self):
        source = self.write("tayga.conf", "tun-device nat64\nprefix 2001:db8:46::/96\n"
                                          "ipv4-addr 192.0.2.254\nmap 192.0.2.1 2001:db8:6::2\n")
        out, main = (str(self.directory / name) for name in ("new.yaml", "main.yaml"))
        done = self.xlat646("import", "--from", "tayga", source, "-o", out, "--main", main)
        self.assertIn(f"{source}:1:1: warning: tun-device", done.stderr)
        self.assertIn("1 mapping, 0 errors, ", done.stderr)
        self.assertIn("good, 1 mappings", self.xlat646("check", main).stdout)
        self.assertIn(out, self.xlat646("lookup", "-c", main, "192.0.2.1").stdout)
        # Nothing is overwritten.
        self.xlat646("import", "--from", "tayga", source, "-o", out, status=EX_CANTCREAT)
        done = self.xlat646("import", "--from", "tayga", source, "--strict", status=WRONG)
        self.assertEqual(done.stdout, "")

    def test_map646(self):
        done = self.xlat646("import", "--from", "map646", "-", status=WRONG,
                            stdin=b"map-static 192.0.2.1 2001:db8::1\nmap-static 192.0.2.1 x\n")
        self.assertIn("-:2:22: error: ", done.stderr)
        self.assertEqual(yaml.safe_load(done.stdout)["mappings"],
                         [{"ipv4": "192.0.2.1", "ipv6": "2001:db8::1"}])
        self.xlat646("check", "-", stdin=done.stdout.encode())

    def test_jool(self):
        eamt = [{"ipv4 prefix": "192.0.2.16/28", "ipv6 prefix": "2001:db8:7::/124"}]
        document = {"instance": "x", "global": {"pool6": "64:ff9b::/96"}, "eamt": eamt}
        for text in (json.dumps(document), json.dumps(document, indent="\t"),
                     json.dumps(document, separators=(",", ":")),
                     "2001:db8:7::/124,192.0.2.16/28\n"):
            done = self.xlat646("import", "--from", "jool", "-", stdin=text.encode())
            self.assertEqual(yaml.safe_load(done.stdout)["mappings"],
                             [{"ipv4": "192.0.2.16/28", "ipv6": "2001:db8:7::/124"}])

    def test_trouble(self):
        main = str(self.directory / "main.yaml")
        for words in ([], ["--from", "nat64", "x"], ["--from", "tayga"], [self.main],
                      ["--from", "jool", "a", "b"], ["--from", "jool", "a", "--main", main]):
            self.usage("import", *words)
        self.xlat646("import", "--from", "jool", "/nonexistent", status=EX_CONFIG)
        done = self.xlat646("import", "--from", "tayga", "-", "-o", str(self.directory / "o"),
                            "--main", main, stdin=b"map 192.0.2.1 2001:db8::1", status=WRONG)
        self.assertIn("no usable translation prefix", done.stderr)
        self.assertFalse(os.path.exists(main))


class Examples(CommandTestCase):
    ANSIBLE = ROOT / "examples" / "ansible"
    HOOKS = ROOT / "examples" / "git-hooks"

    def setUp(self):
        super().setUp()
        self.environment = {
            "PATH": f"{XLAT646.parent}:{os.environ['PATH']}", "HOME": str(self.directory),
            "LC_ALL": "C.UTF-8", "TMPDIR": str(self.directory), "GIT_CONFIG_NOSYSTEM": "1",
            "ANSIBLE_NOCOWS": "1", "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0"}

    def run_in(self, directory, *words, status=FINE):
        done = subprocess.run([str(w) for w in words], cwd=directory, env=self.environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, timeout=200)
        self.assertEqual(done.returncode, status, (words, done.stdout, done.stderr))
        return done

    def test_playbook(self):
        self.run_in(self.ANSIBLE, "ansible-playbook", "-i", "inventory.yaml", "--syntax-check",
                    "site.yaml")

    def test_role_writes_only_good_files(self):
        play = [{"hosts": "localhost", "connection": "local", "gather_facts": False,
                 "roles": [str(self.ANSIBLE / "roles" / "xlat646")]}]
        variables = yaml.safe_load((self.ANSIBLE / "group_vars" / "gateways.yaml").read_text())
        hosts = yaml.safe_load((self.ANSIBLE / "inventory.yaml").read_text())["gateways"]["hosts"]
        variables.update(list(hosts.values())[0], xlat646_directory=str(self.directory / "etc"),
                         xlat646_manage_service=False, xlat646_package="",
                         ansible_python_interpreter="/usr/bin/python3")
        (self.directory / "etc").mkdir()
        play[0]["vars"] = variables
        command = ("ansible-playbook", "-i", "localhost,", "play.yaml")

        self.write("play.yaml", json.dumps(play))
        self.run_in(self.directory, *command)
        main = self.directory / "etc" / "xlat646.yaml"
        self.assertIn("good, 2 mappings", self.xlat646("check", str(main)).stdout)
        self.assertIn("2001:db8:46:ff::1", main.read_text())

        mapping = self.directory / "etc" / "mapping.yaml"
        before = mapping.read_text()
        variables["xlat646_mappings"].append({"ipv4": "192.0.2.1", "ipv6": "2001:db8:6::9"})
        self.write("play.yaml", json.dumps(play))
        done = self.run_in(self.directory, *command, status=2)
        self.assertIn("is mapped twice", done.stdout)
        self.assertEqual(mapping.read_text(), before)

    def test_cloud_init(self):
        text = (ROOT / "examples" / "cloud-init" / "user-data.yaml").read_text()
        self.assertTrue(text.startswith("#cloud-config\n"))
        document = yaml.safe_load(text)
        self.assertLessEqual(set(document), {"write_files", "package_update", "packages", "runcmd"})
        files = {}
        for entry in document["write_files"]:
            self.assertEqual(set(entry), {"path", "permissions", "content"})
            name = pathlib.Path(entry["path"]).name
            files[entry["path"]] = self.write(name, entry["content"])
        done = self.xlat646("check", files["/etc/xlat646/xlat646.yaml"])
        self.assertIn("good, 2 mappings", done.stdout)
        self.assertEqual(done.stdout.count("error"), 0)
        for command in document["runcmd"]:
            self.run_in(self.directory, "sh", "-n", files[command[0]])

    def test_git_hooks(self):
        central, clone = self.directory / "central.git", self.directory / "clone"
        git = ("git", "-c", "user.name=x", "-c", "user.email=x@example.net",
               "-c", f"xlat646.judge={self.HOOKS}/judge")
        self.run_in(self.directory, *git, "init", "--quiet", "--bare", central)
        self.run_in(self.directory, *git, "init", "--quiet", "--initial-branch=main", clone)
        for repository, hook in ((central, "hooks/pre-receive"), (clone, ".git/hooks/pre-commit")):
            (repository / "hooks").mkdir(exist_ok=True)
            (repository / hook).write_bytes((self.HOOKS / pathlib.Path(hook).name).read_bytes())
            (repository / hook).chmod(0o755)
        self.run_in(central, *git, "config", "xlat646.judge", f"{self.HOOKS}/judge")

        def commit(mapping, *words, **options):
            (clone / "xlat646.yaml").write_text(MAIN)
            (clone / "mapping.yaml").write_text(mapping)
            self.run_in(clone, *git, "add", "xlat646.yaml", "mapping.yaml")
            return self.run_in(clone, *git, "commit", "-m", "x", *words, **options)

        push = (*git, "push", "--quiet", str(central), "HEAD:main")
        commit(MAPPING)
        self.assertIn("good, 3 mappings", self.run_in(clone, *push).stderr)
        commit(OTHER)
        self.assertIn("+ 192.0.2.3 = 2001:db8:6::3", self.run_in(clone, *push).stderr)
        bad = MAPPING + "  - { ipv4: 192.0.2.1, ipv6: x }\n"
        done = commit(bad, status=WRONG)
        self.assertIn("mapping.yaml:6:13: error: ipv4: 192.0.2.1 is mapped twice", done.stderr)
        commit(bad, "--no-verify")
        done = self.run_in(clone, *push, status=WRONG)
        self.assertIn("pre-receive hook declined", done.stderr)
        self.run_in(clone, *git, "push", "--quiet", str(central), "HEAD:draft")
        commit(MAPPING) # from what is not usable to what is
        self.run_in(clone, *push)


if __name__ == "__main__":
    unittest.main()
