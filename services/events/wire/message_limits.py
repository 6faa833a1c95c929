"""Enforces the ``(limits)`` options that stand beside the fields of ``proto/scoring/v1``."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import isfinite
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from services.contracts.errors import FieldViolation, InvalidInput
from services.contracts.outcomes import DeadLetterKind
from services.pb.scoring.v1.field_limits_pb2 import FieldLimits, limits

NO_LIMITS = FieldLimits()
TEXT_TYPES = (FieldDescriptor.CPPTYPE_STRING,)
NUMBER_TYPES = (
    FieldDescriptor.CPPTYPE_DOUBLE,
    FieldDescriptor.CPPTYPE_FLOAT,
    FieldDescriptor.CPPTYPE_INT32,
    FieldDescriptor.CPPTYPE_INT64,
    FieldDescriptor.CPPTYPE_UINT32,
    FieldDescriptor.CPPTYPE_UINT64,
)


def check_limits(message: Message) -> None:
    """Accepts a message that keeps every limit of its fields and of the messages inside it.

    Raises:
        InvalidInput: a field breaks its limit; the kind is ``field_limits``.
    """
    violations = violations_of(message)
    if violations:
        raise InvalidInput(DeadLetterKind.FIELD_LIMITS, violations)


def violations_of(message: Message) -> tuple[FieldViolation, ...]:
    """Returns every field that breaks a limit, in the order of the schema.

    Paths look like ``candidates[3].resume``. Descriptions name the limit and never the value.
    """
    return tuple(_violations(message, prefix=""))


@dataclass(frozen=True, slots=True)
class _Field:
    descriptor: FieldDescriptor
    limits: FieldLimits
    is_message: bool
    is_map: bool


@cache
def _fields_of(descriptor: Descriptor) -> tuple[_Field, ...]:
    # Fields that hold neither a limit nor a message need no look at their value.
    found = []
    for field in descriptor.fields:
        options: Any = field.GetOptions()  # the generated stub types extensions too loosely
        has_limits = options.HasExtension(limits)
        inner = field.message_type
        is_map = inner is not None and inner.GetOptions().map_entry
        if inner is not None and is_map:
            inner = inner.fields_by_name["value"].message_type
        is_message = inner is not None
        if has_limits or is_message:
            chosen = options.Extensions[limits] if has_limits else NO_LIMITS
            found.append(_Field(field, chosen, is_message, is_map))
    return tuple(found)


def _violations(message: Message, prefix: str) -> Iterator[FieldViolation]:
    for field in _fields_of(message.DESCRIPTOR):
        path = prefix + field.descriptor.name
        value = getattr(message, field.descriptor.name)
        problem = _problem_of_field(message, field, value)
        if problem:
            # What is missing or too many is not looked into: the answer stays small.
            yield FieldViolation(path, problem)
        else:
            yield from _inner_violations(message, field, value, path)


def _inner_violations(message: Message, field: _Field, value: Any, path: str) -> Iterator[FieldViolation]:
    if field.descriptor.is_repeated:
        # Keys of a map come from outside, so their place stands in the path instead.
        elements = value.values() if field.is_map else value
        for index, element in enumerate(elements):
            yield from _value_violations(field, element, f"{path}[{index}]")
    elif not field.descriptor.has_presence or message.HasField(field.descriptor.name):
        yield from _value_violations(field, value, path)


def _value_violations(field: _Field, value: Any, path: str) -> Iterator[FieldViolation]:
    if field.is_message:
        yield from _violations(value, prefix=f"{path}.")
    else:
        yield from (FieldViolation(path, problem) for problem in _problems_of_value(field, value))


def _problem_of_field(message: Message, field: _Field, value: Any) -> str | None:
    allowed = field.limits
    if field.descriptor.is_repeated:
        if allowed.required and not value:
            return "needs at least one element"
        if allowed.max_items and len(value) > allowed.max_items:
            return f"holds more than {allowed.max_items} elements"
        return None
    if not allowed.required or _is_set(message, field, value):
        return None
    return "is required"


def _is_set(message: Message, field: _Field, value: Any) -> bool:
    if field.descriptor.has_presence and not message.HasField(field.descriptor.name):
        return False
    if isinstance(value, str):
        return bool(value.strip())
    # Without presence a zero cannot be told from nothing.
    return field.descriptor.has_presence or bool(value)


def _problems_of_value(field: _Field, value: Any) -> Iterator[str]:
    if field.descriptor.cpp_type in TEXT_TYPES:
        yield from _problems_of_text(field.limits, value)
    elif field.descriptor.cpp_type in NUMBER_TYPES:
        yield from _problems_of_number(field.limits, value)


def _problems_of_text(allowed: FieldLimits, value: str | bytes) -> Iterator[str]:
    num_bytes = len(value.encode()) if isinstance(value, str) else len(value)
    if allowed.max_bytes and num_bytes > allowed.max_bytes:
        yield f"is longer than {allowed.max_bytes} bytes"
    if not isinstance(value, str) or not value:
        return
    if allowed.identifier and not (value.isprintable() and " " not in value):
        yield "holds white space or characters that cannot be printed"
    if allowed.one_of and value not in allowed.one_of:
        yield f"is none of {', '.join(allowed.one_of)}"


def _problems_of_number(allowed: FieldLimits, value: float) -> Iterator[str]:
    has_minimum, has_maximum = allowed.HasField("minimum"), allowed.HasField("maximum")
    if (has_minimum or has_maximum) and not isfinite(value):
        yield "is not a finite number"
    elif has_minimum and value < allowed.minimum:
        yield f"is below {allowed.minimum:g}"
    elif has_maximum and value > allowed.maximum:
        yield f"is above {allowed.maximum:g}"
