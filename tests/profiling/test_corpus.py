"""Strange exports, told and carried: the score is printed (`pytest -s`) and held to what it was."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import pytest

from caseferry.mapping import profile as profiles
from tests.profiling import corpus, corpus_more, unseen
from tests.profiling.corpus import Export
from tests.profiling.score import SURE, Mark, Rows, carried, score

KNOWN, HELD_OUT = (*corpus.EXPORTS, *corpus_more.EXPORTS), unseen.EXPORTS
"""What the rules were made with, and what they were not."""
_EACH = 4
"""Every so many is carried to the end in every run of the tests; `make corpus` carries all of them."""
_SCORED: dict[str, tuple[list[Mark], Callable[[], Rows]]] = {}


def _score(export: Export, factory: pytest.TempPathFactory) -> tuple[list[Mark], Callable[[], Rows]]:
    """An export is told once, by whichever test asks first; carrying it takes longer, and is for whoever asks for its rows."""
    if export.name not in _SCORED:
        folder = factory.mktemp(export.name)
        marks, told = score(export, folder)
        _SCORED[export.name] = (marks, partial(carried, export, folder, told))
    return _SCORED[export.name]


@pytest.fixture(autouse=True)
def no_own_profiles() -> Iterator[None]:
    yield
    profiles._OWN.clear()
    profiles.load_profile.cache_clear()
    profiles.known_evidence.cache_clear()


def _told(title: str, exports: Sequence[Export], factory: pytest.TempPathFactory) -> list[Mark]:
    marks = [mark for export in exports for mark in _score(export, factory)[0]]
    print(f"\n{title}", *(mark.shown for mark in marks), sep="\n")
    fields, links = sum(len(mark.want.fields) for mark in marks), sum(len(mark.want.links) for mark in marks)
    print(
        f"{len(exports)} exports, {len(marks)} lists: {sum(mark.is_right for mark in marks)} sensible, {sum(mark.is_nothing and not mark.is_right for mark in marks)} nothing proposed, "
        f"{sum(mark.is_wrong for mark in marks)} wrong; {sum(mark.fields for mark in marks)} of {fields} fields, {sum(mark.links for mark in marks)} of {links} links"
    )
    return marks


@pytest.mark.parametrize("export", (*KNOWN, *HELD_OUT), ids=lambda export: export.name)
def test_a_strange_export_is_never_told_wrongly_for_sure(export: Export, tmp_path_factory: pytest.TempPathFactory) -> None:
    marks, _ = _score(export, tmp_path_factory)
    assert not [mark.shown for mark in marks if mark.is_wrong and mark.confidence >= SURE]
    assert not [mark.shown for mark in marks if mark.mixes_money]


@pytest.mark.parametrize(
    "export", [pytest.param(export, marks=() if number % _EACH == 0 else pytest.mark.campaign) for number, export in enumerate((*KNOWN, *HELD_OUT))], ids=lambda export: export.name
)
def test_every_line_of_a_strange_export_is_accounted_for(export: Export, tmp_path_factory: pytest.TempPathFactory) -> None:
    rows = _score(export, tmp_path_factory)[1]()
    print(rows.shown)
    assert rows.is_whole, rows.shown


def test_most_lists_are_told_sensibly(tmp_path_factory: pytest.TempPathFactory) -> None:
    marks = _told("the corpus", KNOWN, tmp_path_factory)
    assert len(KNOWN) >= 15 and len(marks) >= 40
    assert sum(mark.is_right for mark in marks) >= 0.97 * len(marks)
    assert sum(mark.fields for mark in marks) >= 0.95 * sum(len(mark.want.fields) for mark in marks)
    assert sum(mark.links for mark in marks) >= 0.9 * sum(len(mark.want.links) for mark in marks)


def test_lists_the_rules_were_not_made_with_are_told_sensibly_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    marks = _told("held out", HELD_OUT, tmp_path_factory)
    assert len(marks) >= 20
    assert sum(mark.is_right for mark in marks) >= 0.75 * len(marks)
