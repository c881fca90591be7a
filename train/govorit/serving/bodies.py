"""What a request brings, and what it gets: articles in one of four shapes, answers in the same one.

| Content-Type           | body                               | answer                               |
|------------------------|------------------------------------|--------------------------------------|
| `text/plain`           | the text of one article            | one object                           |
| `application/json`     | one object, or a list of them      | one object, or a list of them        |
| `application/x-ndjson` | JSON Lines, one article a line     | JSON Lines                           |

Objects are those of `govorit.formats.jsonl`, read as `scripts/predict.py` reads its standard input; articles that have no id get the
same ids. Every message says where: `body[2]: text: …` of the third in a list, `body:3: text: …` of the third line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from typing import Any

from govorit.article import Article
from govorit.corpora import lint
from govorit.errors import UserError
from govorit.formats import jsonl
from govorit.formats.strict_json import parse

TEXT, JSON, LINES = "text/plain", "application/json", "application/x-ndjson"
_OTHER_NAMES = {"application/jsonl": LINES, "application/jsonlines": LINES, "application/ndjson": LINES}
_EXPECTED = 'one article, {"text": …}, or a list of them'


@dataclass(frozen=True)
class Asked:
    """The articles of one request, and the shape in which their answers go back."""

    articles: Sequence[Article]
    media: str
    a_list: bool = False

    def answer(self, lines: Sequence[str]) -> bytes:
        """Write what was found, a line of JSON for each article: for one of them the very bytes that `predict.py` writes."""
        text = "[" + ",\n".join(lines) + "]\n" if self.a_list else "".join(f"{line}\n" for line in lines)
        return text.encode("utf-8")


def media_type(header: str | None) -> str | None:
    """Tell the shape of a body by its Content-Type; None for one that is not taken."""
    message = Message()
    message["Content-Type"] = header or ""
    found = message.get_content_type() if header else ""
    media = _OTHER_NAMES.get(found, found)
    return media if media in (TEXT, JSON, LINES) and message.get_content_charset("utf-8") in ("utf-8", "utf8", "us-ascii") else None


def read(body: bytes, media: str) -> Asked:
    """Read the articles of a body.

    Raises:
        UserError: one of them cannot be read; the message names the item and the field.
    """
    if media == TEXT:
        return Asked([_checked(Article("stdin", _decode(body), where="body"))], JSON)
    value = parse(body, "body", _EXPECTED) if media == JSON else None
    values = _lines(body) if media == LINES else _items(value)
    articles = [_checked(jsonl.to_article(item, f"stdin-{number}", where)) for number, where, item in values]
    return Asked(articles, media, isinstance(value, list))


def _lines(body: bytes) -> Iterator[tuple[int, str, Any]]:
    for number, line in enumerate(body.split(b"\n"), 1):
        if line.strip():
            yield number, f"body:{number}", parse(line, f"body:{number}", jsonl.EXPECTED)


def _items(value: object) -> Iterator[tuple[int, str, Any]]:
    if isinstance(value, list):
        yield from ((number, f"body[{number - 1}]", item) for number, item in enumerate(value, 1))
    else:
        yield 1, "body", value


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"body: text: byte {error.start} is not UTF-8; convert it to UTF-8") from None


def _checked(article: Article) -> Article:
    """Refuse what no article has: a program at the other end has mistaken the encoding, and should hear of it."""
    if (at := article.text.find("\0")) >= 0:
        raise UserError(f"{article.where}: text: a NUL character at {at}, expected text; mend the encoding of the source")
    return lint.bare(article)
