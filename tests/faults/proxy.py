"""A TCP proxy on loopback with the faults of a bad network: the names are those Toxiproxy gave them."""

import asyncio
import random
import threading
from collections.abc import Callable
from contextlib import suppress


class Proxy:
    """Stands before a server. `toxic` says what it does to what passes, from now on and on open connections too."""

    def __init__(self, port: int, seed: int = 1) -> None:
        self.target, self.toxic, self.dice = port, "", random.Random(seed)
        self.latency, self.share, self.rate = 0.0, 0.0, 0
        self.flipped = 0
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        started = threading.Event()
        self.port = 0

        def run() -> None:
            asyncio.set_event_loop(self._loop)
            server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
            self.port = server.sockets[0].getsockname()[1]
            started.set()
            self._loop.run_forever()

        threading.Thread(target=run, daemon=True).start()
        assert started.wait(60)

    def set(self, toxic: str = "", latency: float = 0.0, share: float = 0.0, rate: int = 0) -> None:
        """`timeout` swallows everything, `down` refuses and hangs up, `reset_peer` hangs up now and then, `slicer` cuts
        it small, `bandwidth` lets `rate` bytes a second through, `flip` changes a bit in a `share` of large pieces.
        """
        self.toxic, self.latency, self.share, self.rate = toxic, latency, share, rate
        if toxic == "down":
            self._call(self._hang_up)

    def stop(self) -> None:
        async def end() -> None:
            self._hang_up()
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            self._loop.stop()

        asyncio.run_coroutine_threadsafe(end(), self._loop)

    def _call(self, work: Callable[[], None]) -> None:
        self._loop.call_soon_threadsafe(work)

    def _hang_up(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.toxic == "down":
            writer.transport.abort()
            return
        try:
            there, onward = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, onward}
        with suppress(asyncio.CancelledError):
            await asyncio.gather(self._pass(reader, onward), self._pass(there, writer), return_exceptions=True)
        for one in (writer, onward):
            self._writers.discard(one)
            one.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            while self.toxic == "timeout":
                await asyncio.sleep(0.05)
            if self.latency:
                await asyncio.sleep(self.latency * self.dice.uniform(0.5, 1.5))
            if self.toxic == "reset_peer" and self.dice.random() < self.share:
                writer.transport.abort()
                return
            if self.toxic == "bandwidth":
                await asyncio.sleep(len(data) / self.rate)
            if self.toxic == "flip" and len(data) > 200 and self.dice.random() < self.share:
                at = self.dice.randrange(len(data) // 2, len(data))
                data = data[:at] + bytes([data[at] ^ (1 << self.dice.randrange(8))]) + data[at + 1 :]
                self.flipped += 1
            if self.toxic == "slicer":
                for start in range(0, len(data), 700):
                    writer.write(data[start : start + 700])
                    await writer.drain()
                continue
            writer.write(data)
            await writer.drain()
