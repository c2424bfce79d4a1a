"""The receiver: a process of its own that writes down every request before it answers.

    python sink.py FILE

It prints its port and ends with its standard input. A line of the file is one request,
whole: the checker verifies bytes and signatures later. How it answers stands in the target
URL: ``/s1?delay=0.5&status=503``.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

_PATIENCE = 3600.0


class Book:
    """The file: one line a request, on the disk's doorstep before the answer goes out."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    def note(self, path: str, headers: dict[str, str], body: bytes) -> None:
        line = {
            "at": time.time(),  # noqa: TID251 - the receiver's own watch
            "path": path,
            "delivery": headers.get("webhook-id", ""),
            "timestamp": headers.get("webhook-timestamp", ""),
            "signature": headers.get("webhook-signature", ""),
            "body": body.decode("latin-1"),
        }
        self._file.write(json.dumps(line).encode() + b"\n")


class Sink(asyncio.Protocol):
    """One connection; its requests come one after the other."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._buffer = b""

    def connection_made(self, transport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._take():
            pass

    def _take(self) -> bool:
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return False
        request, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return False
        self._buffer = rest[length:]
        target = request.split(" ")[1]
        self._book.note(target, headers, rest[:length])
        self._answer(parse_qs(urlsplit(target).query))
        return True

    def _answer(self, wanted: dict[str, list[str]]) -> None:
        status = wanted.get("status", ["200"])[0]
        answer = f"HTTP/1.1 {status} Said\r\nContent-Length: 0\r\n\r\n".encode()
        delay = float(wanted.get("delay", ["0"])[0])
        if delay:
            asyncio.get_running_loop().call_later(delay, self._transport.write, answer)
        else:
            self._transport.write(answer)


async def main() -> None:
    book = Book(Path(sys.argv[1]))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Sink(book), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - who started it waits
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
