"""docs/tutorial-source.md, followed to the letter."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tutorial-source.md").read_text()
BLOCK = re.compile(r"^```(\w+)(?: (file|see)=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_a_made_up_source_is_added_by_the_tutorial_alone(tmp_path: Path) -> None:
    said, followed = "", {"sh": 0, "text": 0, "file": 0, "see": 0}
    for language, what, name, body in BLOCK.findall(PAGE):
        followed[what or language] += 1
        if what == "file":
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(body)
        elif what == "see":
            assert body in (tmp_path / name).read_text().replace("\r\n", "\n")
        elif language == "sh":
            command, *words = shlex.split(body)
            assert command == "caseferry"
            done = subprocess.run([sys.executable, "-m", "workers.commands", *words], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            said = done.stdout
        else:
            assert body in said, said
    assert followed == {"sh": 3, "text": 2, "file": 4, "see": 1}
