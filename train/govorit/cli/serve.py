"""python scripts/serve.py: a page that reads, and the same for programs."""

from __future__ import annotations

import argparse
import logging
import signal
import socket
import sys

from govorit.cli import Parser, guarded, whole
from govorit.cli.predict import load_model, model_arguments, places_argument
from govorit.errors import MissingPackageError, UserError


def main() -> None:
    guarded(_program)


def _program() -> None:
    options = _options()
    # While the model loads there is nothing to finish. Later the server takes the signal, finishes what it has, and raises it again.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        from govorit.serving import app
        from govorit.serving.reader import Reader
    except ModuleNotFoundError as error:
        raise MissingPackageError("serve", str(error.name), "serve") from None
    with _listen(options.host, options.port) as listening:
        _, extractor = load_model(options.model, options.engine, options.threads, options.places)
        logging.basicConfig(format="%(asctime)s %(message)s")
        logging.getLogger("govorit.serve").setLevel(logging.INFO)  # and no other, which might cite what it reads
        with Reader(extractor, options.queue, options.queue_characters) as reader:
            server = app.server(reader)
            print(f"http://{_address(listening)}", flush=True)
            server.run(sockets=[listening])


def _options() -> argparse.Namespace:
    parser = Parser(prog="serve", description="Read Russian news articles in a browser, and over HTTP (POST /extract, /docs).")
    model_arguments(parser)
    places_argument(parser)
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen at (default: 127.0.0.1, this machine alone; there are no passwords)"
    )
    parser.add_argument("--port", type=whole(0, 65535), default=8000, help="port to listen at; 0 for any that is free (default: 8000)")
    parser.add_argument(
        "--threads", type=whole(1), default=0, metavar="N", help="processor threads of the network (default: its own choice)"
    )
    parser.add_argument(
        "--queue", type=whole(1), default=256, metavar="N", help="requests that may wait; more are answered 503 (default: 256)"
    )
    parser.add_argument(
        "--queue-characters",
        type=whole(1),
        default=1_000_000,
        metavar="N",
        help="characters that may wait in all; a request is taken in any case when nothing waits (default: 1,000,000)",
    )
    return parser.parse_args()


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before the model loads: connections wait there until it has."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]  # the rest names the address once more
        raise UserError(f"{host}:{port}: cannot listen there: {reason}; choose another --port or --host (--port 0: any free)") from None


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
