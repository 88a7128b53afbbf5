"""The standard library: csv.DictReader in, csv.writer out, a row at a time."""

import json
import sys
from pathlib import Path

from bench.peers import STAFF
from bench.peers.rows import Entry, carry, cents, day, hours, matters


def main(lists: Path, out: Path) -> dict[str, int]:
    known = matters(lists)

    def read(row: dict[str, str]) -> Entry | None:
        if row["Matter No"] not in known or row["Staff"] not in STAFF:
            return None
        return row["Matter No"], day(row["Date"]), row["Description"], cents(row["Rate"]), hours(row["Units"]), STAFF[row["Staff"]]

    return carry(lists, out, read)


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
