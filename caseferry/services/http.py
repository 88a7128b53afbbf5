"""The one way out: a webhook's address is resolved once, checked, and connected to as it was checked.

Neither redirects nor a second look-up can send a firm's events elsewhere. Libraries that check addresses were tried;
each let some of the table below through (docs/decisions/0005).
"""

import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import httpx2

T = TypeVar("T")
PORTS = frozenset({443, 8443})
_ODD = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2000-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_REFUSED = tuple(ipaddress.ip_network(text) for text in (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "::ffff:0:0/96", "::ffff:0:0:0/96", "::/96", "64:ff9b::/96", "64:ff9b:1::/48",
    "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10",
    "fec0::/10", "ff00::/8",
))  # fmt: skip


@dataclass(eq=False)
class AddressRefused(ValueError):
    """The address is not one we send to. Says what about it, not what it is."""

    why: str

    def __post_init__(self) -> None:
        super().__init__(self.why)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str] = field(default_factory=dict)


def check_address(url: str, allowed: Sequence[Network] = (), ports: Collection[int] = PORTS) -> tuple[str, str, int]:
    """Host, the one IP address to connect to, and port. The name is resolved once, here.

    Raises:
        AddressRefused: not https, credentials or unseen characters in it, a port nobody serves webhooks at, no such
            host, or any of its addresses is not public.
    """
    if _ODD.search(url):
        raise AddressRefused("it holds characters an address can't")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise AddressRefused("it is not an https address") from None
    if parts.scheme not in {"https", "http"} or not host:
        raise AddressRefused("it is not an https address")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("it holds a user name or password")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(str(item[4][0]).split("%")[0]) for item in found]
    except (OSError, UnicodeError, ValueError):
        raise AddressRefused("there is no such host") from None
    inside = [any(address in network for network in allowed if network.version == address.version) for address in addresses]
    for address, own in zip(addresses, inside, strict=True):
        if not own and any(address in network for network in _REFUSED if network.version == address.version):
            raise AddressRefused("it resolves to a private address")
    if not addresses:
        raise AddressRefused("there is no such host")
    if parts.scheme == "http" and not all(inside):
        raise AddressRefused("it is not an https address")
    if port not in ports and not all(inside):
        raise AddressRefused("its port is not one webhooks are served at")
    return host, str(addresses[0]), port


def post(
    url: str, body: bytes, headers: dict[str, str], allowed: Sequence[Network], deadline: timedelta, most: int, *,
    ports: Collection[int] = PORTS, authorities: Path | None = None,
) -> Reply:  # fmt: skip
    """Send once. No redirects; the whole exchange, looking up the name included, has one deadline; of the reply no more
    than `most` bytes are read, and none of them unpacked.

    Args:
        authorities: a file of certificates to trust beside the usual ones.

    Raises:
        AddressRefused: see `check_address`.
        ConnectionError: nobody answered in time, or not in HTTP, or under another name.
    """
    ends = time.monotonic() + deadline.total_seconds()
    host, address, port = _in_time(lambda: check_address(url, allowed, ports), ends)
    parts = urlsplit(url)
    literal = f"[{address}]" if ":" in address else address
    target = f"{parts.scheme}://{literal}:{port}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")
    name = f"[{host}]" if ":" in host else host
    shown = name if port == (443 if parts.scheme == "https" else 80) else f"{name}:{port}"
    left = max(0.01, ends - time.monotonic())
    client = httpx2.Client(timeout=httpx2.Timeout(left), follow_redirects=False, trust_env=False, verify=_trust(authorities))
    given = {**headers, "host": shown, "accept-encoding": "identity"}
    request = client.build_request("POST", target, content=body, headers=given, extensions={"sni_hostname": host})

    def exchange() -> Reply:
        try:
            size = 0
            answer = client.send(request, stream=True)
            try:
                for chunk in answer.iter_raw(4096):
                    size += len(chunk)
                    if size > most or time.monotonic() > ends:
                        break
            finally:
                answer.close()
            return Reply(answer.status_code, {k.casefold(): v for k, v in answer.headers.items()})
        except (httpx2.HTTPError, RuntimeError, OSError) as error:
            raise ConnectionError(type(error).__name__) from None
        finally:
            client.close()

    return _in_time(exchange, ends, client.close)


@cache
def _trust(authorities: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if authorities is not None:
        context.load_verify_locations(authorities)
    return context


def _in_time(call: Callable[[], T], ends: float, hang_up: Callable[[], None] | None = None) -> T:
    """What a call gives, if it gives it in time. One that does not is left to itself, its line closed again and again:
    a line that is only being set up can't be closed yet, and no read times out on a reply that drips.
    """
    made: list[T] = []
    failed: list[Exception] = []

    def run() -> None:
        try:
            made.append(call())
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(max(0.01, ends - time.monotonic()))
    if failed:
        raise failed[0]
    if made:
        return made[0]
    if hang_up is not None:
        threading.Thread(target=_close, args=(thread, hang_up), daemon=True).start()
    raise ConnectionError("DeadlinePassed")


def _close(thread: threading.Thread, hang_up: Callable[[], None]) -> None:
    while thread.is_alive():
        with suppress(Exception):
            hang_up()
        thread.join(0.5)
