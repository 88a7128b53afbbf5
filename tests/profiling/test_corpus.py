"""Strange exports, told and carried: the score is printed (`pytest -s`) and held to what it was."""

from collections.abc import Iterator, Mapping, Sequence

import pytest

from caseferry.mapping import profile as profiles
from tests.profiling import corpus, corpus_more, unseen
from tests.profiling.corpus import Export
from tests.profiling.score import SURE, Mark, Rows, carried, score

KNOWN, HELD_OUT = (*corpus.EXPORTS, *corpus_more.EXPORTS), unseen.EXPORTS
"""What the rules were made with, and what they were not."""
Scored = Mapping[str, tuple[list[Mark], Rows]]
_SCORED: dict[str, tuple[list[Mark], Rows]] = {}


def _score(exports: Sequence[Export], factory: pytest.TempPathFactory) -> Scored:
    """Each export is told and carried once, by whichever test asks first."""
    for export in exports:
        if export.name not in _SCORED:
            folder = factory.mktemp(export.name)
            marks, told = score(export, folder)
            _SCORED[export.name] = (marks, carried(export, folder, told))
    return {export.name: _SCORED[export.name] for export in exports}


@pytest.fixture(autouse=True)
def no_own_profiles() -> Iterator[None]:
    yield
    profiles._OWN.clear()
    profiles.load_profile.cache_clear()
    profiles.known_evidence.cache_clear()


def _told(title: str, scored: Scored) -> list[Mark]:
    marks = [mark for some, _ in scored.values() for mark in some]
    print(f"\n{title}", *(mark.shown for mark in marks), *(rows.shown for _, rows in scored.values()), sep="\n")
    fields, links = sum(len(mark.want.fields) for mark in marks), sum(len(mark.want.links) for mark in marks)
    print(
        f"{len(scored)} exports, {len(marks)} lists: {sum(mark.is_right for mark in marks)} sensible, {sum(mark.is_nothing and not mark.is_right for mark in marks)} nothing proposed, "
        f"{sum(mark.is_wrong for mark in marks)} wrong; {sum(mark.fields for mark in marks)} of {fields} fields, {sum(mark.links for mark in marks)} of {links} links"
    )
    return marks


@pytest.mark.parametrize("export", (*KNOWN, *HELD_OUT), ids=lambda export: export.name)
def test_every_line_of_a_strange_export_is_accounted_for(export: Export, tmp_path_factory: pytest.TempPathFactory) -> None:
    marks, rows = _score([export], tmp_path_factory)[export.name]
    assert rows.is_whole, rows.shown
    assert not [mark.shown for mark in marks if mark.is_wrong and mark.confidence >= SURE]
    assert not [mark.shown for mark in marks if mark.mixes_money]


def test_most_lists_are_told_sensibly(tmp_path_factory: pytest.TempPathFactory) -> None:
    scored = _score(KNOWN, tmp_path_factory)
    marks = _told("the corpus", scored)
    assert len(scored) >= 15 and len(marks) >= 40
    assert sum(mark.is_right for mark in marks) >= 0.97 * len(marks)
    assert sum(mark.fields for mark in marks) >= 0.95 * sum(len(mark.want.fields) for mark in marks)
    assert sum(mark.links for mark in marks) >= 0.9 * sum(len(mark.want.links) for mark in marks)


def test_lists_the_rules_were_not_made_with_are_told_sensibly_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    marks = _told("held out", _score(HELD_OUT, tmp_path_factory))
    assert len(marks) >= 20
    assert sum(mark.is_right for mark in marks) >= 0.75 * len(marks)
