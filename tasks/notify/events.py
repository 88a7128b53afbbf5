"""The catalogue of events. Counts, codes and sums only: no client's text can stand in one, the models have no room."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Amount = Annotated[str, Field(pattern=r"^-?\d+\.\d\d$", description="decimal string")]


class Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    job_id: str
    firm_id: str
    status: str


class Upload(BaseModel):
    key_hash: str = Field(description="sha256 of the object's key")
    size: int
    sha256: str


class Received(Data):
    object: Upload
    files: int
    refused_files: int
    duplicate_files: int


class Rejected(Data):
    code: str
    safe: str
    do: str


class Quality(BaseModel):
    type: str
    rows: int
    score: int
    empty_key_fields: int
    bad_formats: int
    duplicates: int
    orphans: int


class Started(Data):
    source: str
    confidence: float
    parts: int
    rows_found: int
    quality: list[Quality]
    not_taken: int = Field(description="lists of kinds the target does not take")
    unknown: int = Field(description="lists nobody knows")


class Progress(Data):
    stage: str
    parts_done: int
    parts_total: int


class PartEvent(Data):
    part_id: str
    attempt: int = 0
    code: str = ""
    rows_affected: int = 0


class Group(BaseModel):
    rule: str
    count: int
    has_proposal: bool


class NeedsDecision(Data):
    groups: list[Group]
    review_url: str


class DecisionRecorded(Data):
    step: str
    answers: int


class Stage(Data):
    parts: int = 0
    files: int = 0


class Count(BaseModel):
    exported: int
    accepted: int
    rejected: int
    merged: int
    not_taken: int


class ControlTotal(BaseModel):
    name: str
    currency: str
    exported: Amount
    written: Amount
    difference: Amount


class TargetCount(BaseModel):
    target: str
    state: str
    in_files: int
    waiting: int = Field(description="records that lack what the target requires")
    not_held: int = Field(description="records the target has no place for")


class Verified(Data):
    counts: dict[str, Count]
    targets: list[TargetCount] = Field(default=[], description="each mapped target by itself")
    control_totals: list[ControlTotal]
    differences: int
    review_url: str
    api_url: str


class Failed(Data):
    code: str
    safe: str
    do: str
    retryable: bool


class Test(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    message: str


CATALOGUE: dict[str, tuple[type[BaseModel], str]] = {
    "endpoint.test": (Test, "an endpoint is tried"),
    "export.received": (Received, "an upload is claimed, stored and hashed"),
    "export.rejected": (Rejected, "an upload can't be taken"),
    "job.started": (Started, "the lists are told and cut into parts"),
    "job.progress": (Progress, "parts are done; at most one each 10 seconds and 5 percent"),
    "job.part_retried": (PartEvent, "a part runs again"),
    "job.part_quarantined": (PartEvent, "a part is put aside"),
    "job.needs_decision": (NeedsDecision, "a person must answer"),
    "job.decision_recorded": (DecisionRecorded, "a person answered"),
    "job.transformed": (Stage, "every part is done"),
    "job.merged": (Stage, "the files are written"),
    "job.verified": (Verified, "everything was counted again and adds up"),
    "job.verification_failed": (Verified, "the count does not add up; nothing is ready"),
    "job.failed": (Failed, "the run ended without a result"),
}


def schema_of(kind: str) -> dict[str, Any]:
    """The JSON Schema of one event's `data`."""
    model, when = CATALOGUE[kind]
    schema = model.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"{kind}/1.json", "description": when, **schema}


def checked(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """The data as the event carries it; a field the catalogue does not name is refused."""
    return CATALOGUE[kind][0].model_validate(data).model_dump(mode="json")
