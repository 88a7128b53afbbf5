"""Run the tests and say which requirements they prove. Usage: python -m tests.requirements [--no-run]

Writes docs/requirements.md. Exit 1 if a requirement of this release has no passing test.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

DOC = Path(__file__).parents[1] / "docs" / "requirements.md"
RELEASE = """A01-A08 A11 A12 A15 A17-A36 B05-B32 B36 B39 C05-C07 C10 D05-D12 D16 D18 D20 D21
E11-E14 E17 E20-E28 E37 E48-E53 E59-E62 E65-E67 E69-E74 E77-E79 E91 E96 E98 E103 E104"""


def numbers(text: str) -> list[str]:
    """`A01-A03 B06` as A01, A02, A03, B06."""
    found = []
    for word in text.split():
        first, _, last = word.partition("-")
        for number in range(int(first[1:]), int((last or first)[1:]) + 1):
            found.append(f"{first[0]}{number:0{len(first) - 1}d}")
    return found


def table(proven: dict[str, dict[str, str]]) -> tuple[str, list[str]]:
    lines = ["# Requirements proven", "", "Made by `make requirements`: each requirement of this release, and the tests that name it.", "", "| requirement | state | tests |", "|---|---|---|"]
    without = []
    for number in numbers(RELEASE):
        tests = proven.get(number, {})
        passed = bool(tests) and all(outcome == "passed" for outcome in tests.values())
        names = sorted({test.split("[")[0].removeprefix("tests/") for test in tests})
        if not passed:
            without.append(number)
        lines.append(f"| {number} | {'proven' if passed else 'FAILS' if tests else 'no test'} | {'<br>'.join(f'`{name}`' for name in names)} |")
    total = len(numbers(RELEASE))
    lines += ["", f"{total - len(without)} of {total} proven." + (f" Without: {', '.join(without)}." if without else ""), ""]
    return "\n".join(lines), without


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "proven.json"
        done = subprocess.run([sys.executable, "-m", "pytest", *sys.argv[1:]], env=os.environ | {"REQUIREMENTS_JSON": str(target)}, check=False)
        proven = json.loads(target.read_text())
    text, without = table(proven)
    DOC.write_text(text)
    print(text)
    return 1 if without or done.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
