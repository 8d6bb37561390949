#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Which rows of the requirement matrix a test names.

    tests/requirements.py [--missing]

requirements.yaml lists all rows and, with a reason, those that no test can or does check. A row is
tested if its number stands in a place that belongs to a check:

    golden rows    `requirement` of a row in tests/golden/*.json
    Catch2         name or tag of a TEST_CASE or SECTION in tests/**/*_test.cpp
    Python         docstring or comment of a test method, or docstring of its class, in
                   tests/**/*_test.py
    checkers       comments in tests/property/*_test.cpp and tests/fuzz/*_checks.cpp

Prints for each row where it is tested, or why not. Exit status 1 if a row is neither tested nor
documented, or both; if a test names a row that does not exist; or if requirements.yaml does not
list the very rows of the matrix, wherever that lies beside the repository.
"""
import argparse
import ast
import collections
import json
import pathlib
import re
import sys

import yaml

TESTS = pathlib.Path(__file__).resolve().parent
LIST = TESTS / "requirements.yaml"
MATRIX = TESTS.parent.parent / "shared/rfc-matrix.md"

CASE = re.compile(r'\b(?:TEST_CASE|TEMPLATE_TEST_CASE|TEST_CASE_METHOD|SECTION)\s*\('
                  r'((?:[^"()]*"(?:[^"\\]|\\.)*"\s*,?\s*)+)')
COMMENT = re.compile(r"//(.*)$", re.MULTILINE)


class Scan:
    def __init__(self, rows):
        # Of any number behind a known prefix, so that a slip of the pen is noticed.
        prefixes = "|".join(sorted({row.split("-")[0] for row in rows}))
        self.number = re.compile(rf"\b(?:{prefixes})-\d\d\b")
        self.range = re.compile(rf"\b({prefixes})-(\d\d)\.\.(?:\1-)?(\d\d)\b")
        self.places = collections.defaultdict(collections.Counter)

    def found(self, text, place):
        text = self.range.sub(self.spelled_out, text)
        for number in set(self.number.findall(text)):
            self.places[number][place] += 1

    @staticmethod
    def spelled_out(match):
        prefix, first, last = match.groups()
        return " ".join(f"{prefix}-{n:02}" for n in range(int(first), int(last) + 1))

    def golden(self, path):
        for row in json.loads(path.read_text())["rows"]:
            self.found(" ".join(row["requirement"]), f"golden/{path.stem}")

    def catch2(self, path):
        for case in CASE.findall(path.read_text()):
            self.found(case, str(path.relative_to(TESTS)))

    def comments(self, path):
        for comment in COMMENT.findall(path.read_text()):
            self.found(comment, str(path.relative_to(TESTS)))

    def python(self, path):
        text = path.read_text()
        lines = text.splitlines()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef):
                self.found(ast.get_docstring(node) or "", f"{path.relative_to(TESTS)}:{node.name}")
            elif isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
                comments = [line.partition("#")[2]
                            for line in lines[node.lineno - 1:node.end_lineno]]
                self.found("\n".join([ast.get_docstring(node) or "", *comments]),
                           f"{path.relative_to(TESTS)}:{node.name}")

    def everything(self):
        for path in sorted(TESTS.glob("golden/*.json")):
            self.golden(path)
        for path in sorted(TESTS.glob("**/*_test.cpp")):
            self.catch2(path)
        for path in sorted([*TESTS.glob("property/*_test.cpp"), *TESTS.glob("fuzz/*_checks.cpp")]):
            self.comments(path)
        for path in sorted(TESTS.glob("**/*_test.py")):
            self.python(path)
        return self.places


def matrix_rows(path):
    """Numbers in the first column of any table, in their order."""
    return re.findall(r"^\| *([A-Z][A-Z0-9]{1,2}-\d\d) *\|", path.read_text(), re.MULTILINE)


def words(counter):
    return ", ".join(f"{place} ({n})" if n > 1 else place for place, n in counter.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--missing", action="store_true", help="print only what is wrong")
    options = parser.parse_args()

    lists = yaml.safe_load(LIST.read_text())
    rows, documented = lists["rows"], lists["documented"]
    tested = Scan(rows).everything()
    wrong = [f"{row} is tested by no test: {title}" for row, title in rows.items()
             if row not in tested and row not in documented]
    wrong += [f"{row} is documented as untested, but named by {words(tested[row])}"
              for row in documented if row in tested]
    wrong += [f"{row} is documented, but no row" for row in documented if row not in rows]
    wrong += [f"{row} is documented without a reason" for row, reason in documented.items()
              if not isinstance(reason, str) or not reason.strip()]
    wrong += [f"{row} is no row, but named by {words(tested[row])}"
              for row in tested if row not in rows]
    if MATRIX.exists():
        in_matrix = matrix_rows(MATRIX)
        wrong += [f"{row} is in the matrix and not in {LIST.name}"
                  for row in in_matrix if row not in rows]
        wrong += [f"{row} is in {LIST.name} and not in the matrix"
                  for row in rows if row not in in_matrix]

    if not options.missing:
        for row, title in rows.items():
            print(f"{row:7} {title}")
            if row in tested:
                print(f"        tested: {words(tested[row])}")
            if row in documented:
                print(f"        documented: {documented[row]}")
        print(f"{len(rows)} rows: {len([r for r in rows if r in tested])} tested, "
              f"{len(documented)} documented, "
              f"{len([r for r in rows if r not in tested and r not in documented])} missing"
              f"{'' if MATRIX.exists() else '; the matrix is not here to compare with'}")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
