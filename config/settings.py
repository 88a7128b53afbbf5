"""The environment, typed. Every setting is `CASEFERRY_<GROUP>__<NAME>`; a misspelt one is refused.

Order: environment, then `.env`, then the default, which suits a laptop. Secrets never print.
"""

import base64
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.limits import ReadingLimits


class Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)  # a refused secret is not repeated


class S3Settings(Group):
    """The bucket, and who we are there."""

    bucket: str = "caseferry"
    endpoint: HttpUrl | None = None
    """Empty for AWS; an address for any other S3 server."""
    region: str = "us-east-1"
    access_key: str | None = None
    secret_key: SecretStr | None = None
    """Both empty: the machine's own role."""
    encryption: Literal["AES256", "aws:kms", "none"] = "AES256"
    kms_key: str | None = None
    timeout: timedelta = timedelta(seconds=10)
    """How long the bucket may be silent in the middle of an answer."""


class BrokerSettings(Group):
    """Who carries the messages. They hold ids only, and may be lost: the bucket knows what is open."""

    url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    """redis:// (Redis, Valkey), rediss://, sentinel:// (several divided by semicolons), amqp:// (RabbitMQ), sqs://."""
    master_name: str = ""
    """For sentinel://: what the sentinels call the servers they watch."""
    visibility_timeout: timedelta = timedelta(minutes=30)
    """An unacknowledged task is handed out again after this: longer than any task may take."""
    queue_prefix: str = "caseferry"
    is_secure: bool = True
    """For SQS: speak TLS. Off only for a local emulator."""
    region: str = "us-east-1"

    @model_validator(mode="after")
    def _has_a_master(self) -> "BrokerSettings":
        if self.url.get_secret_value().startswith("sentinel") and not self.master_name:
            raise ValueError("sentinels are asked for a master by name: set master_name")
        return self


class EventSettings(Group):
    """How uploads are heard of. Several may be on at once."""

    webhook_port: int | None = None
    webhook_host: str = "127.0.0.1"
    webhook_token: SecretStr | None = None
    """What the bucket's server sends as `Authorization: Bearer`."""
    sqs_queue_url: str | None = None
    sqs_endpoint: HttpUrl | None = None
    redis_url: SecretStr | None = None
    redis_key: str = "bucketevents"
    """The list a MinIO-style server pushes its events to."""


class WorkSettings(Group):
    """How a run is cut and carried."""

    part_rows: int = Field(default=96_000, ge=1)
    """Rows of a part, which one task transforms."""
    batch_rows: int = Field(default=96_000, ge=1)
    """Rows that are merged, and verified, at a time."""
    portion_bytes: int = Field(default=20 << 20, ge=1)
    """Text of a part, and of a batch: where rows are long, fewer of them are taken at a time."""
    load_rows: int = Field(default=8_000, ge=1)
    """Rows of a small run, one of no more rows than a part may have, that one task transforms, part after part."""
    window: int = Field(default=8, ge=1)
    """Parts of one run that may wait or run at a time, so a small firm never stands behind a large one."""
    long_bytes: int = Field(default=32 << 20, ge=1)
    """A run of more bytes than this has a queue of its own, `long`: of the upload on its way in, from then on of what is read."""
    lay_window: int = Field(default=1, ge=1)
    """The same of tasks that lay batches of one run behind its first, side by side. One: the merge lays all of them itself."""
    count_window: int = Field(default=2, ge=1)
    """The same of what is counted again of one run: as many as there are workers to spare for the largest firms."""
    task_seconds: int = 600
    """How long a step may take; of a long run, which lets others go first, two and a half times as long."""
    reconcile_every: timedelta = timedelta(seconds=10)
    """How often open runs are looked at."""
    sweep_every: timedelta = timedelta(seconds=60)
    """How often drops are looked through for uploads whose event never came."""
    stalled_after: timedelta = timedelta(seconds=20)
    """A step nobody began is sent again after this; then after twice as long, and so on."""
    heartbeat: timedelta = timedelta(seconds=5)
    """How often the holder of a step says that it lives."""
    silent_after: timedelta = timedelta(seconds=20)
    """A holder not heard of for so long is pronounced dead, and the step given to another."""
    deaf_after: timedelta = timedelta(minutes=5)
    """A worker that has nothing in hand and takes none of the messages that wait for it so long ends itself. Asked is Redis alone."""
    stop_within: timedelta = timedelta(seconds=30)
    """A worker that is told to stop finishes what it can in this time and hands the rest back."""
    firms: tuple[str, ...] = ()
    """Only these firms' runs and drops are looked at: for a worker whose role may see no others."""
    attempts: int = 3
    """A part that ended its process this often is quarantined."""
    step_attempts: int = 6
    """Any other step that ended its process this often ends the run: more often than a part, for it costs all of it."""


class LimitSettings(ReadingLimits):
    """What a drop may be. Passing one is an answer to the firm, never a crash."""

    upload_bytes: int = 10 << 30
    """Of one drop, as it comes."""
    nesting: int = 1
    """How deep archives in archives are opened."""


class WebhookEndpoint(Group):
    id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")
    url: str
    secret: SecretStr
    """`whsec_` and base64, as Standard Webhooks writes it."""
    previous_secret: SecretStr | None = None
    firm: str | None = None
    """Only this firm's events; empty for all."""
    events: tuple[str, ...] = ("*",)
    totals: bool = True
    """Whether control totals may stand in the events."""


class WebhookSettings(Group):
    endpoints: tuple[WebhookEndpoint, ...] = ()
    allow_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Private networks a self-hosted receiver may stand in; http is allowed there too."""
    allow_ports: tuple[int, ...] = (443, 8443)
    """Ports a receiver may stand at; inside an allowed network it may be any."""
    authorities: Path | None = None
    """A file of certificates to trust beside the usual ones, for receivers of your own."""
    deadline: timedelta = timedelta(seconds=15)
    """For one delivery, from looking up the name to the end of the reply."""
    reply_bytes: int = 65_536
    retries: tuple[int, ...] = (0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
    """Seconds to wait before each attempt."""
    public_url: str = "https://caseferry.invalid"
    """Where `review_url` and `api_url` of an event point."""


class AuditSettings(Group):
    """What the log of a run is signed with."""

    key: SecretStr | None = None
    """32 bytes in base64; `caseferry audit key` makes one. Without it the log is chained, not signed."""
    public_key: str | None = None
    """What signatures are held against, where the secret key is not at hand."""

    @field_validator("key")
    @classmethod
    def _is_a_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(base64.b64decode(value.get_secret_value(), validate=True)) != 32:
            raise ValueError("an audit key is 32 bytes in base64")
        return value


class LogSettings(Group):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "console"] = "json"


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="CASEFERRY_", env_nested_delimiter="__", env_file=".env", extra="forbid", frozen=True, hide_input_in_errors=True
    )
    s3: S3Settings = S3Settings()
    broker: BrokerSettings = BrokerSettings()
    events: EventSettings = EventSettings()
    work: WorkSettings = WorkSettings()
    limits: LimitSettings = LimitSettings()
    webhook: WebhookSettings = WebhookSettings()
    audit: AuditSettings = AuditSettings()
    log: LogSettings = LogSettings()
    allow: tuple[str, ...] = ()
    """Conditions of `caseferry doctor` a worker starts without, by name."""
    state: Path = Path("caseferry-state")
    """Where `caseferry up` keeps its servers' data."""
