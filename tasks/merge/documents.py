"""The firm's documents: a manifest with size, hash and matter. Off by default; then they are counted and left."""

import polars as pl

from caseferry.manifest import Finding
from caseferry.mapping.names import number_key
from caseferry.reading.grid import ROW
from caseferry.reading.kinds import Kind
from tasks.merge.desk import Desk
from tasks.transform.sheet import PLACE, REASON

_PAPERS = {Kind.PDF, Kind.DOCUMENT, Kind.MAIL, Kind.JSON}
_OURS = "migration.json"
_TEMPLATE = r"(?i)\.(dot|dotx|dotm|ott|oft|xltx)$|template"
"""What a template's path looks like. One that lies in a matter is that matter's paper."""


def documents(desk: Desk, numbers: pl.DataFrame) -> None:
    """Put the documents on the desk as a record type of their own: a row is a file."""
    listed = {(table.file) for table in desk.split.tables} | {table.file for table in desk.split.unknown}
    papers = [
        kept for kept in desk.intake.files
        if kept.name.rsplit("/", 1)[-1] != _OURS
        and (kept.kind in _PAPERS or (kept.kind == Kind.DELIMITED and kept.name not in listed) or (kept.kind == "duplicate" and "/" in kept.name))
    ]  # fmt: skip
    if not papers:
        return
    frame = pl.DataFrame(
        {
            "table": ["documents"] * len(papers), "path": [kept.name for kept in papers],
            "size": [str(kept.size) for kept in papers], "sha256": [kept.sha256 for kept in papers],
        }
    ).with_row_index(ROW, offset=1)  # fmt: skip
    wanted = desk.migration.options.documents
    place, reason = ("carried", None) if wanted else ("excluded", "documents")
    frame = frame.with_columns(pl.lit(place).alias(PLACE), pl.lit(reason, pl.String).alias(REASON))
    staying = pl.DataFrame({"matter_key": desk.staying, "number": desk.staying})
    frame = _matter_of_path(frame, pl.concat([numbers.select("matter_key", "number"), staying]))
    of_two = pl.col("matter").is_in(numbers.filter("several")["number"].implode())
    desk.records["document"] = frame.with_columns(of_two.alias("of_two"))
    desk.find("document", pl.col("of_two"), "path", "matter_number_of_two", "emptied", pl.col("matter"))
    desk.records["document"] = desk.records["document"].with_columns(pl.when(~of_two.fill_null(False)).then("matter").alias("matter"))
    desk.find("document", pl.col("matter").is_in(desk.staying.implode()), "path", "open_matter_stays", "excluded")
    desk.find("document", pl.col("matter").is_null() & pl.col("path").str.contains(_TEMPLATE), "path", "document_template", "excluded", pl.col("path"))
    desk.find("document", pl.col("matter").is_null() & ~pl.col("of_two").fill_null(False), "path", "document_without_matter", "carried", pl.col("path"))
    if wanted:
        attached = [desk.files["documents"]] if "documents" in desk.files else []
        own = desk.carried("document").select("table", pl.col(ROW).cast(pl.UInt32), "path", "size", "sha256", "matter")
        desk.files["documents"] = pl.concat([own, *(some.select(own.columns) for some in attached)], how="vertical_relaxed")
        desk.files["document_paths"] = _path_map(desk.carried("document"))
        total = sum(kept.size for kept in papers)
        desk.notes.append(Finding(rule="documents_in_scope", where="documents", count=len(papers), detail=f"{total} bytes"))


def _matter_of_path(frame: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    """The matter whose number a folder of the path is, or begins with; the deepest such folder counts."""
    steps = frame.select(ROW, pl.col("path").str.split("/").list.slice(0, pl.col("path").str.count_matches("/")).alias("step"))
    steps = steps.explode("step").with_columns(pl.int_range(pl.len()).over(ROW).alias("depth")).drop_nulls("step")
    whole, head = number_key(pl.col("step")), number_key(pl.col("step").str.extract(r"^\s*([^\s_]*\d[^\s_]*)"))
    known = numbers.select("matter_key", "number")
    found = pl.concat([
        steps.select(ROW, "depth", whole.alias("matter_key"), pl.lit(0).alias("by")).join(known, on="matter_key"),
        steps.select(ROW, "depth", head.alias("matter_key"), pl.lit(1).alias("by")).join(known, on="matter_key"),
    ]).sort(ROW, "depth", "by", descending=[False, True, False])  # fmt: skip
    best = found.unique(ROW, keep="first", maintain_order=True).select(ROW, pl.col("number").alias("matter"))
    return frame.join(best, on=ROW, how="left", maintain_order="left")


_FORBIDDEN = r'[<>:"|?*\\\x00-\x1f]'
_LONGEST, _LONGEST_NAME = 400, 255
"""Characters of a path, and of one name in it, that common drives take."""


def _path_map(frame: pl.DataFrame) -> pl.DataFrame:
    """Paths that can't stay as they are, and those no matter was found for: old, new, and why."""
    new = pl.col("path").str.normalize("NFC").str.replace_all(_FORBIDDEN, "_").str.replace_all(r"[ .]+(/|$)", "${1}")
    names = new.str.split("/").list.eval(pl.element().str.len_chars()).list.max()
    told = frame.with_columns(new.alias("new"), names.alias("longest")).with_columns(
        pl.when(pl.col("new") != pl.col("path")).then(pl.lit("characters that drives do not take"))
        .when((pl.col("longest") > _LONGEST_NAME) | (pl.col("new").str.len_chars() > _LONGEST)).then(pl.lit("too long for common drives: shorten it by hand"))
        .when(pl.col("matter").is_null()).then(pl.lit("no folder of the path carries a matter number")).alias("why")
    )  # fmt: skip
    return told.filter(pl.col("why").is_not_null()).select("table", ROW, pl.col("path").alias("old_path"), pl.col("new").alias("new_path"), "why")
