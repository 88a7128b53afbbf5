"""The one way out: a webhook's address is resolved once, checked, and connected to as it was checked.

Neither redirects nor a second look-up can send a firm's events elsewhere. Libraries that check addresses were tried;
each let some of the table below through (docs/decisions/0005).
"""

import ipaddress
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

import httpx2

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_REFUSED = tuple(ipaddress.ip_network(text) for text in (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "::ffff:0:0/96", "::/96", "64:ff9b::/96", "64:ff9b:1::/48",
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


def check_address(url: str, allowed: Sequence[Network] = ()) -> tuple[str, str, int]:
    """Host, the one IP address to connect to, and port.

    Raises:
        AddressRefused: not https, credentials in it, no such host, or any of its addresses is not public.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise AddressRefused("it is not an https address")
    if parts.username or parts.password:
        raise AddressRefused("it holds a user name or password")
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError):
        raise AddressRefused("there is no such host") from None
    addresses = [ipaddress.ip_address(str(item[4][0]).split("%")[0]) for item in found]
    inside = [any(address in network for network in allowed if network.version == address.version) for address in addresses]
    for address, own in zip(addresses, inside, strict=True):
        if not own and any(address in network for network in _REFUSED if network.version == address.version):
            raise AddressRefused("it resolves to a private address")
    if parts.scheme == "http" and not all(inside):
        raise AddressRefused("it is not an https address")
    return parts.hostname, str(addresses[0]), port


def post(url: str, body: bytes, headers: dict[str, str], allowed: Sequence[Network], deadline: timedelta, most: int) -> Reply:
    """Send once. No redirects; the whole exchange has one deadline; of the reply no more than `most` bytes are read.

    Raises:
        AddressRefused: see `check_address`.
        ConnectionError: nobody answered in time, or not in HTTP.
    """
    host, address, port = check_address(url, allowed)
    parts = urlsplit(url)
    literal = f"[{address}]" if ":" in address else address
    target = f"{parts.scheme}://{literal}:{port}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")
    shown = host if port in {80, 443} else f"{host}:{port}"
    seconds = deadline.total_seconds()
    client = httpx2.Client(timeout=httpx2.Timeout(seconds), follow_redirects=False, trust_env=False)
    # A reply that drips one byte at a time never runs into a read timeout: close the door from outside.
    door = threading.Timer(seconds, client.close)
    door.daemon = True
    door.start()
    try:
        started, size = time.monotonic(), 0
        request = client.build_request("POST", target, content=body, headers={**headers, "host": shown}, extensions={"sni_hostname": host})
        answer = client.send(request, stream=True)
        try:
            for chunk in answer.iter_raw():
                size += len(chunk)
                if size > most or time.monotonic() - started > seconds:
                    break
        finally:
            answer.close()
        return Reply(answer.status_code, {k.casefold(): v for k, v in answer.headers.items()})
    except (httpx2.HTTPError, RuntimeError, OSError) as error:
        raise ConnectionError(type(error).__name__) from None
    finally:
        door.cancel()
        client.close()
