"""Which table of a source a grid is, and where its header stands. Headings and content decide, never names."""

import re
from dataclasses import dataclass
from functools import cached_property

from caseferry.mapping.headings import normal
from caseferry.mapping.profile import Profile, TableProfile
from caseferry.reading.grid import ROW, Grid
from caseferry.records import RECORDS

DEEPEST_HEADER = 60
_LONGEST_HEADING = 60
_FIGURE = re.compile(r"^[($£€-]*\d[\d,. ]*%?\)?$|\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}")


@dataclass(frozen=True)
class Fit:
    """One reading of a grid: as this table, with the header there."""

    kind: str
    header_row: int
    """Place in the grid, from 0."""
    header_rows: int
    headings: tuple[str, ...]
    uses: tuple[str, ...]
    """For each column: a field, `custom:<name>`, `leave:`, `archive:`, or nothing."""
    score: float
    named: int
    lacks: tuple[str, ...] = ()
    """Fields of which one would have to be there for it to be this table."""

    @property
    def confidence(self) -> float:
        """The share of the named columns that the profile knows."""
        known = sum(1 for use in self.uses if use)
        return round(known / self.named, 3) if self.named else 0.0


@dataclass(frozen=True)
class Unfit:
    """Why no table of the source fits."""

    reason: str
    columns: tuple[str, ...] = ()


def words_of(grid: Grid, known: frozenset[str]) -> frozenset[str]:
    """The cells of the first rows that could be a header, as headings: rows that hold two or more of the known ones."""
    rows = ({normal(cell) for cell in row[1:] if cell and len(cell) <= _LONGEST_HEADING} for row in grid.cells.head(DEEPEST_HEADER + 1).rows())
    return frozenset[str]().union(*(row for row in rows if len(row & known) >= 2))


def find_table(grid: Grid, profile: Profile) -> Fit | Unfit:
    """The best reading of the grid, or why there is none."""
    head = [[cell or "" for cell in row[1:]] for row in grid.cells.head(DEEPEST_HEADER + 1).rows()]
    rows = [{normal(cell) for cell in row if cell.strip()} for row in head]
    if any({normal(heading) for heading in headings} in rows for headings in profile.not_ours):
        return Unfit("the profile says that it is none of ours", _likely_header(head))
    known = profile.every_heading
    fits: list[Fit] = []
    for place, row in enumerate(head):
        headers = []
        if sum(1 for cell in row if cell.strip() and normal(cell) in known) >= 2:
            headers.append(_Header(place, 1, tuple((cell,) if cell.strip() else () for cell in row)))
        below = head[place + 1] if place + 1 < len(head) else None
        if below is not None and all(fit.lacks for fit in fits) and sum(1 for cell in row if cell.strip()) >= 2 and _is_second_header(below):
            headers.append(_Header(place, 2, _joined(row, below)))
        for header in headers:
            if len(header.present & known) < 2:
                continue
            fits += [fit for kind in profile.tables if (fit := _fit(profile, kind, header)) is not None]
    whole = [fit for fit in fits if not fit.lacks]
    if not whole:
        return _almost(fits, profile, _likely_header(head))
    title = _title(head, min(fit.header_row for fit in whole))
    best = _best(whole, profile, title)
    if isinstance(best, Fit):
        # What a list nearly is counts for more than what it barely is: without its amount, an expense is still no matter.
        others = [fit for fit in fits if fit.lacks and fit.header_row == best.header_row and _means(profile, fit) != _means(profile, best)]
        nearer = [fit for fit in others if fit.confidence > best.confidence]
        if nearer:
            return _almost(nearer, profile, best.headings)
    return best


@dataclass(frozen=True)
class _Header:
    row: int
    rows: int
    cells: tuple[tuple[str, ...], ...]
    """Per column, the texts its heading may be, best first."""

    @cached_property
    def normals(self) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(normal(text) for text in texts) for texts in self.cells)

    @cached_property
    def present(self) -> frozenset[str]:
        return frozenset(text for texts in self.normals for text in texts)


def _is_second_header(row: list[str]) -> bool:
    texts = [cell for cell in row if cell.strip()]
    return len(texts) >= 2 and not any(_FIGURE.search(cell.strip()) and not re.search("[A-Za-z+]", cell) for cell in texts)


def _joined(upper: list[str], lower: list[str]) -> tuple[tuple[str, ...], ...]:
    cells: list[tuple[str, ...]] = []
    parent = ""
    for above, below in zip(upper, lower, strict=True):
        if above.strip():
            parent = above
        if below.strip() and parent:
            cells.append((f"{parent} {below}", below) if above.strip() or parent else (below,))
        elif below.strip():
            cells.append((below,))
        else:
            cells.append((above,) if above.strip() else ())
    return tuple(cells)


def _fit(profile: Profile, kind: str, header: _Header) -> Fit | None:
    spec, aliases = profile.tables[kind], profile.headings(kind)
    header = _uncut(header, profile, kind)
    apart = {field for field, one in spec.joined.items() if not {normal(text) for text in one.headings} <= header.present}
    fields = {aliases[text].removeprefix("custom:") for text in header.present if text in aliases} - apart
    lacks = next((group for group in spec.must if not fields & set(group)), ())
    if lacks and len(fields) < 2:
        return None
    if spec.evidence and len({normal(text) for text in spec.evidence} & header.present) < 2:
        return None
    if any(profile.normal_words[word] & header.present for word in spec.never):
        return None
    uses: list[str] = []
    names: list[str] = []
    taken: set[str] = set()
    order = {heading: rank for rank, heading in enumerate(aliases)}
    for texts, plain in zip(header.cells, header.normals, strict=True):
        hit = next((place for place, text in enumerate(plain) if text in aliases), -1)
        use = aliases[plain[hit]] if hit >= 0 else ""
        if use and use in taken and not _takes_many(spec, use):
            first = uses.index(use)
            if order[plain[hit]] < order[header.normals[first][0]] if header.normals[first][0] in order else False:
                # The profile names the more telling heading first; the other may have a second meaning.
                uses[first] = _else(profile, kind, header.normals[first], taken)
                taken.add(uses[first])
            else:
                # A second column of the same meaning is told apart by a person, not by its place.
                use = _else(profile, kind, plain[hit : hit + 1], taken)
        taken.add(use)
        uses.append(use)
        names.append(" ".join((texts[max(hit, 0)] if texts else "").split()))
    fields = {use.removeprefix("custom:") for use in uses if use}
    named = sum(1 for texts in header.cells if texts)
    known = sum(1 for use in uses if use)
    weight = sum(0.5 if use in {"leave:", "archive:"} else 1.0 for use in uses if use) + 2.0 * len(fields & set(spec.marks))
    score = weight * (0.4 + 0.6 * known / named)
    return Fit(kind, header.row, header.rows, tuple(names), tuple(uses), score, named, lacks)


def _uncut(header: _Header, profile: Profile, kind: str) -> _Header:
    """The header with names that were cut off at ten letters, as dBase does, in full."""
    aliases = profile.headings(kind)
    whole = [
        (*texts, found) if len(texts) == 1 and plain[0] not in aliases and (found := profile.cut_off(kind, texts[0])) else texts
        for texts, plain in zip(header.cells, header.normals, strict=True)
    ]
    return header if whole == list(header.cells) else _Header(header.row, header.rows, tuple(whole))


def _else(profile: Profile, kind: str, plain: tuple[str, ...], taken: set[str]) -> str:
    """What a heading means where its first meaning is taken."""
    return next((field for text in plain if (field := profile.second_field(kind, text)) and field not in taken), "")


def _takes_many(spec: TableProfile, use: str) -> bool:
    if use in {"leave:", "archive:"} or use in spec.joined:
        return True
    return not use.startswith("custom:") and RECORDS[spec.record][use].many


def _means(profile: Profile, fit: Fit) -> tuple[str, str]:
    spec = profile.tables[fit.kind]
    return spec.record, spec.exclusion


def _almost(fits: list[Fit], profile: Profile, columns: tuple[str, ...]) -> Unfit:
    """What a list that is no table of the source comes nearest to, and what it would need."""
    near = [fit for fit in fits if len({use for use in fit.uses if use}) >= 2 and fit.confidence > 0.5]
    if not near:
        return Unfit("no table of this source has these columns", columns)
    best = max(near, key=lambda fit: fit.score)
    return Unfit(f"it reads like {best.kind}, of which one of these has to be there: {', '.join(best.lacks)}", columns)


def _best(fits: list[Fit], profile: Profile, title: str) -> Fit | Unfit:
    top = max(fit.score for fit in fits)
    near = [fit for fit in fits if fit.score >= top * 0.95]
    kinds = list(dict.fromkeys(fit.kind for fit in near))
    if len(kinds) > 1:
        by_title = [kind for kind in kinds if any(normal(name) in title for name in profile.tables[kind].titles)]
        if len(by_title) == 1:
            kinds = by_title
    chosen = [fit for fit in fits if fit.kind in kinds]
    if len(kinds) > 1:
        exact = [fit for fit in chosen if fit.score == top]
        if len({fit.kind for fit in exact}) > 1:
            return Unfit(f"it could be any of: {', '.join(kinds)}", exact[0].headings)
        chosen = exact
    # Two-row headers only where they explain more than either of their rows alone.
    return max(chosen, key=lambda fit: (fit.score, -fit.header_rows, -fit.header_row))


def _title(head: list[list[str]], upto: int) -> str:
    return normal(" ".join(cell for row in head[:upto] for cell in row if cell.strip()))


def _likely_header(head: list[list[str]]) -> tuple[str, ...]:
    if not head:
        return ()
    return tuple(" ".join(cell.split())[:80] for cell in head[_fullest(head)] if cell.strip())


def header_of(grid: Grid) -> tuple[int, dict[str, str]]:
    """The row that is likeliest to be the header of a list nobody knows, and the heading of each column that has one."""
    head = [[cell or "" for cell in row[1:]] for row in grid.cells.head(DEEPEST_HEADER + 1).rows()]
    place = _fullest(head)
    return int(grid.cells[ROW][place]), {name: cell for name, cell in zip(grid.columns, head[place], strict=True) if cell.strip()}


def _fullest(head: list[list[str]]) -> int:
    counts = [sum(1 for cell in row if cell.strip() and not _FIGURE.search(cell)) for row in head[:30]]
    return counts.index(max(counts))
