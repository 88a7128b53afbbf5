"""What the same bytes cost without any work: unpack, check, parse, write. `python -m bench.floor WHAT FOLDER OUT`.

`whole`: the archive, then every list through Polars from scan to sink. `time`: only the list of time entries.
`duckdb`: that list through DuckDB's COPY. `copy`: its bytes alone.
"""

import shutil
import sys
from pathlib import Path

LISTS = "lists"


def whole(folder: Path, out: Path) -> None:
    import zlib
    from zipfile import ZipFile

    from isal import isal_zlib

    with ZipFile(folder / "export.zip") as archive, (folder / "export.zip").open("rb") as raw:
        for entry in archive.infolist():
            raw.seek(entry.header_offset)
            head = raw.read(30)
            raw.seek(int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little"), 1)
            data = isal_zlib.decompress(raw.read(entry.compress_size), -zlib.MAX_WBITS)
            assert isal_zlib.crc32(data) == entry.CRC
            (out / "unpacked").write_bytes(data)
            _pass(out / "unpacked", out)


def time(folder: Path, out: Path) -> None:
    _pass(folder / LISTS / "WIP.csv", out)


def _pass(path: Path, out: Path) -> None:
    import polars as pl

    pl.scan_csv(path, infer_schema=False).sink_csv(out / "passed.csv")


def duckdb(folder: Path, out: Path) -> None:
    import duckdb

    base = duckdb.connect(config={"threads": 2})
    base.execute(f"copy (select * from read_csv('{folder / LISTS / 'WIP.csv'}', all_varchar = true)) to '{out / 'passed.csv'}' (header)")  # noqa: S608  our own folders


def copy(folder: Path, out: Path) -> None:
    shutil.copyfile(folder / LISTS / "WIP.csv", out / "passed.csv")


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
