"""Which system an export comes from: the profile that explains most of it."""

from collections.abc import Sequence

from caseferry.choices import Migration
from caseferry.manifest import Table
from caseferry.mapping.profile import Profile, known_evidence, load_profile
from tasks.split.drop import Read
from tasks.split.recognise import Fit, Unfit, find_table, words_of


def tell_source(lists: Sequence[Read], migration: Migration) -> tuple[Profile, float, list[Fit | Unfit]]:
    """The profile that explains the drop best, the share of its tables' columns that it knows, and how each list fits.

    A profile that is like another explains all that one does: it is taken only if headings are there that it alone knows.
    """
    evidence = known_evidence()
    known = frozenset[str]().union(*(load_profile(name).every_heading for name, told in evidence.items() if told is None))
    words = frozenset[str]().union(*(words_of(one.head, known) for _, one in lists))
    marks = {name: 0 if told is None else len(told & words) for name, told in evidence.items() if told is None or told & words}
    best: tuple[tuple[int, int], float, Profile, list[Fit | Unfit]] | None = None
    for name in [migration.source] if migration.source else marks:
        profile = migration.profile_of(name)
        every = [find_table(one.head, profile) for _, one in lists]
        fits = [fit for fit in every if isinstance(fit, Fit)]
        explained = sum(sum(1 for use in fit.uses if use) for fit in fits)
        share = explained / max(1, sum(fit.named for fit in fits))
        rank = (marks.get(name, 0), explained)
        if best is None or rank > best[0]:
            best = (rank, round(share, 3), profile, every)
    assert best is not None
    return best[2], best[1], best[3]


def variant_of(tables: Sequence[Table], profile: Profile) -> str:
    """Which regional wording the headings speak, if any."""
    words = " ".join(c.heading.casefold() for table in tables for c in table.columns)
    counts = {name: sum(1 for clue in clues if clue in words) for name, clues in profile.variants.items()}
    best = max(counts, key=lambda name: counts[name], default="")
    return best if best and counts[best] else "unknown"
