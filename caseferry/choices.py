"""What a firm tells us about its migration: `migration.json`, checked when a run is admitted.

Every model is frozen and refuses keys it does not know, so a misspelt choice is a message, never a silent default.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from caseferry.manifest import PORTAL_MESSAGES
from caseferry.mapping.layers import as_key, laid_over
from caseferry.mapping.mapped import MappedTarget, is_mapped, known_targets, load_mapped
from caseferry.mapping.profile import Profile, known_sources, load_profile
from caseferry.model import Model
from caseferry.reading.zones import known as known_zones
from caseferry.records import RECORDS
from caseferry.records.neutral import NEUTRAL


class Region(StrEnum):
    """Where the target account lives; it decides the date format and which fields exist."""

    US = "us"
    CA = "ca"
    UK = "uk"
    EU = "eu"
    AU = "au"


CURRENCY = {Region.US: "USD", Region.CA: "CAD", Region.UK: "GBP", Region.EU: "EUR", Region.AU: "AUD"}
DateOrder = Literal["dmy", "mdy"]
NEUTRAL_PACKAGE = "neutral"
ENCODINGS = ("cp1252", "cp1250", "cp850", "mac_roman", "utf-8", "utf-16", "latin-1", "cp1251", "cp1253", "cp1254")


class User(Model):
    """A person with a login in the target."""

    name: str = Field(min_length=1, description="full name, exactly as the target shows it")
    email: str = Field(min_length=3)
    id: str = ""
    aliases: tuple[str, ...] = Field(default=(), description="initials or other spellings the old system uses")
    ids: dict[str, str] = Field(default_factory=dict, description="the id this user has in a mapped target, by the target's name")
    licence: Literal["active", "none"] = Field(default="active", description="`none`: invited or left")

    @field_validator("email")
    @classmethod
    def _looks_like_email(cls, value: str) -> str:
        if "@" not in value.strip("@"):
            raise ValueError("an e-mail address has one @, with text on both sides")
        return value


class CustomField(Model):
    """A field the target has, or will have, beside its own."""

    name: str
    parent: Literal["Contact", "Matter"]
    type: str = "text_line"


class Options(Model):
    """The firm's choices for this migration. All are off, or asked for, until chosen."""

    dates: DateOrder | dict[str, DateOrder] | None = Field(
        default=None, description="order of dates that no other date decides; per `table.field` if a mapping"
    )
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$", description="ISO 4217; else the region's")
    documents: bool = Field(default=False, description="carry the documents into the manifest of files to upload")
    expenses: bool = Field(default=False, description="carry unbilled expenses too")
    fixes: tuple[str, ...] = Field(default=(), description="rules whose proposed fix is approved")
    target_numbering: bool = Field(default=False, description="the target numbers matters in its own format")
    require_acknowledgement: bool | None = Field(default=None, description="hold until the scope is acknowledged; else only where a map has to be approved")
    require_approval: bool = Field(default=False, description="hold until the field map is approved, and every column with values decided about, also for targets that do not ask")
    encoding: str | dict[str, str] | None = Field(
        default=None, description="what text is written in where its bytes leave it open: `cp850`; per file if a mapping"
    )
    date_format: str | None = Field(default=None, description="strftime; else the target profile's for the region")
    status_map: dict[str, Literal["Open", "Closed", "Pending"]] = Field(default_factory=dict)
    value_maps: dict[Literal["type", "country"], dict[str, str]] = Field(
        default_factory=dict, description="words of the old system for matter types and countries, and the firm's own for them"
    )
    trust_stays: str = Field(default="", description="where trust money lives from now on; then no file holds a line of it")
    open_matters_stay: bool = Field(default=False, description="open matters, and what hangs on them, stay until they are closed")
    another_follows: bool = Field(default=False, description="another export of this firm follows: keep what is moved, so that it is not moved twice")
    after: str = Field(default="", description="the run of this migration whose files were imported: what it moved is linked to, and not moved again")
    recurrence: Literal["keep", "expand"] = Field(
        default="keep", description="events that repeat: one event with its rule, or one for each time until two years after the export"
    )
    mid_month_confirmed: bool = Field(default=False, description="open invoices are moved although their day is no month's end")
    decisions: dict[str, str] = Field(
        default_factory=dict, description="what becomes of records a target has no place for, per `target.records`, or `target.portal_messages`"
    )
    unknown_columns: Literal["ask", "archive", "custom_field"] = Field(
        default="ask", description="columns nobody knows: asked about before files are released, archived, or made custom fields"
    )
    show_samples: bool = Field(default=False, description="the field map shows values as they are, not masked")
    sample_seed: int = 1

    @field_validator("encoding")
    @classmethod
    def _is_an_encoding(cls, value: str | dict[str, str] | None) -> str | dict[str, str] | None:
        for name in value.values() if isinstance(value, dict) else [value] if value else []:
            if name not in ENCODINGS:
                raise ValueError(f"not an encoding we read; there are: {', '.join(ENCODINGS)}")
        return value

    @property
    def keeps_what_moves(self) -> bool:
        """A later run will want to know what this one moved."""
        return self.open_matters_stay or self.another_follows or bool(self.after)

    def encoding_of(self, file: str) -> str:
        """What a person said a file is written in; nothing if nobody did. Marks and UTF-8 speak for themselves."""
        found = self.encoding.get(file, "") if isinstance(self.encoding, dict) else self.encoding
        return found or ""


class Questionnaire(Model):
    """What the firm said when it was asked about its old system. It is kept with the run, and its counts are held against the export."""

    product: str = ""
    version: str = ""
    offices: int | None = None
    volumes: dict[str, int] = Field(default_factory=dict, description="records of each type, as the old system counts them: `contact`, `matter` …")
    wanted: tuple[str, ...] = Field(default=(), description="types the firm wants moved")
    notes: str = ""

    @field_validator("volumes", "wanted")
    @classmethod
    def _are_types(cls, value: Any) -> Any:
        for name in value:
            if name not in {*RECORDS, "document"} - {"excluded"}:
                raise ValueError(f"no such type; there are: {', '.join(sorted({*RECORDS, 'document'} - {'excluded'}))}")
        return value


class Rules(Model):
    """The firm's own rules, laid over the profiles: what they may say is what a profile may say."""

    source: dict[str, Any] = Field(default_factory=dict)
    targets: dict[str, dict[str, Any]] = Field(default_factory=dict)


class Approval(Model):
    """Somebody has read a field map and says it is right."""

    version: str = Field(description="twelve figures, as the field map shows them")
    by: str = Field(min_length=1)


class Migration(Model):
    """`migration.json`: who moves, from where to where, and what was decided."""

    source: str | None = Field(default=None, description="a file of config/sources; else told by the headings")
    target: str = "clio"
    also: tuple[str, ...] = Field(default=(), description="further targets that are fed from the same records")
    rules: Rules = Rules()
    approved_map: Approval | None = None
    region: Region = Region.US
    firm_name: str = ""
    submitter: str = ""
    account_owner: bool | None = Field(default=None, description="is the sender the owner of the old account?")
    users: tuple[User, ...] = ()
    primary_subscriber: str | None = Field(default=None, description="e-mail of the user who takes what nobody owns")
    cut_off: datetime | date | None = Field(default=None, description="entries after this moment are moved by hand")
    time_zone: str | None = Field(default=None, description="IANA name of the zone the old calendar shows")
    acknowledged_by: str | None = None
    existing_custom_fields: tuple[CustomField, ...] = ()
    existing_practice_areas: tuple[str, ...] = ()
    existing_matter_templates: tuple[str, ...] = ()
    questionnaire: Questionnaire = Questionnaire()
    options: Options = Options()

    @field_validator("source", "target")
    @classmethod
    def _is_known(cls, value: str | None, info: ValidationInfo) -> str | None:
        known = known_sources() if info.field_name == "source" else known_targets()
        if value is not None and value not in known:
            raise ValueError(f"there is no such {'source' if info.field_name == 'source' else 'target'}; there are: {', '.join(known)}")
        return value

    @field_validator("also")
    @classmethod
    def _are_known(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        for name in value:
            cls._is_known(name, info)
        return value

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, value: str | None) -> str | None:
        if value is not None and value not in known_zones():
            raise ValueError("not an IANA time zone; write it like Europe/London")
        return value

    @model_validator(mode="after")
    def _primary_is_active(self) -> Self:
        if self.primary_subscriber is not None and self.primary is None:
            raise ValueError("primary_subscriber must be the e-mail of one of `users` whose licence is active")
        emails = [user.email.casefold() for user in self.users]
        if len(set(emails)) != len(emails):
            raise ValueError("two users share one e-mail")
        return self

    @model_validator(mode="after")
    def _rules_hold(self) -> Self:
        if self.rules.source:
            if self.source is None:
                raise ValueError("rules.source: name the source they are for")
            self.profile_of(self.source)
        for name in self.rules.targets:
            if name not in self.targets:
                raise ValueError(f"rules.targets.{name}: it is not a target of this migration")
            if not is_mapped(name):
                raise ValueError(f"rules.targets.{name}: its files follow its own templates, and take no rules")
        for name in self.mapped:
            self.target_of(name)
        for name in self.options.decisions:
            target, _, records = name.partition(".")
            if target not in self.mapped or records not in (*NEUTRAL, PORTAL_MESSAGES):
                raise ValueError(f"options.decisions: {name!r} is no `target.records` of this migration; records are {', '.join((*NEUTRAL, PORTAL_MESSAGES))}")
        return self

    @property
    def targets(self) -> tuple[str, ...]:
        """Every target of the run, the main one first."""
        return tuple(dict.fromkeys((self.target, *self.also)))

    @property
    def wants_approval(self) -> bool:
        """A person approves the field map before a file is written: a target asks for it, or the firm."""
        return self.options.require_approval or any(self.target_of(name).approval for name in self.mapped)

    @property
    def wants_acknowledgement(self) -> bool:
        """A person says first that the scope and its limits were read."""
        asked = self.options.require_acknowledgement
        return self.wants_approval if asked is None else asked

    @property
    def base(self) -> str:
        """The layout the records are brought together in: the first target that has one of its own, else the neutral package."""
        return next((name for name in self.targets if not is_mapped(name)), NEUTRAL_PACKAGE)

    @property
    def mapped(self) -> tuple[str, ...]:
        return tuple(name for name in self.targets if is_mapped(name))

    def target_of(self, name: str) -> MappedTarget:
        """A mapped target with the firm's own rules over it, and the ids its users have there."""
        ids = {user.email: user.ids[name] for user in self.users if name in user.ids}
        files = {
            file: {"columns": {heading: {"values": ids} for heading, cell in spec.columns.items() if cell.users}}
            for file, spec in load_mapped(name).files.items() if any(cell.users for cell in spec.columns.values())
        }  # fmt: skip
        return load_mapped(name, rules=as_key(laid_over({"files": files} if files else {}, self._own_rules(name), "replaced", keep_nothing=True)))

    def rules_of(self, name: str) -> MappedTarget:
        """The same without the ids of users and what else is one account's own: what a person approves, for however many firms."""
        return load_mapped(name, rules=as_key(self._own_rules(name))).without_given()

    def _own_rules(self, name: str) -> dict[str, Any]:
        """What the firm's decisions about a target come to, and its own rules over that."""
        made: dict[str, Any] = {}
        for records, spec in load_mapped(name).not_held.items():
            made = laid_over(made, spec.does.get(self.options.decisions.get(f"{name}.{records}", ""), {}), "replaced", keep_nothing=True)
        return laid_over(made, self.rules.targets.get(name, {}), "replaced", keep_nothing=True)

    def trust_lives(self, product: str) -> str:
        """Where trust money stays, if no file takes it: the firm said so outright, or decided for the old system wherever it goes.

        Args:
            product: the old system.
        """
        if self.options.trust_stays or self.base != NEUTRAL_PACKAGE:
            return self.options.trust_stays
        places = [name for name in self.mapped if "trust_balances" in self.target_of(name).not_held and self.target_of(name).not_held["trust_balances"].choices]
        said = {self.options.decisions.get(f"{name}.trust_balances", "").casefold().removeprefix("keep in ").strip() for name in places}
        one = said.pop() if len(said) == 1 else ""
        return product if one and (product.casefold() == one or product.casefold().startswith(f"{one} ")) else ""

    def profile_of(self, source: str) -> Profile:
        """A source with the firm's own rules over it."""
        return load_profile(source, rules=as_key(self.rules.source))

    @property
    def primary(self) -> User | None:
        wanted = (self.primary_subscriber or "").casefold()
        return next((u for u in self.users if u.email.casefold() == wanted and u.licence == "active"), None)

    @property
    def currency(self) -> str:
        return self.options.currency or CURRENCY[self.region]
