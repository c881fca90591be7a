"""JSON as we take it: UTF-8, no field twice, no NaN, no bottomless nesting; and the values in it, checked one by one.

Every message begins with `where`, the file and line, and grows the path of the field: `a.jsonl:3: entities[0].start: …`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from govorit.errors import UserError

_Item = TypeVar("_Item")


def parse(data: bytes, where: str, expected: str) -> Any:
    """Parse one JSON value; `expected` says in a few words what it should have been."""
    try:
        return json.loads(data.decode("utf-8-sig"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise UserError(f"{where}: byte {error.start} of the line is not UTF-8; convert the file to UTF-8") from None
    except RecursionError:
        raise UserError(f"{where}: JSON nested too deeply; expected {expected}") from None
    except json.JSONDecodeError as error:  # its "line 1" is none of the file's
        raise UserError(f"{where}: not valid JSON ({error.msg}, character {error.pos + 1}); expected {expected}") from None
    except ValueError as error:
        raise UserError(f"{where}: not valid JSON ({error}); expected {expected}") from None


def one_line(value: object) -> str:
    """Write JSON on one line; half a surrogate pair, which JSON lets in and UTF-8 does not, goes out as it came, escaped."""
    line = json.dumps(value, ensure_ascii=False)
    return json.dumps(value) if re.search("[\ud800-\udfff]", line) else line


def items(text: str, file: Path, expected: str) -> Iterator[tuple[int, Any]]:
    """Go through the values of the JSON list `text`, each with the line it starts in; one at a time is held in memory.

    Raises:
        UserError: the text is no list, or breaks off; what came before has been given out.
    """
    decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
    line, at = 1, 0

    def skip(start: int) -> int:
        nonlocal line
        end = start
        while end < len(text) and text[end] in " \t\r\n":
            end += 1
        line += text.count("\n", start, end)
        return end

    def refuse(found: str) -> UserError:
        return UserError(f"{file}:{line}: {found}; expected {expected}")

    at = skip(0)
    if text[at : at + 1] != "[":
        raise refuse(f"found {text[at : at + 20]!r} where a JSON list begins")
    at = skip(at + 1)
    closed = text[at : at + 1] == "]"
    while not closed:
        try:
            value, end = decoder.raw_decode(text, at)
        except RecursionError:
            raise refuse("JSON nested too deeply") from None
        except json.JSONDecodeError as error:
            line = error.lineno
            raise refuse(f"not valid JSON ({error.msg}, column {error.colno})") from None
        except ValueError as error:
            raise refuse(f"not valid JSON ({error})") from None
        yield line, value
        line += text.count("\n", at, end)
        at = skip(end)
        if text[at : at + 1] not in ("]", ","):
            raise refuse(f"not valid JSON (found {text[at : at + 20]!r} after an item)")
        closed = text[at] == "]"
        at = at if closed else skip(at + 1)
    at = skip(at + 1)
    if at < len(text):
        raise refuse(f"not valid JSON (found {text[at : at + 20]!r} after the list)")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise ValueError(f"the field {next(key for key, count in counts.items() if count > 1)!r:.60} comes twice")
    return fields


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def each(
    values: list[Any], where: str, read: Callable[[Any, str], _Item], report: Callable[[UserError], None]
) -> Iterator[tuple[int, _Item]]:
    """Read each value with its place in the list; one that cannot be read is reported and left out."""
    for i, value in enumerate(values):
        try:
            item = read(value, f"{where}[{i}]")
        except UserError as error:
            report(error)
        else:
            yield i, item


def known_fields(item: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in item.keys() - set(known):
        near = get_close_matches(key, known, 1, 0.75)
        remedy = "; move it into meta" if "meta" in known else ""
        hint = f"did you mean {near[0]!r}?" if near else f"expected {', '.join(known)}{remedy}"
        raise UserError(f"{where}: {key!s:.60}: unknown field; {hint}")


def an_object(value: object, where: str, expected: str = "an object with 'start' and 'end'") -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UserError(f"{where}: found {kind(value)}, expected {expected}")
    return value


def a_list(value: object, where: str) -> list[Any]:
    """The list, which is empty where nothing or null stands."""
    if value is not None and not isinstance(value, list):
        raise UserError(f"{where}: found {kind(value)}, expected a list")
    return value or []


def a_string(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise UserError(f"{where}: found {kind(value)}, expected a string")
    return value


def an_offset(value: object, where: str) -> int:
    if type(value) is not int:
        raise UserError(f"{where}: found {value!r:.40}, expected a whole number")
    return value


def a_score(item: Mapping[str, Any], where: str, name: str = "score") -> float | None:
    score = item.get(name)
    if score is not None and (type(score) not in (int, float) or not 0 <= score <= 1):
        raise UserError(f"{where}.{name}: found {score!r:.40}, expected a number from 0 to 1")
    return score


def as_meta(fields: Mapping[str, Any]) -> dict[str, str]:
    """What an `Article.meta` holds: strings as they are, anything else as JSON."""
    return {key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for key, value in fields.items()}


def kind(value: object) -> str:
    names = {
        dict: "an object",
        list: "a list",
        str: "a string",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return names.get(type(value), "nothing")
