"""The standard library: csv.DictReader in, csv.writer out, a row at a time."""

import csv
import json
import sys
from decimal import Decimal
from pathlib import Path

from bench.peers import HEADER, STAFF
from bench.peers.rows import cents, day, hours


def main(lists: Path, out: Path) -> dict[str, int]:
    with (lists / "Matters.csv").open(newline="", encoding="utf-8") as file:
        matters = {row["Matter No"] for row in csv.DictReader(file)}
    counts = {"carried": 0, "excluded": 0, "quarantined": 0}
    total = Decimal(0)
    with (
        (lists / "WIP.csv").open(newline="", encoding="utf-8") as file,
        (out / "activities.csv").open("w", newline="", encoding="utf-8") as made,
        (out / "rejects.csv").open("w", newline="", encoding="utf-8") as left,
    ):
        good, bad = csv.writer(made, quoting=csv.QUOTE_ALL), csv.writer(left)
        good.writerow(HEADER)
        for number, row in enumerate(csv.DictReader(file), 2):
            if row["Billed"] == "Yes":
                counts["excluded"] += 1
                bad.writerow([number, "billed"])
            elif row["Matter No"] not in matters or row["Staff"] not in STAFF:
                counts["quarantined"] += 1
                bad.writerow([number, "unknown"])
            else:
                price, quantity = cents(row["Rate"]), hours(row["Units"])
                total += (price * quantity).quantize(Decimal("0.01"))
                counts["carried"] += 1
                good.writerow([row["Matter No"], day(row["Date"]), row["Description"], price, quantity, STAFF[row["Staff"]]])
    return counts | {"cents": int(total * 100)}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
