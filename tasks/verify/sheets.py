"""How many rows a workbook's sheets have: an XLSX sheet by its XML alone, others by the library that reads them."""

from collections import Counter
from typing import Any

from caseferry.reading.package import Package, contents
from caseferry.reading.source import Source
from caseferry.reading.works import Blobs, Limits, heights, named
from tasks.verify import recount


def count(data: Source, limits: Limits, blobs: Blobs, file: str) -> Any:
    """Rows of each sheet by its name; None where they can be counted in two ways."""
    if data[:2] == b"PK":
        package = Package(data, file, named(limits))
        sheets = contents(package, named(limits)).sheets
        if sheets:
            names = Counter(sheet.name for sheet in sheets)
            return {sheet.name: recount.last_row(package.pieces(sheet.path)) if sheet.path and names[sheet.name] == 1 else None for sheet in sheets}
    return heights(data, limits, blobs, file)
