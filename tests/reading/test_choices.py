"""Choices a firm wrote, read behind the guard."""

import pytest

from caseferry.errors import ExportRefused
from caseferry.reading.guard import WORKS, ask
from config.limits import ReadingLimits


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"{", "it is not JSON"), (b"[]", "it is not a mapping of choices"), (b'{"a": NaN}', "it is not JSON"), (b"[" * 200_000, "it is not JSON"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "it is nested too deep"), (b"\xff\xfe{", "it is not JSON"),
    ],
)  # fmt: skip
def test_what_is_no_mapping_of_choices_is_refused_with_a_reason(text: bytes, why: str) -> None:
    with pytest.raises(ExportRefused) as caught:
        ask(f"{WORKS}mapping", text, "migration.json", ReadingLimits())
    assert (caught.value.code, caught.value.detail) == ("CF-124", why)


def test_what_is_one_comes_as_it_was_written() -> None:
    assert ask(f"{WORKS}mapping", '{"firm_name": "Doe & Røe", "users": [{}]}'.encode(), "x", ReadingLimits()).made == {"firm_name": "Doe & Røe", "users": [{}]}
