"""The routes: the page, `POST /extract`, `/docs`, `/healthz`; and what surrounds each: limits, headers, the log."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from importlib.resources import files
from typing import Any, NoReturn

import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from jinja2 import Environment
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from govorit import __version__, formats, paths
from govorit.errors import UserError
from govorit.serving import bodies, schema
from govorit.serving.reader import QueueFullError, Reader

LIMIT = 2 << 20  # bytes of a body
UPLOAD = 60  # seconds that a body may take to come
DRAIN = 0.5  # seconds for which more than a body may have is let in
_EXAMPLE = "h-001"
_PAGE = {"/": "page.html", "/page.css": "page.css", "/page.js": "page.js", "/icon.svg": "icon.svg"}
_MEDIA = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_REASONS = {
    400: "An article cannot be read; the line names the item and the field.",
    408: f"The body did not come within {UPLOAD} seconds.",
    413: f"The body is longer than {LIMIT:,} bytes.",
    415: "Another Content-Type than these three, or another encoding than UTF-8.",
    503: "The queue is full; Retry-After says in how many seconds it will have been read.",
}

logger = logging.getLogger("govorit.serve")


def server(reader: Reader) -> uvicorn.Server:
    """A server for :func:`create`, to be run with a socket that listens; it logs nothing of its own but what goes wrong."""
    config = uvicorn.Config(
        create(reader), http="h11", ws="none", lifespan="off", log_config=None, log_level="warning", access_log=False, server_header=False
    )
    return uvicorn.Server(config)


def create(reader: Reader) -> ASGIApp:
    """Make the application around a reader, which stays the caller's to close."""
    app = FastAPI(
        title="govorit",
        version=__version__,
        description="Who is named in Russian news, and who said what, in which words.",
        docs_url=None,
        redoc_url=None,
        exception_handlers={UserError: _mistake, ClientDisconnect: _gone, Exception: _failure},
    )
    _add_page(app)

    @app.post("/extract", openapi_extra={"requestBody": schema.BODY}, responses={200: schema.FOUND, **schema.refusals(_REASONS)})
    async def extract(request: Request) -> Response:
        """Read one article or many. Answers are those of scripts/predict.py, in the shape of what was sent."""
        body = await _receive(request)
        media = bodies.media_type(request.headers.get("content-type"))
        if media is None:
            expected = ", ".join((bodies.TEXT, bodies.JSON, bodies.LINES))
            raise HTTPException(415, f"Content-Type: expected one of {expected}, in UTF-8")
        asked = await asyncio.to_thread(bodies.read, body, media)
        try:
            lines = await _unless_gone(reader.submit(asked.articles), request)
        except QueueFullError as full:
            raise HTTPException(503, str(full), {"Retry-After": str(full.seconds)}) from None
        if lines is None:
            raise ClientDisconnect
        return Response(asked.answer(lines), media_type=asked.media)

    @app.get("/healthz", response_description="The reader is alive.", responses={503: {"description": "It is not; restart the server."}})
    async def health() -> JSONResponse:
        """Say whether the reader is alive, how many articles it reads at this moment, and how many requests wait."""
        state = {"status": "ok" if reader.alive else "dead", "reading": reader.reading, "waiting": reader.waiting}
        return JSONResponse(state, 200 if reader.alive else 503)

    app.openapi()["components"] = {"schemas": schema.SCHEMAS}
    return _Surroundings(app, {getattr(route, "path", "") for route in app.routes})


def _add_page(app: FastAPI) -> None:
    """The page and what belongs to it, and `/docs`, which FastAPI would fetch from a content network, with a script in it."""
    folder = files("govorit.serving") / "page"

    def serve(path: str, content: Callable[[Request], str], media: str) -> None:
        async def answer(request: Request) -> Response:
            return Response(content(request), media_type=media)

        app.add_route(path, answer, methods=["GET"], include_in_schema=False)

    def serve_text(path: str, text: str, media: str) -> None:
        serve(path, lambda _: text, media)

    for path, name in _PAGE.items():
        serve_text(path, (folder / name).read_text("utf-8"), _MEDIA[name.rpartition(".")[2]])
    example = next(article for article in formats.read(paths.shipped("data/newsroom/test.jsonl")) if article.id == _EXAMPLE)
    serve_text("/example.txt", example.text, "text/plain")
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string((folder / "docs.html.j2").read_text("utf-8"))
    serve("/docs", lambda request: template.render(api=app.openapi(), base=request.base_url, pretty=_pretty), "text/html")


def _pretty(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


async def _receive(request: Request) -> bytes:
    """The body, of which no more is held than is allowed; whoever sends more is told so, and hung up on."""
    if int(request.headers.get("content-length", 0)) > LIMIT:
        await _refuse(request)
    body = bytearray()
    try:
        async with asyncio.timeout(UPLOAD):
            async for part in request.stream():
                body += part
                if len(body) > LIMIT:
                    break
    except TimeoutError:
        raise HTTPException(408, f"body: not complete after {UPLOAD} s", {"Connection": "close"}) from None
    if len(body) > LIMIT:
        await _refuse(request)
    return bytes(body)


async def _refuse(request: Request) -> NoReturn:
    """Refuse a body, but let in for a moment what is on its way: to hang up on that would take the answer from the client as well."""
    if request.headers.get("expect", "").lower() != "100-continue":  # whoever asks first has sent nothing
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN):
                async for _ in request.stream():
                    pass
    raise HTTPException(413, f"body: longer than {LIMIT:,} bytes; send the articles in several requests", {"Connection": "close"})


async def _unless_gone(future: Future[list[str]], request: Request) -> list[str] | None:
    """Wait for what is read; None where the client leaves before: what still waits for it is then passed over."""
    found = asyncio.wrap_future(future)
    gone = asyncio.ensure_future(request.receive())  # after the body, nothing comes but this
    try:
        either: set[asyncio.Future[Any]] = {found, gone}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        return found.result() if found.done() else None
    finally:
        found.cancel()
        gone.cancel()


async def _mistake(request: Request, error: Exception) -> Response:
    # Half a surrogate pair, which a message may cite, has no UTF-8.
    return Response(json.dumps({"detail": str(error)}, ensure_ascii=False).encode("utf-8", "replace"), 400, media_type=bodies.JSON)


async def _gone(request: Request, error: Exception) -> Response:
    return Response(status_code=499)  # nobody sees this but the log


async def _failure(request: Request, error: Exception) -> Response:
    return JSONResponse({"detail": "the server has failed; its log says where"}, 500)


class _Surroundings:
    """Adds the headers, writes a line to the log for each request, and keeps what fails out of it but for its place in the code.

    The log holds what no article is in: a path only if it is one of ours, no query, no message of an exception.
    """

    def __init__(self, app: ASGIApp, known: set[str]) -> None:
        self.app, self.known = app, known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        start, status, taken, given = time.monotonic(), 0, 0, 0

        async def receive_counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            return message

        async def send_with_headers(message: Message) -> None:
            nonlocal status, given
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            given += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive_counted, send_with_headers)
        except Exception as error:  # which has been answered 500
            logger.error("%s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__, -4)))
        finally:
            path = scope["path"] if scope["path"] in self.known else "-"
            took = 1000 * (time.monotonic() - start)
            logger.info("%s %s %d %.0f ms, %d bytes in, %d out", scope["method"], path, status, took, taken, given)
