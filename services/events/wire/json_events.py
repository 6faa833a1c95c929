"""JSON to protobuf messages: lenient towards what is only new or untidy, exact about what is wrong.

Fields that the schema does not know are left out and named. What is refused is named by its path, with what
was found and what is expected there; never by its value.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from services.contracts.errors import FieldViolation, InvalidInput
from services.contracts.outcomes import DeadLetterKind

# Descriptors are typed loosely: their stubs lack what stands in them.
M = TypeVar("M", bound=Message)

BYTE_ORDER_MARK = "\ufeff"
# Pairs are tried first, and every other escape is taken whole, so that an escaped backslash is none.
ESCAPES = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    r"|\\."
)
REPLACEMENT = r"\ufffd"
# Names come from outside too: what does not look like a name is not repeated.
PLAIN_NAME = re.compile(r"[A-Za-z_][\w.-]{0,63}", re.ASCII)
FOUND = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
}
EXPECTED = {
    FieldDescriptor.CPPTYPE_STRING: "a string",
    FieldDescriptor.CPPTYPE_DOUBLE: "a number",
    FieldDescriptor.CPPTYPE_FLOAT: "a number",
    FieldDescriptor.CPPTYPE_INT32: "a whole number",
    FieldDescriptor.CPPTYPE_INT64: "a whole number",
    FieldDescriptor.CPPTYPE_UINT32: "a whole number",
    FieldDescriptor.CPPTYPE_UINT64: "a whole number",
    FieldDescriptor.CPPTYPE_BOOL: "true or false",
}
EXPECTED_MESSAGES = {"google.protobuf.Timestamp": "a time such as 2026-01-31T09:30:00Z"}


@dataclass(frozen=True, slots=True)
class Decoded(Generic[M]):
    """A message, and what was left out of it.

    Attributes:
        message: it.
        unknown_fields: paths that the schema does not know, in the order in which they stand.
    """

    message: M
    unknown_fields: Sequence[str] = ()


class _Object(dict[str, Any]):
    """A JSON object that remembers which names stood in it more than once."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.repeated_name: str | None = None
        if len(self) < len(pairs):
            seen: set[str] = set()
            for name, _ in pairs:
                if name in seen:
                    self.repeated_name = name
                seen.add(name)


def message_from_json(value: bytes, message_type: type[M]) -> Decoded[M]:
    """Returns the message that JSON holds; both spellings of field names are read.

    Raises:
        InvalidInput: of kind ``bad_encoding``, ``bad_json`` or ``wrong_type``.
    """
    content = _parse(value)
    if not isinstance(content, _Object):
        raise _wrong_type("value", f"{_found(content)} where an object is expected")
    unknown: list[str] = []
    known = _known_part(content, message_type.DESCRIPTOR, "", unknown)
    message = message_type()
    if not _fills(known, message):
        unnamed = _wrong_type("value", "a field has the wrong type")
        raise next(_faults(known, message_type.DESCRIPTOR, ""), unnamed)
    return Decoded(message, unknown)


def plain_name(name: str) -> str:
    """Returns a name from outside if it looks like one, else words for it."""
    return name if PLAIN_NAME.fullmatch(name) else "(a name of another form)"


def _parse(value: bytes) -> Any:
    try:
        text = value.decode("utf-8").removeprefix(BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        raise _invalid(DeadLetterKind.BAD_ENCODING, "not UTF-8") from error
    if "\\ud" in text or "\\uD" in text:
        text = ESCAPES.sub(_without_half_pairs, text)
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_Object)
    except json.JSONDecodeError as error:
        raise _invalid(
            DeadLetterKind.BAD_JSON, f"not JSON (line {error.lineno}, column {error.colno})"
        ) from error
    except RecursionError as error:
        raise _invalid(DeadLetterKind.BAD_JSON, "nested too deep") from error
    except ValueError as error:  # NaN, or a number of thousands of digits
        raise _invalid(DeadLetterKind.BAD_JSON, "not JSON (a number that JSON does not have)") from error


def _without_half_pairs(escape: re.Match[str]) -> str:
    return REPLACEMENT if escape[1] else escape[0]


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _known_part(content: _Object, descriptor: Any, prefix: str, unknown: list[str]) -> dict[str, Any]:
    """Returns an object with the fields of the schema alone, named as there, and so on in those inside."""
    if content.repeated_name is not None:
        raise _wrong_type(f"{prefix}{plain_name(content.repeated_name)}", "stands twice in one object")
    names = {name: part for part in descriptor.fields for name in (part.json_name, part.name)}
    known: dict[str, Any] = {}
    for name, inner in content.items():
        part = names.get(name)
        if part is None:
            unknown.append(f"{prefix}{plain_name(name)}")
            continue
        if part.name in known:
            raise _wrong_type(f"{prefix}{part.name}", f"stands twice, as {part.name} and {part.json_name}")
        known[part.name] = _known_value(inner, part, f"{prefix}{part.name}", unknown)
    return known


def _known_value(inner: Any, part: Any, path: str, unknown: list[str]) -> Any:
    if not _is_of_ours(part) or inner is None:
        return inner
    if not part.is_repeated:
        return _known_part(_object_at(inner, path), part.message_type, f"{path}.", unknown)
    if not isinstance(inner, list):
        raise _wrong_type(path, f"{_found(inner)} where a list is expected")
    return [
        _known_part(_object_at(each, f"{path}[{at}]"), part.message_type, f"{path}[{at}].", unknown)
        for at, each in enumerate(inner)
    ]


def _object_at(inner: Any, path: str) -> _Object:
    # protobuf reads a text or a list where an object belongs as an object of unknown fields.
    if not isinstance(inner, _Object):
        raise _wrong_type(path, f"{_found(inner)} where an object is expected")
    return inner


def _is_of_ours(part: Any) -> bool:
    """Returns whether a field holds messages of this schema; others, such as a time, are no JSON objects."""
    kind = part.message_type
    return kind is not None and not kind.GetOptions().map_entry and kind.file.package == part.file.package


def _fills(content: dict[str, Any], message: Message) -> bool:
    try:
        json_format.ParseDict(content, message)
    except (json_format.ParseError, ValueError, TypeError, RecursionError, SystemError):
        return False
    return True


def _faults(content: dict[str, Any], descriptor: Any, prefix: str) -> Iterator[InvalidInput]:
    """Yields what is wrong with the fields of an object, each one tried alone."""
    for name, inner in content.items():
        part = descriptor.fields_by_name[name]
        if _fits(part, inner):
            continue
        path = f"{prefix}{name}"
        if part.is_repeated and isinstance(inner, list):
            for at, each in enumerate(inner):
                if not _fits(part, [each]):
                    yield from _faults_of_value(part, each, f"{path}[{at}]")
        elif part.is_repeated and part.message_type is not None and isinstance(inner, dict):
            # Keys of a map come from outside, so their place stands in the path.
            value_part = part.message_type.fields_by_name["value"]
            for at, (key, each) in enumerate(inner.items()):
                if not _fits(part, {key: each}):
                    yield from _faults_of_value(value_part, each, f"{path}[{at}]")
        else:
            yield from _faults_of_value(part, inner, path)


def _faults_of_value(part: Any, inner: Any, path: str) -> Iterator[InvalidInput]:
    if _is_of_ours(part) and isinstance(inner, dict):
        yield from _faults(inner, part.message_type, f"{path}.")
        return
    found, expected = _found(inner), _expected(part, inner)
    description = (
        f"{found} where {expected} is expected" if found != expected else f"{found} that does not fit"
    )
    yield _wrong_type(path, description)


def _fits(part: Any, inner: Any) -> bool:
    return _fills({part.name: inner}, GetMessageClass(part.containing_type)())


def _found(inner: Any) -> str:
    return FOUND.get(type(inner), "an object")


def _expected(part: Any, inner: Any) -> str:
    kind = part.message_type
    if kind is not None and kind.GetOptions().map_entry:
        return "an object"
    if part.is_repeated and not isinstance(inner, list):
        return "a list"
    if kind is not None:
        return EXPECTED_MESSAGES.get(kind.full_name, "an object")
    return EXPECTED.get(part.cpp_type, "something else")


def _wrong_type(path: str, description: str) -> InvalidInput:
    return InvalidInput(DeadLetterKind.WRONG_TYPE, [FieldViolation(path, description)])


def _invalid(kind: DeadLetterKind, description: str) -> InvalidInput:
    return InvalidInput(kind, [FieldViolation("value", description)])
