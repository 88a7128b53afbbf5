"""Import files, byte for byte as the target wants them; and what it has no file for, plainly marked as no import."""

import io
from dataclasses import dataclass

import polars as pl

from caseferry.canonical import sha256
from caseferry.errors import ExportRefused
from caseferry.manifest import Finding, ImportFile
from caseferry.mapping.headings import normal
from caseferry.mapping.target import Target, TargetFile
from caseferry.reading.grid import ROW
from caseferry.reading.guard import WORKS, ask
from config.limits import ReadingLimits
from tasks.merge.desk import Desk

MARK = "NOT-AN-IMPORT-FILE"


@dataclass(frozen=True)
class Template:
    """A template file the firm downloaded: its own header, and which of our columns each heading takes."""

    file: str
    header: tuple[str, ...]
    columns: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Written:
    entry: ImportFile
    data: bytes
    lineage: pl.DataFrame
    """`file`, `line` (from 2, the header is 1), `table`, `row`."""


def read_template(data: bytes, name: str, target: Target, limits: ReadingLimits) -> Template | Finding:
    """Which file of the target a template is, by its headings; or why it is none."""
    try:
        cells = ask(f"{WORKS}heading_row", data, name, limits).made
    except ExportRefused as refusal:
        return Finding(rule="template_not_recognised", where=name, detail=refusal.code, outcome="noted")
    header = tuple(cell.strip() for cell in cells if cell.strip())
    best: tuple[float, str, tuple[str, ...]] | None = None
    for file, spec in target.files.items():
        aliases = spec.aliases()
        columns = tuple(aliases.get(normal(heading), "") for heading in header)
        matched = [column for column in columns if column]
        known = set(matched)
        wanted = set(spec.needs or spec.marks)
        if not wanted or not wanted <= known or len(matched) != len(known):
            continue
        score = len(matched) / len(header) + 0.01 * len(known & set(spec.marks))
        if best is None or score > best[0]:
            best = (score, file, columns)
    if best is None:
        return Finding(rule="template_not_recognised", where=name, detail="CF-133", outcome="noted")
    return Template(best[1], header, best[2], name)


def write_files(desk: Desk, templates: dict[str, Template]) -> list[Written]:
    """Every file, in import order; the safe way for a file with users is one for each."""
    written: list[Written] = []
    for name, spec in sorted(desk.target.files.items(), key=lambda item: item[1].order):
        lines = desk.files.get(name)
        if lines is None or lines.is_empty():
            continue
        template = templates.get(name)
        if template is None and spec.known:
            template = Template(name, tuple(spec.columns), tuple(spec.columns), "")
        if spec.per_user and template is not None:
            users = {user.name: number for number, user in enumerate(desk.migration.users, 1)}
            for user in lines[spec.per_user].unique(maintain_order=True).sort().to_list():
                some = lines.filter(pl.col(spec.per_user).eq_missing(user))
                written.append(_write(desk.target, name, spec, some, template, f"user-{users.get(user, 0):02d}", user or ""))
        else:
            written.append(_write(desk.target, name, spec, lines, template, "", ""))
    return written


def _write(target: Target, name: str, spec: TargetFile, lines: pl.DataFrame, template: Template | None, part: str, user: str) -> Written:
    if template is None:
        header = columns = tuple(spec.columns)
        file = f"{MARK}_{name}.csv"
        note = "no template of the target was given; its header is not published"
    else:
        header, columns = template.header, template.columns
        file = f"{spec.order:02d}_{name}{'_' + part if part else ''}.csv"
        note = spec.upload_as
    values = [
        (pl.col(column) if column and column in lines.columns else pl.lit(None, pl.String)).cast(pl.String).alias(f"{place}")
        for place, column in enumerate(columns)
    ]
    data = to_csv(lines.select(values), header, target)
    lineage = lines.select(
        pl.lit(file).alias("file"), pl.int_range(2, pl.len() + 2, dtype=pl.UInt32).alias("line"), pl.col("table").cast(pl.String), pl.col(ROW).cast(pl.UInt32)
    )
    entry = ImportFile(
        name=file, record=spec.record, rows=lines.height, sha256=sha256(data), is_import=template is not None,
        order=spec.order, header=header, user=user, note=note,
    )  # fmt: skip
    return Written(entry, data, lineage)


def to_csv(lines: pl.DataFrame, header: tuple[str, ...], target: Target) -> bytes:
    """Every field quoted, no byte of a value changed: a leading `-`, `+` or `=` is the client's own."""
    buffer = io.BytesIO()
    head = pl.DataFrame([list(header)], schema=lines.columns, orient="row") if lines.columns else lines
    pl.concat([head, lines.cast(pl.String)]).write_csv(
        buffer, include_header=False, quote_style="always", line_terminator=target.csv.line_ending, null_value=""
    )
    return b"\xef\xbb\xbf" + buffer.getvalue() if target.csv.encoding == "utf-8-sig" else buffer.getvalue()
