#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the golden rows, or with --check compares them with the files that are there."""
import importlib
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
MODULES = (
    "rows_header46",
    "rows_header64",
    "rows_fragments46",
    "rows_fragments64",
    "rows_icmp46",
    "rows_icmp64",
    "rows_quotes",
    "rows_errors",
    "rows_checksums",
    "rows_addresses",
    "rows_hairpin",
    "rows_extensions",
    "rows_original_source",
    "rows_special",
    "rows_offload",
    "rows_settings",
    "rows_requirements",
)


def main():
    sys.path.insert(0, str(HERE))
    check = "--check" in sys.argv[1:]
    stale, total = [], 0
    for name in MODULES:
        for book in importlib.import_module(name).books():
            total += len(book.rows)
            path = HERE / f"{book.name}.json"
            text = book.text()
            if check:
                if not path.exists() or path.read_text() != text:
                    stale.append(path.name)
            else:
                path.write_text(text)
                print(f"{path.name}: {len(book.rows)} rows, {len(text)} bytes")
    if stale:
        print("not what generate.py writes:", ", ".join(stale), file=sys.stderr)
        return 1
    print(f"{total} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
