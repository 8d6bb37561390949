# SPDX-License-Identifier: BSD-2-Clause
"""Manual pages, completion and units against the programs and the schemas; examples in the
documents against what reads them.

Environment: XLAT646D (the daemon; the other programs lie beside it).
"""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGING = ROOT / "packaging"
PAGES = sorted((PACKAGING / "man").glob("*.[158]"))
PROGRAMS = pathlib.Path(os.environ["XLAT646D"]).resolve().parent
COMPLETION = PACKAGING / "completion" / "xlat646"
HELP = "--help"


def run(*words, **options):
    return subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=60,
                          check=False, stdin=subprocess.DEVNULL, **options)


def output(*words, **options):
    done = run(*words, **options)
    if done.returncode != 0:
        raise AssertionError(f"{words}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def help_of(*words):
    return output(PROGRAMS / words[0], *words[1:], HELP)


def options_of(*words):
    """The long options that --help lists."""
    found = re.findall(r"^ +(?:-\w \[ )?(--[a-z][a-z0-9-]*)", help_of(*words), re.MULTILINE)
    return set(found)


def commands():
    listed = help_of("xlat646").split("\n\n")[1]
    return [line.split()[0] for line in listed.splitlines()]


def source(name):
    return (PACKAGING / "man" / name).read_text(encoding="utf-8")


def named_options(text):
    """The long options that a text in mdoc names, in headings as in lists."""
    return {"-" + word for line in text.splitlines() if line.startswith(".")
            for word in re.findall(r"\bFl (-[a-z][a-z0-9-]*)", line)}


def section_of(command):
    """What the page says about one command, with its heading."""
    parts = re.split(r"^\.S[sh] ", source("xlat646.1"), flags=re.MULTILINE)
    found = [".Ss " + p for p in parts if re.match(rf"{re.escape(command)}\b(?!-)", p)]
    if len(found) != 1:
        raise AssertionError(f"{len(found)} sections about {command} in xlat646(1)")
    return found[0]


def named_keys(page):
    """What stands after Ic in a page."""
    lines = re.findall(r"^\.(?:It )?Ic (.*)$", source(page), re.MULTILINE)
    return {word for line in lines for word in line.split() if word not in (",", ".", ";", ":")}


def schema_keys(schema, node, prefix=""):
    """Dotted names of all keys without keys of their own."""
    while "$ref" in node:
        node = schema["definitions"][node["$ref"].rsplit("/", 1)[1]]
    if node.get("type") == "array":
        below = schema_keys(schema, node["items"], prefix) if "items" in node else set()
        return {k for k in below if k != prefix} or {prefix}
    if "properties" not in node:
        return {prefix}
    return {key for name, value in node["properties"].items()
            for key in schema_keys(schema, value, f"{prefix}.{name}" if prefix else name)}


def keys_in_schema(name):
    schema = json.loads((ROOT / "mapping" / "schema" / name).read_text(encoding="utf-8"))
    return schema_keys(schema, schema)


class Pages(unittest.TestCase):
    def test_every_program_and_file_has_a_page(self):
        self.assertEqual([p.name for p in PAGES],
                         ["xlat646-exporter.8", "xlat646-mapping.5", "xlat646.1", "xlat646.yaml.5",
                          "xlat646d.8"])

    def test_pages_render_without_warnings(self):
        for page in PAGES:
            with self.subTest(page.name):
                self.assertEqual(run("mandoc", "-T", "lint", "-W", "warning", page).stdout, "")
                done = run("man", "--warnings", "--encoding=UTF-8", "--local-file", page,
                           env={**os.environ, "LC_ALL": "C.UTF-8", "MANROFFSEQ": "",
                                "MANWIDTH": "100"})
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn("SEE ALSO", done.stdout)

    def test_pages_that_are_named_exist(self):
        ours = {p.name for p in PAGES}
        for page in PAGES:
            for name, section in re.findall(r"^\.Xr (xlat646\S*) (\d)", source(page.name),
                                            re.MULTILINE):
                self.assertIn(f"{name}.{section}", ours, page.name)

    def test_options_of_programs(self):
        for program in ("xlat646d", "xlat646-exporter"):
            with self.subTest(program):
                items = [x for x in source(program + ".8").splitlines() if x.startswith(".It")]
                self.assertEqual(named_options("\n".join(items)), options_of(program))

    def test_commands_and_their_options(self):
        for command in commands():
            with self.subTest(command):
                wanted = set() if command == "version" else options_of("xlat646", command)
                self.assertEqual(named_options(section_of(command)) - {HELP, "--version"},
                                 wanted - {HELP})

    def test_no_section_about_a_command_that_is_not_there(self):
        headings = re.findall(r"^\.Ss ([a-z-]+)", source("xlat646.1"), re.MULTILINE)
        self.assertEqual(sorted(headings), sorted(commands()))

    def test_keys_of_the_main_file(self):
        wanted = keys_in_schema("xlat646.schema.json")
        self.assertGreater(len(wanted), 60)
        named = named_keys("xlat646.yaml.5")
        self.assertEqual(wanted - named, set(), "not in the page")
        known = wanted | {key.rsplit(".", 1)[0] for key in wanted}
        self.assertEqual({k for k in named if "." in k} - known, set(), "not in the schema")

    def test_keys_of_mapping_files(self):
        wanted = keys_in_schema("mapping.schema.json") - {"mappings"}
        wanted = {k.removeprefix("mappings.") for k in wanted} | {"mappings"}
        self.assertEqual(wanted, named_keys("xlat646-mapping.5") - {"mapping_files", "reload_guard"})


class Completion(unittest.TestCase):
    SCRIPT = """
        source /usr/share/bash-completion/bash_completion
        source "$1"; shift
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
        _xlat646 "$1" "${@: -1}" "${@: -2:1}"
        printf '%s\\n' "${COMPREPLY[@]}"
    """

    def complete(self, *words):
        """What bash offers for the last of these words."""
        done = run("bash", "--norc", "-c", self.SCRIPT, "bash", COMPLETION, *words)
        self.assertEqual(done.stderr, "")
        return set(done.stdout.split())

    def test_commands(self):
        self.assertEqual(self.complete("xlat646", ""), set(commands()) | {HELP, "--version"})
        self.assertEqual(self.complete("xlat646", "stat"), {"status"})

    def test_options_of_commands(self):
        for command in commands():
            with self.subTest(command):
                wanted = set() if command == "version" else options_of("xlat646", command)
                self.assertEqual(self.complete("xlat646", command, "-"), wanted)

    def test_options_of_programs(self):
        for program in ("xlat646d", "xlat646-exporter"):
            with self.subTest(program):
                self.assertEqual(self.complete(program, "-"), options_of(program))

    def test_values(self):
        with tempfile.TemporaryDirectory() as directory:
            for name in ("one.yaml", "two.txt"):
                open(f"{directory}/{name}", "wb").close()
            self.assertEqual(self.complete("xlat646", "check", f"{directory}/"),
                             {f"{directory}/one.yaml"})
            self.assertEqual(self.complete("xlat646d", "--config", f"{directory}/"),
                             {f"{directory}/one.yaml", f"{directory}/two.txt"})
        self.assertEqual(self.complete("xlat646-exporter", "--per-mapping", ""),
                         {"off", "top", "tenant", "all"})
        for command in ("top", "mappings"):
            for key in self.complete("xlat646", command, "--sort", ""):
                done = run(PROGRAMS / "xlat646", command, "--sort", key, "--stats", "/nonexistent")
                self.assertEqual(done.returncode, 69, done.stderr) # the key is known
        self.assertEqual(self.complete("xlat646", "reload", "--timeout", ""), set())


class Examples(unittest.TestCase):
    """What a reader copies out of a document works."""

    DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "examples").glob("*/README.md")),
                 PACKAGING / "README.md", PACKAGING / "troubleshooting" / "README.md",
                 ROOT / "routing-hooks" / "README.md"]
    EDGE = ROOT / "examples" / "edge"

    def blocks(self, language):
        """Document and text of each fenced block; those in lists are indented."""
        for document in self.DOCUMENTS:
            text = document.read_text(encoding="utf-8")
            for indent, block in re.findall(rf"^( *)```{language}\n(.*?)^ *```$", text,
                                            re.MULTILINE | re.DOTALL):
                yield document, re.sub(f"^{indent}", "", block, flags=re.MULTILINE)

    def test_configuration(self):
        """Whole files as they are; parts of the main file in one that is good without them."""
        mapping = 'version: 1\nmappings:\n  - { ipv4: 192.0.2.1, ipv6: "2001:db8:6::2" }\n'
        count = 0
        for document, block in self.blocks("yaml"):
            if "scrape_configs" in block:
                continue # Prometheus'
            with self.subTest(document=document.name, block=block), \
                    tempfile.TemporaryDirectory() as directory:
                files = {"xlat646.yaml": 'translation_prefix: "2001:db8:46::/96"\n'
                                         "mapping_files: [mapping.yaml]\n", "mapping.yaml": mapping}
                if re.search("^version:", block, re.MULTILINE):
                    files["mapping.yaml"] = block
                elif re.search("^translation_prefix:", block, re.MULTILINE):
                    files["xlat646.yaml"] = block
                else:
                    files["xlat646.yaml"] += block
                for name, text in files.items():
                    (pathlib.Path(directory) / name).write_text(text, encoding="utf-8")
                done = run(PROGRAMS / "xlat646", "check", f"{directory}/xlat646.yaml")
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                count += 1
        self.assertGreaterEqual(count, 8)

    def test_firewall(self):
        done = run("unshare", "--net", "nft", "--check", "--file", self.EDGE / "nftables.conf")
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_dns64(self):
        self.assertIn("no errors", output("unbound-checkconf", self.EDGE / "unbound.conf"))
        output("named-checkconf", self.EDGE / "named.conf")
        for name in ("unbound.conf", "named.conf", "nftables.conf"):
            self.assertIn("2001:db8:46::/96", (self.EDGE / name).read_text(encoding="utf-8"))

    def test_links(self):
        """To files that are there, and to headings that are in them."""
        for document in self.DOCUMENTS:
            text = document.read_text(encoding="utf-8")
            for target in re.findall(r"\]\(([^)\s]+)\)", text):
                if "://" in target:
                    continue
                name, _, heading = target.partition("#")
                path = document.parent / name if name else document
                self.assertTrue(path.exists(), f"{document}: {target}")
                if heading:
                    path = path / "README.md" if path.is_dir() else path
                    titles = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"),
                                        re.MULTILINE)
                    anchors = {re.sub(r"[^\w -]", "", x.lower()).replace(" ", "-") for x in titles}
                    self.assertIn(heading, anchors, f"{document}: {target}")

    def test_reasons_in_troubleshooting_exist(self):
        text = (PACKAGING / "troubleshooting" / "README.md").read_text(encoding="utf-8")
        known = set(re.findall(r"^    X\((\w+), ",
                               (ROOT / "translator" / "siit" / "outcome.hpp").read_text(
                                   encoding="utf-8"), re.MULTILINE))
        listed = re.findall(r"^\|[^|]*\| `(\w+)` \|", text, re.MULTILINE)
        self.assertGreater(len(listed), 3)
        self.assertEqual(set(listed) - known, set())


class Units(unittest.TestCase):
    UNITS = sorted(p.name for p in (PACKAGING / "systemd").glob("xlat646*.*"))

    def exposure(self, unit, text):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / unit
            path.write_text(text, encoding="utf-8")
            said = output("systemd-analyze", "security", "--offline=true", "--no-pager", path)
        return float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)[1])

    def test_units_are_understood(self):
        """With the programs of this tree; that they lie in the package where the units look for
        them is for tests/package."""
        self.assertEqual(self.UNITS, ["xlat646-exporter.service", "xlat646-exporter.socket",
                                      "xlat646.service"])
        with tempfile.TemporaryDirectory() as directory:
            for unit in self.UNITS:
                text = (PACKAGING / "systemd" / unit).read_text(encoding="utf-8")
                text = re.sub(r"/usr/s?bin/(xlat646\S*)", rf"{PROGRAMS}/\1", text)
                (pathlib.Path(directory) / unit).write_text(text, encoding="utf-8")
            done = run("systemd-analyze", "verify", "--man=no",
                       *(f"{directory}/{unit}" for unit in self.UNITS))
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_exposure(self):
        for unit, most in (("xlat646.service", 2.0), ("xlat646-exporter.service", 1.5)):
            text = (PACKAGING / "systemd" / unit).read_text(encoding="utf-8")
            self.assertLessEqual(self.exposure(unit, text), most, unit)

    def test_examples_are_understood(self):
        unit = (PACKAGING / "systemd" / "xlat646.service").read_text(encoding="utf-8")
        unit = re.sub(r"/usr/s?bin/(xlat646\S*)", rf"{PROGRAMS}/\1", unit)
        for example in sorted((PACKAGING / "systemd" / "examples").glob("*.conf")):
            if example.name == "notify-reload.conf":
                continue # for systemd 253; Debian 12 has 252
            with self.subTest(example.name), tempfile.TemporaryDirectory() as directory:
                path = pathlib.Path(directory) / "xlat646.service"
                path.write_text(unit, encoding="utf-8")
                (pathlib.Path(directory) / "xlat646.service.d").mkdir()
                (pathlib.Path(directory) / "xlat646.service.d" / example.name).write_text(
                    example.read_text(encoding="utf-8"), encoding="utf-8")
                done = run("systemd-analyze", "verify", "--man=no", path)
                self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
