"""The standard library: csv.DictReader in, csv.writer out, a row at a time."""

import json
import sys
from pathlib import Path

from bench.peers.rows import carry, plain

if __name__ == "__main__":
    lists = Path(sys.argv[1])
    print(json.dumps(carry(lists, Path(sys.argv[2]), plain(lists), "log" in sys.argv)))
