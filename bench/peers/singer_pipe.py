"""Singer: a tap and a target of the Singer SDK, two processes with a pipe between them.

`python -m bench.peers.singer_pipe LISTS OUT` runs both; with `tap` or `target` behind it, one of them.
"""

import csv
import json
import subprocess
import sys
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from singer_sdk import Stream, Tap, Target
from singer_sdk import typing as th
from singer_sdk.sinks import BatchSink

from bench.peers import HEADER
from bench.peers.rows import COLUMNS, Count, plain

_SCHEMAS = {
    "activities": th.PropertiesList(*(th.Property(name, th.StringType) for name in HEADER)).to_dict(),
    "rejects": th.PropertiesList(th.Property("line", th.IntegerType), th.Property("reason", th.StringType)).to_dict(),
}


class Lines(Stream):
    """The lines of one file; each stream goes through the list by itself, as streams do."""

    def get_records(self, context: Any) -> Iterable[dict[str, Any]]:
        lists = Path(self.config["lists"])
        for name, line in Count().lines(lists, plain(lists)):
            if name == self.name:
                cells = line if name == "rejects" else tuple(str(cell) for cell in line)
                yield dict(zip(COLUMNS[name], cells, strict=True))


class TapLists(Tap):
    name = "tap-lists"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(th.Property("lists", th.StringType, required=True)).to_dict()

    def discover_streams(self) -> list[Stream]:
        return [Lines(self, schema=schema, name=name) for name, schema in _SCHEMAS.items()]


class CsvSink(BatchSink):
    max_size = 10_000
    total = Decimal(0)
    counts: ClassVar[dict[str, int]] = {"carried": 0, "excluded": 0, "quarantined": 0}

    def process_batch(self, context: dict[str, Any]) -> None:
        path = Path(self.config["out"]) / f"{self.stream_name}.csv"
        is_new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, quoting=csv.QUOTE_ALL)
            if is_new:
                writer.writerow(COLUMNS[self.stream_name])
            for row in context["records"]:
                writer.writerow([row[name] for name in COLUMNS[self.stream_name]])
                if self.stream_name == "rejects":
                    CsvSink.counts["excluded" if row["reason"] == "billed" else "quarantined"] += 1
                else:
                    CsvSink.counts["carried"] += 1
                    CsvSink.total += (Decimal(row["price"]) * Decimal(row["quantity"])).quantize(Decimal("0.01"))


class TargetFiles(Target):
    name = "target-files"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(th.Property("out", th.StringType, required=True)).to_dict()
    default_sink_class = CsvSink


def main(lists: str, out: str) -> dict[str, int]:
    here = [sys.executable, "-m", "bench.peers.singer_pipe", lists, out]
    with subprocess.Popen([*here, "tap"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as tap:
        told = subprocess.run([*here, "target"], stdin=tap.stdout, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    found: dict[str, int] = json.loads(told.splitlines()[-1])
    return found


if __name__ == "__main__":
    if sys.argv[3:] == ["tap"]:
        TapLists(config={"lists": sys.argv[1]}).sync_all()
    elif sys.argv[3:] == ["target"]:
        TargetFiles(config={"out": sys.argv[2]}).listen(sys.stdin)
        print(json.dumps(CsvSink.counts | {"cents": int(CsvSink.total * 100)}))
    else:
        print(json.dumps(main(sys.argv[1], sys.argv[2])))
