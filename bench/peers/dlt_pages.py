"""dlt: a resource that yields pages, as its page on speed advises; a pipeline that writes CSV into a folder."""

import json
import os
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from bench.peers.rows import COLUMNS, Count, plain

_PAGE = 5_000


def main(lists: Path, out: Path) -> dict[str, int]:
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR", "NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION": "true"}
    import dlt

    count = Count()

    @dlt.resource(name="work")
    def work() -> Iterator[Any]:
        lines = count.lines(lists, plain(lists))
        while page := list(islice(lines, _PAGE)):
            for name, columns in COLUMNS.items():
                rows = [dict(zip(columns, line, strict=True)) for kind, line in page if kind == name]
                if rows:
                    yield dlt.mark.with_table_name(rows, name)

    pipeline = dlt.pipeline(
        "work", pipelines_dir=str(out / "state"), dataset_name="made", destination=dlt.destinations.filesystem(bucket_url=(out / "files").as_uri())
    )
    pipeline.run(work(), loader_file_format="csv")
    return count.told


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
