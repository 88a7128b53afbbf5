"""A part whose columns come by number gives what it gives in full: records, findings and changes."""

import io
import json
from pathlib import Path

import pytest

from caseferry import coded, tables
from caseferry.noted import Noted
from caseferry.services.folder import FolderStore
from tasks.intake.arrive import arrive
from tasks.journey import next_steps, parts_of
from tasks.stage import perform, present, run_of
from tasks.transform.rows import Result, transform_table
from tasks.transform.task import _job
from tests.conftest import SAMPLE
from tests.crossing import CHOICES, firm, packed
from workers.commands.crossing import local_services

_ODD = """Date,Matter No,Staff,Hours,Rate,Amount,Billed,Narrative
31/05/2024,24-0001,JD,1.5,200,300.00,No,call
31/05/2024,24-0001,JD,,,50.00,No,flat fee
45000,24-0001 ,JD,0,,5.00,No,no hours
31/05/2024,24-0001,JD,1:30,,300.00,No,
,24-0001,,2,"$1,000.00",2000.00,Yes,=SUM(A1)
rubbish,,JD,x,n/a,n/a,perhaps,"a ""quoted"" word"
"""


@pytest.mark.parametrize("name", ["sample", "odd"])
def test_by_number_or_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    services = local_services(FolderStore(tmp_path))
    is_sample = name == "sample"
    services.store.put("drops/b/o/migration.json", (SAMPLE / "migration.json").read_bytes() if is_sample else json.dumps(CHOICES).encode())
    services.store.put("drops/b/o/export.zip", (SAMPLE / "LEAP-export.zip").read_bytes() if is_sample else packed(firm(time=_ODD)))
    tickets = arrive(services, "drops/b/o/export.zip")
    run = run_of(tickets[0])
    while tickets[0].step != "transform":
        perform(services, tickets[0])
        tickets = next_steps((run.firm, run.migration, run.run), present(services.store, run))
    assert len(parts_of(present(services.store, run))) > 2
    for ticket in tickets:
        job = _job(services, ticket)
        cells = tables.cells_of(services.store.get(run.at("1-split", "parts", f"{ticket.part}.zip")))
        full = transform_table(cells, job)
        monkeypatch.setattr(tables, "_LONG", 1)
        for many in (0.0, 0.93):
            monkeypatch.setattr(coded, "_MANY", many)
            for together in (1, 250):
                monkeypatch.setattr(coded, "_TOGETHER", together)
                buffer = io.BytesIO()
                tables.write_cells(cells, buffer)
                numbers, texts = tables.cells_by_number(buffer.getvalue())
                _are_equal(full, transform_table(numbers, job, texts))
        assert texts
        monkeypatch.setattr(tables, "_LONG", 5_000)


def _are_equal(full: Result, numbered: Result) -> None:
    assert numbered.records.equals(full.records) and numbered.records.schema == full.records.schema
    for one, other in ((full.findings, numbered.findings), (full.changes, numbered.changes)):
        assert one.frame.equals(other.frame)
    buffer = io.BytesIO()
    tables.write_tables(numbered.tables(), buffer, numbered.texts)
    archive = tables.read_tables(buffer.getvalue())
    assert tables.table_of(archive, "records").equals(full.records)
    assert Noted.of(archive, "changes").frame.equals(full.changes.frame)
