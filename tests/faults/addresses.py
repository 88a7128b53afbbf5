"""Addresses that lead inside, in every spelling a resolver or a parser takes for them."""

import socket
import sys
from contextlib import suppress
from datetime import timedelta
from typing import Any

from caseferry.services import http
from caseferry.services.http import AddressRefused, check_address, post
from tests.faults.campaign import Counts, Ground, fault

_INSIDE = [
    "127.0.0.1", "127.1.2.3", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.254", "169.254.169.254", "169.254.0.1", "172.16.0.1", "172.31.255.255",
    "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::2", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1",
    "2001::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:c0a8:1::1", "3fff::1", "3fff:fff::1", "5f00::1", "fc00::1", "fd00::1", "fd00:ec2::254", "fdff::1",
    "fe80::1", "fe80::1%lo", "febf::1", "fec0::1", "feff::1", "ff02::1", "ff0e::1", "ff05::2",
]  # fmt: skip
_GOOD = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001::1"]


def _encodings(address: str) -> list[str]:
    """An IPv4 address in the spellings that resolvers and parsers take for it."""
    parts = [int(part) for part in address.split(".")]
    number = sum(part << (24 - 8 * place) for place, part in enumerate(parts))
    full = address.translate(str.maketrans("0123456789.", "０１２３４５６７８９．"))
    return [
        str(number), hex(number), oct(number).replace("0o", "0"), ".".join(hex(part) for part in parts), ".".join(f"0{part:o}" for part in parts), f"{parts[0]}.{number & 0xFFFFFF}", f"{parts[0]}.{parts[1]}.{number & 0xFFFF}",
        full, f"[::ffff:{address}]", f"[::ffff:{number >> 16:x}:{number & 0xFFFF:x}]", address + ".", f"{address}.nip.invalid",
    ]  # fmt: skip


@fault(95)
def addresses_that_lead_inside(ground: Ground) -> Counts:
    """No connection is made: every attempt to is noticed by the interpreter itself, and there must be none."""
    connected: list[Any] = []
    watching = [True]

    def audit(name: str, arguments: tuple[Any, ...]) -> None:
        if watching[0] and name == "socket.connect" and not isinstance(arguments[1], str | bytes):
            connected.append(arguments[1])

    sys.addaudithook(audit)
    real = socket.getaddrinfo
    tried = refused = 0

    def attempt(url: str, answers: list[list[str]] | None = None) -> bool:
        """True if it was refused before anything was connected to."""
        nonlocal tried
        tried += 1
        calls = [0]

        def resolve(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
            if answers is None:
                return real(host, port, *rest, **more)
            found = answers[min(calls[0], len(answers) - 1)]
            calls[0] += 1
            return [(socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

        socket.getaddrinfo = resolve
        try:
            post(url, b"{}", {}, (), timedelta(seconds=2), 1000)
        except (AddressRefused, ConnectionError) as error:
            return isinstance(error, AddressRefused)
        finally:
            socket.getaddrinfo = real
        return False

    for address in _INSIDE:
        refused += attempt("https://receiver.example/", [[address]])
        host = f"[{address.split('%')[0]}]" if ":" in address else address
        refused += attempt(f"https://{host}/")
        refused += attempt("https://receiver.example/", [["1.1.1.1", address]])
        refused += attempt("https://receiver.example/", [[address, "1.1.1.1"]])
    for address in ("127.0.0.1", "169.254.169.254", "10.0.0.1", "192.168.1.1"):
        for spelt in _encodings(address):
            refused += attempt(f"https://{spelt}/")
    odd = [
        "http://1.1.1.1/", "file:///etc/passwd", "gopher://1.1.1.1/", "ftp://1.1.1.1/", "https://user:pw@1.1.1.1/", "https://1.1.1.1@127.0.0.1/", "https://1.1.1.1:22/", "https://1.1.1.1:25/", "https://1.1.1.1:6379/",
        "https://1.1.1.1:99999/", "https://1.1.1.1/\r\nHost: x", "https://1.1.1.1\r\n.example/", "https://1.1.1.1\t/", "https://127.0.0.1#@1.1.1.1/", "https://127.0.0.1\\@1.1.1.1/", "https://localhost/", "https:///x", "https://", "//1.1.1.1/",
        "https://[::1", "https://①②⑦.⓪.⓪.①/", "https://localhost./", "unix:///var/run/docker.sock", "dict://1.1.1.1/", "https://1.1.1.1 /",
    ]  # fmt: skip
    for url in odd:
        refused += attempt(url)
    watching[0] = False
    assert tried == refused and not connected, (tried - refused, connected[:3])
    # Rebinding: a good answer first, a bad one to whoever asks again. Nobody asks again.
    asked = [0]

    def rebinding(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        asked[0] += 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1" if asked[0] == 1 else "127.0.0.1", port))]

    socket.getaddrinfo = rebinding
    try:
        assert check_address("https://receiver.example/")[1] == "1.1.1.1" and asked[0] == 1
        pinned: list[str] = []
        client = http.httpx2.Client.send
        http.httpx2.Client.send = lambda self, request, **_: pinned.append(str(request.url)) or (_ for _ in ()).throw(http.httpx2.ConnectError("stop"))  # type: ignore[func-returns-value,method-assign,assignment]
        asked[0] = 0
        try:
            with suppress(ConnectionError):
                post("https://receiver.example/", b"{}", {}, (), timedelta(seconds=2), 1000)
        finally:
            http.httpx2.Client.send = client  # type: ignore[method-assign]
        assert pinned == ["https://1.1.1.1/"] or pinned == ["https://1.1.1.1:443/"], pinned
    finally:
        socket.getaddrinfo = real
    for address in _GOOD:
        socket.getaddrinfo = lambda host, port, *rest, address=address, **more: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]
        try:
            assert check_address("https://receiver.example/")[1] == address
        finally:
            socket.getaddrinfo = real
    return {"addresses": len(_INSIDE), "spellings": 12, "tried": tried, "refused": refused, "connections": len(connected), "public ones refused": 0}
