"""scripts/serve.py: what goes in and out, what is refused, and what happens when much comes at once."""

import json
import logging
import random
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest
import tiny
from served import Oracle, serving

from govorit.article import Article
from govorit.cli import predict, serve
from govorit.formats import jsonl
from govorit.serving import app, bodies
from govorit.serving.reader import OVERHEAD, POOL, QueueFullError, Reader

ROOT = Path(__file__).parents[1]
TEXT, JSON, LINES = ({"Content-Type": media} for media in (bodies.TEXT, bodies.JSON, bodies.LINES))


@pytest.fixture
def oracle() -> Oracle:
    return Oracle(*tiny.articles(20))


@pytest.fixture
def client(oracle):
    with serving(oracle) as url, httpx.Client(base_url=url, timeout=20) as client:
        yield client


def until(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


# ---- the program


@contextmanager
def started(model: Path, tmp_path: Path):
    command = [sys.executable, ROOT / "scripts/serve.py", "--model", model, "--port", "0", "--threads", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        try:
            url = process.stdout.readline().strip()
            assert url.startswith("http://127.0.0.1:")
            yield url, process
        finally:
            process.kill()


@pytest.fixture
def program(program):
    before = signal.getsignal(signal.SIGTERM)
    yield partial(program, stdin=b"")
    signal.signal(signal.SIGTERM, before)


def test_the_program_answers_as_predict_does_and_finishes_what_it_has(tiny_run, tmp_path, program):
    lines = "".join(jsonl.dump(article) + "\n" for article in tiny.articles(5, first=40)) + '{"text": "Он сказал «Да»."}\n'
    text = tiny.article(50).text.encode()
    by_lines, by_text = (program(predict.main, "--model", tiny_run, stdin=body)[1].encode() for body in (lines.encode(), text))
    with started(tiny_run, tmp_path) as (url, process), httpx.Client(base_url=url, timeout=60) as client:
        assert client.post("/extract?secret=Петров", content=lines.encode(), headers=LINES).content == by_lines
        assert client.post("/extract", content=text, headers=TEXT).content == by_text
        assert client.get("/Петров?Петров").status_code == 404
        assert b'"quotes": [{' in by_lines, "the tiny model finds something, or this test says nothing"
        long = " ".join(article.text for article in tiny.articles(50)).encode()
        with ThreadPoolExecutor() as pool:
            late = [pool.submit(httpx.post, f"{url}/extract", content=long, headers=TEXT, timeout=60) for _ in range(3)]
            until(lambda: client.get("/healthz").json() == {"status": "ok", "reading": 1, "waiting": 2})
            process.send_signal(signal.SIGTERM)
            answers = [answer.result() for answer in late]
        _, log = process.communicate(timeout=30)
    assert [answer.json()["text"].encode() for answer in answers] == [long] * 3
    assert process.returncode == 0
    assert re.search(rf"POST /extract 200 \d+ ms, {len(text)} bytes in, {len(by_text)} out\n", log) and " GET - 404 " in log
    assert not re.search("[а-яё?]|%D0", log, re.I) and "Traceback" not in log


def test_what_cannot_start_says_so_in_a_line(program, tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, out, error = program(serve.main, "--model", tmp_path, "--port", port)
    assert (status, out) == (2, "") and error.count("\n") == 1
    assert error.startswith(f"127.0.0.1:{port}: cannot listen there: Address already in use; choose another --port")
    status, out, error = program(serve.main, "--model", tmp_path, "--port", 0)
    assert (status, out) == (2, "") and error.count("\n") == 1 and "not a govorit checkpoint" in error
    status, _, error = program(serve.main, "--host", "nowhere.invalid", "--port", 0)
    assert status == 2 and error.count("\n") == 1 and error.startswith("nowhere.invalid:0: ")
    assert (
        program(serve.main, "--port", "70000")[0] == program(serve.main, "--queue", "0")[0] == program(serve.main, "--queue", "x")[0] == 2
    )
    monkeypatch.delattr("govorit.serving.app")
    monkeypatch.delitem(sys.modules, "govorit.serving.app")
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert program(serve.main)[::2] == (2, "serve: needs uvicorn, which is not installed: pip install 'govorit[serve]'\n")


# ---- shapes


def test_each_shape_is_answered_in_the_same_one(client):
    one, *more = tiny.articles(4)
    assert client.post("/extract", content=one.text, headers=TEXT).json() == {**jsonl.record(one), "id": "stdin"}
    assert client.post("/extract", json=jsonl.record(one)).text == jsonl.dump(one) + "\n"
    assert client.post("/extract", json=[*map(jsonl.record, more)]).json() == [*map(jsonl.record, more)]
    lines = "".join(jsonl.dump(article) + "\n" for article in more)
    answer = client.post("/extract", content="\n" + lines, headers=LINES)
    assert answer.text == lines and answer.headers["Content-Type"] == bodies.LINES
    assert client.post("/extract", json=[]).json() == [] and client.post("/extract", content=b"", headers=LINES).content == b""
    assert client.post("/extract", content=b"", headers=TEXT).json()["text"] == ""
    assert [item["id"] for item in client.post("/extract", json=[{"text": "а"}, {"text": "б"}]).json()] == ["stdin-1", "stdin-2"]


BAD = [
    (JSON, b"", "body: not valid JSON"),
    (JSON, b'{"text": "a"', "body: not valid JSON"),
    (JSON, b'"text"', "body: found a string, expected a JSON object with the field 'text'"),
    (JSON, b'{"id": "1"}', "body: text: found nothing, expected a string"),
    (JSON, b'[{"text": "a"}, {"text": 5}]', "body[1]: text: found a number, expected a string"),
    (JSON, b'[{"text": "a", "txet": "b"}]', "body[0]: txet: unknown field; did you mean 'text'?"),
    (JSON, b'{"text": "\\ud800"}', "body: text: half a surrogate pair at character 0"),
    (JSON, b'{"text": "a", "\\ud800": 1}', "body: ?: unknown field"),
    (JSON, b'{"text": "a\\u0000"}', "body: text: a NUL character at 1"),
    (JSON, b'{"text": "a", "text": "b"}', "body: not valid JSON (the field 'text' comes twice)"),
    (JSON, b"[" * 100_000, "body: JSON nested too deeply"),
    (JSON, b'{"text": NaN}', "body: not valid JSON (NaN is not a JSON number)"),
    (LINES, b'{"text": "a"}\n\n{"text": []}\n', "body:3: text: found a list, expected a string"),
    (LINES, b'{"text": "\xff"}\n', "body:1: byte 10 of the line is not UTF-8"),
    (TEXT, "Да".encode("windows-1251"), "body: text: byte 0 is not UTF-8; convert it to UTF-8"),
    (TEXT, "Да!".encode("utf-16-le"), "body: text: a NUL"),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "body", "message"), BAD, ids=range(len(BAD)))
def test_a_bad_article_is_told_in_a_line(headers, body, message):
    with pytest.raises(bodies.UserError) as refused:
        bodies.read(body, headers["Content-Type"])
    assert str(refused.value).encode("utf-8", "replace").decode().startswith(message)
    assert "\n" not in str(refused.value)


def test_what_is_refused_breaks_nobody_else(client, oracle):
    article = tiny.article(1)

    def ask(case):
        return client.post("/extract", content=case[1], headers=case[0])

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, [*BAD, (JSON, jsonl.dump(article))] * 3))
    for (_, _, message), answer in zip(BAD * 3, [answer for i, answer in enumerate(answers) if (i + 1) % (len(BAD) + 1)], strict=True):
        assert answer.status_code == 400 and answer.json()["detail"].startswith(message)
    assert [answer.json() for answer in answers if answer.status_code == 200] == [jsonl.record(article)] * 3
    for header in (
        None,
        "text/html",
        "application/x-www-form-urlencoded",
        "text/plain; charset=windows-1251",
        "application/json; charset=" + "x" * 99,
    ):
        refused = client.post("/extract", content=b"{}", headers={"Content-Type": header} if header else {})
        assert refused.status_code == 415 and "expected one of text/plain" in refused.json()["detail"]
    assert client.post("/extract", content="Да", headers={"Content-Type": 'Text/Plain; charset="UTF-8"'}).status_code == 200
    assert client.get("/extract").status_code == 405


def test_an_article_that_nobody_can_read_fails_alone_and_stays_out_of_the_log(client, oracle, caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(app.logger, "disabled", False)  # Hydra, in a test before this one, disables the loggers that it finds
    oracle.open.clear()
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(client.post, "/extract", content="Первая", headers=TEXT)
        until(lambda: oracle.pools)
        texts = ["Вторая", "Третья: упади", "Четвёртая"]
        answers = [pool.submit(client.post, "/extract", content=text, headers=TEXT) for text in texts]
        until(lambda: client.get("/healthz").json()["waiting"] == 3)
        oracle.open.set()
        assert [answer.result().status_code for answer in [first, *answers]] == [200, 200, 500, 200]
    failed = next(answer.result() for answer in answers if answer.result().status_code == 500)
    assert (
        failed.json() == {"detail": "the server has failed; its log says where"} and failed.headers["X-Content-Type-Options"] == "nosniff"
    )
    until(lambda: caplog.text.count("POST /extract") == 4)
    assert "ValueError" in caplog.text and "served.py" in caplog.text and "Третья" not in caplog.text


# ---- much at once


def test_answers_are_never_mixed_and_requests_are_read_together(client, oracle):
    articles = tiny.articles(20)
    rng = random.Random(0)
    asked = [[rng.choice(articles) for _ in range(rng.choice((1, 1, 2, 5)))] for _ in range(150)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda some: client.post("/extract", json=[*map(jsonl.record, some)]).json(), asked))
    assert answers == [[*map(jsonl.record, some)] for some in asked]
    assert sum(map(len, oracle.pools)) == sum(map(len, asked)) and len(oracle.pools) < len(asked)


def test_a_full_queue_says_when_to_come_again_and_health_answers_meanwhile(oracle):
    oracle.open.clear()
    with serving(oracle, requests=2) as url, httpx.Client(base_url=url, timeout=20) as client, ThreadPoolExecutor() as pool:
        answers = []
        for waiting in (0, 1, 2):
            answers.append(pool.submit(client.post, "/extract", content=f"Текст {waiting}", headers=TEXT))
            until(
                lambda waiting=waiting: oracle.pools and client.get("/healthz").json() == {"status": "ok", "reading": 1, "waiting": waiting}
            )
        refused = client.post("/extract", content="Лишний", headers=TEXT)
        assert refused.status_code == 503 and int(refused.headers["Retry-After"]) >= 1 and "full" in refused.json()["detail"]
        oracle.open.set()
        assert [answer.result().json()["text"] for answer in answers] == ["Текст 0", "Текст 1", "Текст 2"]
        assert client.post("/extract", content="Снова", headers=TEXT).status_code == 200


def test_the_queue_is_bounded_in_characters_but_takes_any_article_when_nothing_waits(oracle):
    oracle.open.clear()
    with Reader(oracle, characters=5000) as reader:
        first = reader.submit([Article("1", "а" * 100_000)])
        until(lambda: oracle.pools)
        second = reader.submit([Article("2", "б" * 4000)])
        with pytest.raises(QueueFullError):
            reader.submit([Article("3", "в" * 4000)])
        assert second.cancel()
        third = reader.submit([Article("3", "в" * 4000)])
        oracle.open.set()
        assert len(json.loads(first.result(9)[0])["text"]) == 100_000 and third.result(9)
    assert [pool[0][0] for pool in oracle.pools] == ["а", "в"]


def test_requests_take_turns_and_a_long_article_comes_alone(oracle):
    oracle.open.clear()
    with Reader(oracle) as reader:
        reader.submit([Article("0", "начало")])
        until(lambda: oracle.pools)
        many = reader.submit([Article(str(i), f"много {i}" + " " * 1000) for i in range(50)])
        one = reader.submit([Article("1", "один")])
        long = reader.submit([Article("2", "длинная" * POOL)])
        oracle.open.set()
        assert len(many.result(9)) == 50 and one.result(9) and long.result(9)
    assert [json.loads(line)["id"] for line in many.result()] == [str(i) for i in range(50)]
    assert oracle.pools[1][1] == "один" and [len(pool) for pool in oracle.pools if pool[0].startswith("длинная")] == [1]
    assert all(len(pool) == 1 or sum(len(text) + OVERHEAD for text in pool) <= POOL for pool in oracle.pools)


def test_whoever_leaves_is_not_read_for(client, oracle):
    oracle.open.clear()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(client.post, "/extract", content="Первая", headers=TEXT)
        until(lambda: oracle.pools)
        with pytest.raises(httpx.ReadTimeout):
            client.post("/extract", content="Ушёл", headers=TEXT, timeout=0.3)
        last = pool.submit(client.post, "/extract", content="Последняя", headers=TEXT)
        until(lambda: client.get("/healthz").json()["waiting"] >= 1)
        oracle.open.set()
        assert first.result().status_code == last.result().status_code == 200
    assert not any("Ушёл" in pool for pool in oracle.pools)


# ---- limits


def talk(client: httpx.Client, *parts: bytes) -> bytes:
    """Send parts as they are, and read until the server hangs up."""
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=10) as wire:
        for part in parts:
            wire.sendall(part)
        answer = b""
        while more := wire.recv(65536):
            answer += more
        return answer


def test_two_megabytes_and_not_a_byte_more(client):
    article = {"text": "ж" * (app.LIMIT // 2 - 20)}
    body = json.dumps(article, ensure_ascii=False).encode()
    assert client.post("/extract", content=body.ljust(app.LIMIT), headers=JSON).json()["text"] == article["text"]
    refused = client.post("/extract", content=body.ljust(app.LIMIT + 1), headers=JSON)
    assert refused.status_code == 413 and "2,097,152 bytes" in refused.json()["detail"]


def test_too_long_a_body_is_refused_before_it_comes(client):
    head = b"POST /extract HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
    answer = talk(client, head + b"Content-Length: 10000000000\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ") and b"connection: close" in answer.lower()
    assert talk(client, head + b"Expect: 100-continue\r\nContent-Length: 3000000\r\n\r\n").startswith(b"HTTP/1.1 413 "), (
        "nothing is asked for"
    )
    chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
    answer = talk(client, head + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 32, b"1\r\na\r\n")  # and the end never comes
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_body_that_does_not_come(client, monkeypatch):
    monkeypatch.setattr(app, "UPLOAD", 0.1)
    head = b"POST /extract HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\n"
    assert talk(client, head + b"a").startswith(b"HTTP/1.1 408 ")


# ---- pages


def test_pages_ask_for_nothing_from_anywhere(client):
    for path in ("/", "/page.css", "/page.js", "/icon.svg", "/docs", "/example.txt", "/openapi.json", "/healthz", "/nothing"):
        answer = client.get(path)
        assert answer.status_code == (404 if path == "/nothing" else 200)
        assert (
            "default-src 'none'" in answer.headers["Content-Security-Policy"] and "unsafe" not in answer.headers["Content-Security-Policy"]
        )
        assert answer.headers["X-Content-Type-Options"] == "nosniff" and "Server" not in answer.headers
        for address in re.findall(r"https?://[^\s\"'<)]+", answer.text):
            assert address.startswith((str(client.base_url), "http://www.w3.org/")), address
    assert client.head("/").status_code == 200
    script = client.get("/page.js").text
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script)
    assert eval(re.search(r"LIMIT = ([\d *]+);", script)[1]) == app.LIMIT
    ru, en = (re.findall(r"(\w+): [\"(]", script.split(f"  {language}: {{")[1].split("\n  },")[0]) for language in ("ru", "en"))
    assert sorted(ru) == sorted(en)


def test_the_description_is_whole_and_docs_show_it(client):
    described = client.get("/openapi.json").json()
    assert {"/extract", "/healthz"} == described["paths"].keys()
    for name in set(re.findall(r"#/components/schemas/(\w+)", json.dumps(described))):
        assert name in described["components"]["schemas"]
    answers = described["paths"]["/extract"]["post"]["responses"]
    assert {"200", "400", "413", "415", "503"} <= answers.keys()
    docs = client.get("/docs").text
    assert "POST /extract" in docs and "<script" not in docs and f"{client.base_url}/extract".replace("//e", "/e") in docs
    record = jsonl.record(tiny.article(1))
    fields = described["components"]["schemas"]["Article"]["properties"]
    assert record.keys() == fields.keys()
    assert record["quotes"][0].keys() <= described["components"]["schemas"]["Quote"]["properties"].keys()
