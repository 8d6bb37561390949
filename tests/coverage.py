#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Line and branch coverage of the pure rooms, by the tests that need nothing but themselves.

    tests/coverage.py [--missing] TREE

TREE is a build tree of clang++ with XLAT646_COVERAGE. Runs its unit tests (golden rows and property
tests are among them), the fuzz targets over their corpora, and a differential test with a fixed
seed, and adds up what they ran. --missing shows every line and branch that was not.

A line counts when anything on it ran. A branch is one side of a condition of the source, or of a
part of one beside && or ||: that it held, and that it did not. A switch has one for each label, and
one for no label if there is no default. Conditions known at compile time have none. Instantiations
of a template are added up. Nothing is left out: what cannot run counts against the rooms.

Writes the report to TREE/coverage.txt, too. Exit status 1 if a program fails, or a room is below its
bar.
"""
import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parent
ROOT = TESTS.parent
LINES, BRANCHES = 97.0, 90.0
# The last one is not a pure room (its counters are atomic): shown, without a bar.
ROOMS = {
    "mapping": True,
    "translator/wire": True,
    "translator/siit": True,
    "translator/stats": False,
}
DIFFERENTIAL = ("--packets", "20000", "--seed", "646", "--jobs", "2")


class File:
    def __init__(self, path):
        self.source = [""] + path.read_text().splitlines()
        self.lines = {}
        self.branches = collections.Counter()

    def add_branch(self, line, column, held, failed):
        before, rest = self.source[line][: column - 1], self.source[line][column - 1 :]
        is_label = rest.startswith(("case ", "default:")) or before.endswith("switch (")
        self.branches[line, column, True] += held
        if not is_label:  # the other side: some other label, which counts by itself
            self.branches[line, column, False] += failed


def run(name, command, profiles):
    environment = os.environ | {"LLVM_PROFILE_FILE": f"{profiles}/{name}-%p.profraw"}
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode != 0:
        print("\n".join(done.stdout.splitlines()[-50:]))
        print(f"coverage.py: {name} failed: {done.returncode}", file=sys.stderr)
    print(f"ran {name}", flush=True)
    return done.returncode == 0


def run_all(tree, profiles):
    """Runs everything; the programs that were measured, and whether all went well."""
    unit, driver = tree / "bin/xlat646_unit_tests", tree / "bin/xlat646_model_driver"
    programs = [unit, driver]
    good = run("unit", [unit], profiles)
    for corpus in sorted((TESTS / "fuzz/corpus").iterdir()):
        programs.append(tree / f"bin/{corpus.name}_fuzzer")
        good &= run(corpus.name, [programs[-1], corpus], profiles)
    command = ["/usr/bin/python3", TESTS / "model/differential.py", "--driver", driver]
    good &= run("differential", [*command, *DIFFERENTIAL], profiles)
    return programs, good


def export(programs, profile, *options):
    command = ["llvm-cov", "export", programs[0], "--instr-profile", profile, *options]
    for program in programs[1:]:
        command += ("--object", program)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"coverage.py: llvm-cov failed\n{done.stderr}")
    # Otherwise stderr only says that some program has an inline function that another one uses.
    return done.stdout


def measure(programs, profiles):
    """File by path relative to the repository."""
    merged = f"{profiles}/all.profdata"
    raw = sorted(pathlib.Path(profiles).glob("*.profraw"))
    subprocess.run(["llvm-profdata", "merge", "--sparse", *raw, "-o", merged], check=True)
    files = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).glob("*.[ch]pp")):
            files[str(path)] = File(path)

    current = None
    for line in export(programs, merged, "--format=lcov").splitlines():
        kind, _, rest = line.partition(":")
        if kind == "SF":
            current = files.get(rest)
        elif kind == "DA" and current:
            number, count = rest.split(",")[:2]
            current.lines[int(number)] = int(count)
    # Of functions and not of files: there, conditions known at compile time are left out.
    for function in json.loads(export(programs, merged))["data"][0]["functions"]:
        for line, column, _, _, held, failed, file, *_ in function["branches"]:
            if current := files.get(function["filenames"][file]):
                current.add_branch(line, column, held, failed)
    return {str(pathlib.Path(name).relative_to(ROOT)): file for name, file in files.items()}


def tally(counts):
    return sum(count != 0 for count in counts.values()), len(counts)


def percent(done, all_of_them):
    return 100.0 * done / all_of_them if all_of_them else 100.0


def row(name, lines, branches):
    cells = (f"{percent(*n):6.1f} % {n[0]:5} of {n[1]:5}" for n in (lines, branches))
    return f"{name:42}" + "  ".join(cells)


def missing(name, file):
    for line, count in sorted(file.lines.items()):
        if count == 0:
            yield f"{name}:{line}: never ran: {file.source[line].strip()}"
    for (line, column, side), count in sorted(file.branches.items()):
        if count == 0:
            rest = file.source[line][column - 1 :]
            yield f"{name}:{line}:{column}: never {str(side).lower()}: {rest}"


def tables(files):
    """The lines of both tables, and the rooms that are below their bar."""
    by_file, by_room, below = [], [], []
    for room, has_bar in ROOMS.items():
        lines, branches = [0, 0], [0, 0]
        for name, file in files.items():
            if not name.startswith(f"{room}/"):
                continue
            by_file.append(row(name, tally(file.lines), tally(file.branches)))
            for total, part in ((lines, tally(file.lines)), (branches, tally(file.branches))):
                total[0] += part[0]
                total[1] += part[1]
        by_room.append(row(room, lines, branches))
        was_measured = lines[1] != 0 and branches[1] != 0
        is_good = percent(*lines) >= LINES and percent(*branches) >= BRANCHES
        if has_bar and not (was_measured and is_good):
            below.append(room)
    header = f"{'':42}{'lines':>23}  {'branches':>23}"
    bars = f"bars of the pure rooms: {LINES} % of lines, {BRANCHES} % of branches"
    return [header, *by_file, "", *by_room, bars], below


def main():
    parser = argparse.ArgumentParser(description="Coverage of the pure rooms.")
    parser.add_argument("tree", type=pathlib.Path)
    parser.add_argument("--missing", action="store_true", help="show what never ran")
    options = parser.parse_args()
    tree = options.tree.resolve()
    with tempfile.TemporaryDirectory(prefix="coverage.", dir=tree) as profiles:
        programs, good = run_all(tree, profiles)
        files = measure(programs, profiles)

    report, below = tables(files)
    if options.missing:
        report = [text for name, file in files.items() for text in missing(name, file)] + report
    report = "\n".join(report)
    (tree / "coverage.txt").write_text(report + "\n")
    print("\n" + report, flush=True)
    for room in below:
        print(f"coverage.py: {room} is below its bar", file=sys.stderr)
    return bool(below) or not good


if __name__ == "__main__":
    sys.exit(main())
