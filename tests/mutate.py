#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Breaks the code on purpose, in a copy, and demands that a test which names the row notices.

    tests/mutate.py DIRECTORY [--only REGEX] [--jobs N]
    tests/mutate.py --check       only whether the code that is to be broken is still there

DIRECTORY receives a copy of the repository and its build; it is kept, so that the next run builds
only what has changed. mutations.yaml lists what is broken: file, rows, old and new text; the old
one must occur exactly once. For each mutation the golden rows and the unit tests that carry the
numbers of its rows run; for translator/fastpath those of tests/fastpath, which need root. Exit
status 1 if a mutation

    survived    for one of its rows no test that names it fails
    stale       the old text is not there (any more), or more than once
    no build    the compiler refuses it
"""
import argparse
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
MUTATIONS = ROOT / "tests/mutations.yaml"
PARTS = ("CMakeLists.txt", "examples", "mapping", "packaging", "translator", "routing-hooks",
         "tests")
FAILED_ROW = re.compile(r"(\w+)\.json: ([A-Z0-9 -]+) : ([^'\n]*)")
PATIENCE = 300  # a mutant that never ends is noticed, too


@dataclasses.dataclass
class Suite:
    """A program of tests, and those in it that run the golden rows."""

    program: str
    golden_rows: str


UNIT = Suite("xlat646_unit_tests", "golden rows")
FASTPATH = Suite("xlat646_fastpath_tests", "fast path: golden rows*")


@dataclasses.dataclass
class Mutation:
    file: str
    rows: list
    old: str
    new: str

    @property
    def suite(self):
        return FASTPATH if self.file.startswith("translator/fastpath/") else UNIT

    def is_stale(self, text):
        return text.count(self.old) != 1


def load_mutations():
    return [Mutation(file, rows.split(), old, new)
            for file, changes in yaml.safe_load(MUTATIONS.read_text()).items()
            for rows, old, new in changes]


def refresh(tree):
    """Copies what has changed, removes what has gone; equal files keep their time."""
    wanted = set()
    for part in PARTS:
        source = ROOT / part
        for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
            if path.is_dir() or "__pycache__" in path.parts:
                continue
            target = tree / path.relative_to(ROOT)
            wanted.add(target)
            data = path.read_bytes()
            if not target.exists() or target.read_bytes() != data:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
                shutil.copymode(path, target)
    for path in tree.rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()


class Bench:
    def __init__(self, directory, jobs):
        self.tree, self.build_dir = directory / "tree", directory / "build"
        self.jobs = jobs

    def prepare(self, suites):
        refresh(self.tree)
        subprocess.run(["cmake", "-S", self.tree, "-B", self.build_dir, "-G", "Ninja",
                        "-DCMAKE_BUILD_TYPE=None", "-DCMAKE_CXX_FLAGS=-O1",
                        "-DXLAT646_WERROR=OFF"], check=True, stdout=subprocess.DEVNULL)
        for suite in suites:
            done = self.build(suite)
            if done.returncode != 0:
                sys.exit(f"the unbroken tree does not build:\n{done.stdout[-4000:]}")
            status, output = self.tests(suite, "*")
            if status != 0:
                sys.exit(f"the unbroken tree fails its tests:\n{output[-4000:]}")

    def build(self, suite):
        return subprocess.run(["ninja", "-C", self.build_dir, f"-j{self.jobs}", suite.program],
                              text=True, capture_output=True, check=False)

    def tests(self, suite, what):
        """Exit status and output; a program that hangs or crashes has noticed."""
        try:
            done = subprocess.run([self.build_dir / "bin" / suite.program, what], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  errors="replace", timeout=PATIENCE, check=False)
        except subprocess.TimeoutExpired:
            return -1, "never ended"
        return done.returncode, done.stdout

    def noticed_by(self, suite, rows):
        """Per row the tests that name it and fail, in words; and how many golden rows fail."""
        status, output = self.tests(suite, suite.golden_rows)
        failed = FAILED_ROW.findall(output)
        names = {row: [f"{book}: {text}" for book, its, text in failed if row in its.split()]
                 for row in rows}
        for row in rows:
            if status != 0 and not failed:
                names[row].append("golden rows: crashed or never ended")
            if names[row]:
                continue
            status_of_units, output = self.tests(suite, f"[{row}],*{row}*")
            if status_of_units != 0 and "No tests ran" not in output:
                cases = re.findall(r"^-{70,}\n(.+)\n(?:  .+\n)*-{70,}$", output, re.MULTILINE)
                names[row] += [f"unit: {c}" for c in dict.fromkeys(cases)] or ["unit: crashed"]
        return names, len(failed)

    def judge(self, mutation):
        path = self.tree / mutation.file
        original = path.read_text()
        if mutation.is_stale(original):
            return "stale", [f"the old text occurs {original.count(mutation.old)} times"]
        try:
            path.write_text(original.replace(mutation.old, mutation.new))
            done = self.build(mutation.suite)
            if done.returncode != 0:
                errors = re.findall(r"error: .*", done.stdout)
                return "no build", [errors[0] if errors else done.stdout[-500:]]
            names, failed = self.noticed_by(mutation.suite, mutation.rows)
        finally:
            path.write_text(original)
        lines = [f"{row}: {len(found)} tests, first: {found[0]}" if found
                 else f"{row}: NOT NOTICED ({failed} golden rows fail that do not name it)"
                 for row, found in names.items()]
        return "noticed" if all(names.values()) else "survived", lines


def check(mutations):
    stale = [m for m in mutations if m.is_stale((ROOT / m.file).read_text())]
    for m in stale:
        print(f"stale: {m.file}: {' '.join(m.rows)}: {m.old}")
    print(f"{len(mutations)} mutations, {len(stale)} stale")
    return 1 if stale else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=pathlib.Path, nargs="?")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--only", default="", help="regular expression for rows or files")
    parser.add_argument("--jobs", default=1, type=int)
    options = parser.parse_args()
    if options.check:
        return check(load_mutations())
    if options.directory is None:
        parser.error("a directory is needed")
    mutations = [m for m in load_mutations() if re.search(options.only, " ".join([m.file, *m.rows]))]
    if os.geteuid() != 0:
        chosen = len(mutations)
        mutations = [m for m in mutations if m.suite is UNIT]
        print(f"without root: {chosen - len(mutations)} mutations of the fast path are left out")
    bench = Bench(options.directory.resolve(), options.jobs)
    bench.prepare([s for s in (UNIT, FASTPATH) if any(m.suite is s for m in mutations)])
    bad = 0
    for mutation in mutations:
        verdict, lines = bench.judge(mutation)
        bad += verdict != "noticed"
        change = " ".join(f"{mutation.file}: {mutation.old} => {mutation.new}".split())
        print("\n          ".join([f"{verdict:9} {change}", *lines]), flush=True)
    print(f"{len(mutations)} mutations, {len(mutations) - bad} noticed, {bad} not")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
