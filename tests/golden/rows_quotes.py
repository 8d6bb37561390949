# SPDX-License-Identifier: BSD-2-Clause
"""Matrix section 4: packets quoted inside ICMP errors, both directions."""
import rows_quotes46
import rows_quotes64
from book import Book


def books():
    b = Book("quotes")
    for rows in rows_quotes46.ROWS + rows_quotes64.ROWS:
        rows(b)
    return [b]
