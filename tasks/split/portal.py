"""What a client portal leaves behind: lists and folders of its messages and shares. Nothing of a portal moves with its records,
so each is told with its rows, whatever else becomes of them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

import polars as pl

from caseferry.manifest import PORTAL, Finding, Intake
from caseferry.mapping.headings import normal
from caseferry.mapping.profile import Profile
from caseferry.reading.grid import ROW
from caseferry.reading.kinds import LISTS, Kind
from caseferry.reading.spooled import Spooled
from caseferry.records import RECORDS
from caseferry.tables import cells_of
from tasks.split.recognise import header_of
from tasks.split.tables import Cut

_MESSAGES = frozenset({"excluded", "email", "note", "phone_log"})
"""Records that messages and shares of a portal read like. A list of contacts is none, whatever its file is called."""
_PAPERS = LISTS | {Kind.PDF, Kind.DOCUMENT, Kind.MAIL, Kind.JSON}


def portal_lists(made: Iterable[Cut], profile: Profile) -> Iterator[Finding]:
    """Lists that were recognised, by their names; else by a column that says which rows were shared."""
    for cut in made:
        table = cut.table
        if table.record not in _MESSAGES or not cut.parts:
            continue
        word, count = _told_by(profile, table.file, table.sheet), sum(table.part_rows)
        if not word:
            places = {f"c{c.place}": c.heading for c in table.columns if normal(c.heading) in profile.portal_headings}
            word = next(iter(places.values()), "")
            count = _said(pl.concat(cells_of(part, places) for part in cut.parts), profile) if places else 0
        if count:
            is_carried = table.record != "excluded"
            fate = f"carried as {RECORDS[table.record].title.lower()}; that they were a portal's is not" if is_carried else "kept in the archive"
            yield _finding(table.file, table.sheet, count, word, fate, is_carried=is_carried)


def portal_unknown(file: str, rows: Spooled, profile: Profile) -> Finding | None:
    """A list nobody knows."""
    word = _told_by(profile, file, rows.head.sheet)
    header, headings = header_of(rows.head)
    places = [name for name, heading in headings.items() if normal(heading) in profile.portal_headings]
    if not word and not places:
        return None
    below = (piece.filter(pl.col(ROW) > header).drop(ROW) for piece in rows.pieces())
    count = sum(_said(piece.select(places) if not word else piece, profile, every=bool(word)) for piece in below)
    return _finding(file, rows.head.sheet, count, word or headings[places[0]], "kept in the archive") if count else None


def portal_folders(intake: Intake, listed: Iterable[str], profile: Profile) -> Iterator[Finding]:
    """Folders of messages and papers, each with its files.

    Args:
        listed: files that are told as lists.
    """
    seen, counts = frozenset(listed), Counter[tuple[str, str, bool]]()
    for kept in intake.files:
        folders = kept.name.split("/")[:-1]
        depth, word = next(((n, word) for n, folder in enumerate(folders, 1) if (word := profile.portal_word(folder))), (0, ""))
        if word and kept.kind in _PAPERS and kept.name not in seen:
            counts["/".join(folders[:depth]) + "/", word, kept.kind == Kind.MAIL] += 1
    for (folder, word, is_mail), count in sorted(counts.items()):
        fate = "messages, carried as emails; that they were a portal's is not" if is_mail else "files, like all documents"
        yield _finding(folder, "", count, word, fate, is_carried=is_mail)


def _told_by(profile: Profile, file: str, sheet: str) -> str:
    """The portal's word in a folder, in the name of the file or of its sheet."""
    *folders, name = file.split("/")
    return next(filter(None, map(profile.portal_word, (*folders, name.rpartition(".")[0] or name, sheet))), "")


def _said(cells: pl.DataFrame, profile: Profile, *, every: bool = False) -> int:
    """How many rows have a cell that says something, other than no."""
    no = [] if every else [normal(word) for word in profile.false_words]
    texts = pl.all().str.strip_chars().str.to_lowercase().fill_null("")
    return int(cells.select(pl.any_horizontal((texts != "") & ~texts.is_in(no))).to_series().sum()) if cells.width else 0


def _finding(file: str, sheet: str, count: int, word: str, fate: str, *, is_carried: bool = False) -> Finding:
    where = " › ".join(filter(None, (file, sheet)))
    return Finding(rule=PORTAL, where=where, count=count, detail=f"told by {word!r}; {fate}", outcome="carried" if is_carried else "excluded")
