"""A fast receiver: answers 200 to every POST and remembers when each event arrived.

Run as a process of its own. Prints its port, then, when its standard input closes, one
JSON object of event id and moment (seconds of the system's monotonic clock).
"""

import asyncio
import json
import sys
import time

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_ID_START = b'"id":"'


class Sink(asyncio.Protocol):
    """One connection; requests may be pipelined or split."""

    arrivals: dict[str, float] = {}  # noqa: RUF012 - shared by all connections on purpose

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self.buffer += data
        while (end := self._end_of_request()) is not None:
            request, self.buffer = self.buffer[:end], self.buffer[end:]
            start = request.index(_ID_START) + len(_ID_START)
            event_id = request[start : request.index(b'"', start)].decode()
            self.arrivals.setdefault(event_id, time.monotonic())
            self.transport.write(_ANSWER)

    def _end_of_request(self) -> int | None:
        head = self.buffer.find(b"\r\n\r\n")
        if head < 0:
            return None
        lower = self.buffer[:head].lower()
        at = lower.index(b"content-length:") + len(b"content-length:")
        length = int(lower[at:].split(b"\r\n", 1)[0])
        end = head + 4 + length
        return end if len(self.buffer) >= end else None


async def main() -> None:
    """Serve until standard input closes."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Sink, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    print(json.dumps(Sink.arrivals), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
