"""The bench goes with the code it measures."""

import importlib
from pathlib import Path

import pytest

_OURS = ["bench.__main__", "bench.full", "bench.scale", "bench.page", "bench.peers.caseferry_parts"]


@pytest.mark.parametrize("module", _OURS)
def test_what_measures_our_own_code_can_be_loaded(module: str) -> None:
    assert Path(str(importlib.import_module(module).__file__)).is_file()
