"""The guarded child: opens one workbook and writes its cells to standard output.

Run as a process of its own, because the reader can abort the process that calls it (a 5 KB file does).
Nothing of ours is imported here but this page, so it starts in a tenth of a second.

Output: one JSON line per sheet: name, visible, hidden row count, error cells, epoch, rows of text cells.
"""

import datetime as dt
import io
import json
import re
import resource
import sys
import zipfile
from typing import Any

_CELL = re.compile(rb'<(?:\w+:)?c [^>]*?r="([A-Z]{1,3})(\d{1,7})"')
_HIDDEN_ROW = re.compile(rb'<(?:\w+:)?row [^>]*?hidden="(?:1|true)"')
_ERROR = re.compile(rb'<(?:\w+:)?c [^>]*?t="e"')


def main() -> int:
    memory, cpu, cells = (int(arg) for arg in sys.argv[1:4])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    data = sys.stdin.buffer.read()
    try:
        sheets = _package(data, cells) if data.startswith(b"PK") else {}
    except OverflowError:
        return _say({"refused": "CF-112"})
    except Exception:
        return _say({"refused": "CF-123"})
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        for meta in book.sheets_metadata:
            sheet = book.get_sheet_by_name(meta.name)
            rows = sheet.to_python(skip_empty_area=False)
            facts = sheets.get(meta.name, {})
            _say(
                {
                    "sheet": meta.name,
                    "visible": meta.visible == SheetVisibleEnum.Visible,
                    "epoch_1904": sheets.get("", {}).get("epoch_1904", False),
                    **facts,
                    "rows": [[_text(cell) for cell in row] for row in rows],
                }
            )
    except PasswordError:
        return _say({"refused": "CF-103"})
    except (CalamineError, ValueError, OSError):
        return _say({"refused": "CF-123"})
    return _say({"end": True})


def _say(line: dict[str, Any]) -> int:
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    return 0


def _text(cell: Any) -> str:
    """A typed cell as the text a person would write: whole numbers without a point, dates in ISO form."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        # A spreadsheet shows 15 digits; the 16th is noise of the binary form.
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else format(cell, ".15g")
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ", timespec="minutes" if not cell.second else "seconds")
    if isinstance(cell, dt.date):
        return cell.isoformat()
    if isinstance(cell, dt.time):
        return cell.isoformat(timespec="minutes" if not cell.second else "seconds")
    if isinstance(cell, dt.timedelta):
        minutes, seconds = divmod(round(cell.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02d}" + (f":{seconds:02d}" if seconds else "")
    return str(cell)


def _package(data: bytes, most_cells: int) -> dict[str, dict[str, Any]]:
    """What the XML says before the reader is trusted with it: area, hidden rows, error cells, date epoch.

    Raises:
        OverflowError: the rectangle from A1 to the farthest cell is out of all proportion.
    """
    from defusedxml import ElementTree

    facts: dict[str, dict[str, Any]] = {"": {"epoch_1904": False}}
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        names = set(package.namelist())
        if "xl/workbook.xml" not in names:
            return facts
        book = ElementTree.fromstring(package.read("xl/workbook.xml"))
        for node in book.iter():
            if node.tag.endswith("}workbookPr") and node.get("date1904") in {"1", "true"}:
                facts[""]["epoch_1904"] = True
        targets = _relationships(package, names, ElementTree)
        for node in book.iter():
            if node.tag.endswith("}sheet"):
                rel = next((v for k, v in node.attrib.items() if k.endswith("}id")), "")
                path = targets.get(rel, "")
                if path in names:
                    facts[node.get("name") or ""] = _sheet(package, path, most_cells)
    return facts


def _relationships(package: zipfile.ZipFile, names: set[str], xml: Any) -> dict[str, str]:
    path = "xl/_rels/workbook.xml.rels"
    if path not in names:
        return {}
    return {
        node.get("Id", ""): ("xl/" + node.get("Target", "")).replace("xl//xl/", "xl/")
        for node in xml.fromstring(package.read(path)).iter()
        if node.tag.endswith("}Relationship")
    }


def _sheet(package: zipfile.ZipFile, path: str, most_cells: int) -> dict[str, int]:
    xml = package.read(path)
    cells = farthest_row = farthest_column = 0
    for letters, digits in _CELL.findall(xml):
        cells += 1
        farthest_row = max(farthest_row, int(digits))
        column = 0
        for letter in letters:
            column = column * 26 + letter - 64
        farthest_column = max(farthest_column, column)
    area = farthest_row * farthest_column
    if area > most_cells or area > 64 * cells + 5_000_000:
        raise OverflowError
    return {"hidden_rows": len(_HIDDEN_ROW.findall(xml)), "error_cells": len(_ERROR.findall(xml))}


if __name__ == "__main__":
    sys.exit(main())
