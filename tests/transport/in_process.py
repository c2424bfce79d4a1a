"""A program: call each URL with the sender and with the caller, and print what came of it."""

import json
import sys

from app.transport.caller import CurlCaller
from tests.transport.sending import a_request, make_sender, send


def main(urls: list[str]) -> None:
    sender, caller = make_sender(), CurlCaller(make_sender)
    kinds = []
    for url in urls:
        kinds.append(send(sender, url).kind)
        kinds.append(caller.exchange(a_request(url)).kind)
    caller.close()
    sender.close()
    print(json.dumps(kinds))  # noqa: T201  # its result


if __name__ == "__main__":
    main(sys.argv[1:])
