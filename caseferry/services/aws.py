"""Speaking with AWS's interfaces, whoever answers: clients, and what an answer that is none means."""

import threading
import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError as ParserError
from urllib3.exceptions import HTTPError

from caseferry.errors import PassingFault, StorageRefused

if TYPE_CHECKING:
    from config.settings import S3Settings

T = TypeVar("T")
LOST = {"PreconditionFailed", "412"}
RACED = {"ConditionalRequestConflict", "409", "OperationAborted"}
GONE = {"NoSuchKey", "404", "NotFound", "NoSuchVersion"}
_FLIPPED = {"SignatureDoesNotMatch"}
"""What was sent is not what arrived. Other words for it are no refusals anyway."""
_CLOCK = {"RequestTimeTooSkewed", "RequestExpired"}
_ELSEWHERE = {"NoSuchBucket", "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "301"}
TRIES = 4
"""How often bytes that were cut or flipped on the way are asked for again at once."""


@cache
def _session() -> boto3.session.Session:
    """One for each process: what it has read of AWS's description of its services serves every client."""
    session = botocore.session.get_session()
    # We never look at an object's time; reading it from each line of a listing took half of the listing.
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=str)
    return boto3.session.Session(botocore_session=session)


_making = threading.Lock()


def make_client(service: str, settings: "S3Settings") -> Any:
    """A boto3 client for S3 or SQS, patient enough for a busy server (four 503 in a row end the default one)."""
    with _making:  # a session is no two threads' at a time; its clients are anybody's
        return _client(service, settings)


def _client(service: str, settings: "S3Settings") -> Any:
    return _session().client(
        service,  # type: ignore[call-overload]
        endpoint_url=str(settings.endpoint).rstrip("/") if settings.endpoint else None,
        region_name=settings.region,
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key.get_secret_value() if settings.secret_key else None,
        config=Config(
            retries={"mode": "standard", "total_max_attempts": 7},
            connect_timeout=5,
            read_timeout=settings.timeout.total_seconds(),
            user_agent="caseferry",  # else botocore puts a long one together, twice for each request: a tenth of its time
            # What is sent goes with a checksum that we make and the server holds it against; signing every byte of it
            # too, and adding up every byte that comes back a second time, is what most of a request's time went to.
            s3={"addressing_style": "path" if settings.endpoint else "auto", "payload_signing_enabled": False},
            response_checksum_validation="when_required",
        ),
    )


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def ask(call: Callable[[], T]) -> T:
    """The answer. What may pass by itself comes back as a passing fault, what needs a person as a refusal; neither
    with any key in its text. A refusal is believed when it is repeated: a bit may have flipped in our own name.
    """
    for attempt in range(TRIES):
        try:
            return call()
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            code = code_of(error)
            if code in LOST | RACED | GONE:
                raise
            if status >= 500 or code in {"SlowDown", "RequestTimeout", "ThrottlingException"}:
                raise PassingFault("the object store is busy") from error
            refusal = "" if code in _FLIPPED else _refusal(code, status)
            if not refusal:
                raise PassingFault("the object store did not understand what reached it") from error
            if attempt == TRIES - 1:
                raise StorageRefused(refusal, error.operation_name) from error
            time.sleep(0.1)
        except (BotoCoreError, HTTPError, ParserError, ValueError) as error:  # a header that makes no sense is a ValueError
            raise PassingFault("the object store does not answer") from error
    raise PassingFault("the object store does not answer")


def _refusal(code: str, status: int) -> str:
    if code in _CLOCK:
        return "CF-143"
    if code in _ELSEWHERE or status == 301:
        return "CF-144"
    if code.startswith("KMS"):
        return "CF-142"
    return "CF-116" if status in {401, 403} else ""
