"""The fast engine: changes valid inputs byte by byte, the same changes for the same seed."""

import json
import random
from collections.abc import Callable, Iterator

from tests.programs.fuzz.targets import CONTENT_TYPES, EVENTS, TARGETS
from training.attacks.attacks import load_attacks

_EVENT = {
    "application_id": "a-1",
    "job_id": "j-1",
    "resume": "Ten years. \u200b\ud83d\ude00",
    "job": {"title": "Nurse", "description": "Cares."},
    "score": 70.5,
    "category": "good",
    "rater": "r-1",
    "metrics": {"mae": 1.5},
    "publish_time": "2026-01-01T00:00:00Z",
}
_MANIFEST = {"format": 1, "files": {"a.safetensors": {"sha256": "0" * 64, "num_bytes": 12}}}
_TOKENS = f'[callers.ats]\ntoken_sha256 = "{"0" * 64}"\nscopes = ["score", "feedback"]\n'
_IDENTITY = (
    "Ada Example\nada@example.org, +1 212 555 0123\n12 Main Street, NY 10001\n"
    "Ms. Example (she / her), aged 45. She led her team; his work, him, hers, himself.\n"
    "Society of Women Engineers. B.A., class of 2011\nPhoto: me"
)
_PIECES = (  # what parsers trip over
    b"\x00", b"\xff", b"\xed\xa0\x80", b"\\ud800", b"1e999", b"NaN", b"-1", b"null", b"true", b"[", b"{",
    b"}", b"]", b",", b":", b'"', b"\\u0000", b"99999999999999999999", b"\xe2\x80\xae", b"../", b"=", b"\n",
    "\u017f".encode(), "\u0130".encode(), "\u0131".encode(), "\u212a".encode(),  # s, i and k of another case
)  # fmt: skip


def mutated(seed: bytes, chance: random.Random) -> bytes:
    """Returns the seed after one to six changes: bits, pieces, cuts, repetitions."""
    content = bytearray(seed)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(content) + 1)
        to = min(len(content), at + chance.randint(1, 12))
        match chance.randrange(5):
            case 0 if at < len(content):
                content[at] ^= 1 << chance.randrange(8)
            case 1:
                content[at:at] = chance.choice(_PIECES)
            case 2:
                del content[at:to]
            case 3:
                content[at:at] = content[at:to] * chance.choice((2, 300))
            case _:
                content[at:to] = chance.choice(_PIECES)
    return bytes(content)


def _events(chance: random.Random) -> Iterator[tuple[object, ...]]:
    names = [{field.name for field in event.DESCRIPTOR.fields} for event in EVENTS]
    while True:
        number = chance.randrange(len(EVENTS))
        fields = {name: value for name, value in _EVENT.items() if name in names[number]}
        text = json.dumps(fields, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
        yield EVENTS[number], mutated(text, chance), chance.choice(CONTENT_TYPES), chance.randbytes(8)


def _bytes_of(seed: bytes) -> Callable[[random.Random], Iterator[tuple[object, ...]]]:
    def inputs(chance: random.Random) -> Iterator[tuple[object, ...]]:
        while True:
            yield (mutated(seed, chance),)

    return inputs


def _texts(chance: random.Random) -> Iterator[tuple[object, ...]]:
    seeds = [attack.text.encode() for attack in load_attacks()]
    seeds += [_IDENTITY.encode()] * len(seeds)
    while True:
        yield (mutated(chance.choice(seeds), chance).decode("utf-8", "surrogateescape"),)


def _settings(chance: random.Random) -> Iterator[tuple[object, ...]]:
    from services.process.settings import Settings

    names = sorted(Settings.model_fields)
    while True:
        values = (
            mutated(b"0.5 on auto", chance).replace(b"\0", b"").decode("utf-8", "ignore") for _ in range(2)
        )
        yield ({f"SCORER_{chance.choice(names).upper()}": value for value in values},)


_INPUTS: dict[str, Callable[[random.Random], Iterator[tuple[object, ...]]]] = {
    "event_decoding": _events,
    "adapter_manifest": _bytes_of(json.dumps(_MANIFEST).encode()),
    "tokens_file": _bytes_of(_TOKENS.encode()),
    "texts": _texts,
    "settings": _settings,
}
#: Share of all inputs: settings take a hundred times as long as the rest.
SHARES = {
    "event_decoding": 0.5,
    "adapter_manifest": 0.25,
    "tokens_file": 0.1,
    "texts": 0.14,
    "settings": 0.01,
}


def fuzz(name: str, num_inputs: int, seed: int) -> None:
    """Gives a target so many inputs; whatever it raises comes out, with the input in its notes."""
    inner = TARGETS[name].hypothesis.inner_test  # type: ignore[attr-defined]
    inputs = _INPUTS[name](random.Random(seed))
    for _, given in zip(range(num_inputs), inputs, strict=False):
        try:
            inner(*given)
        except BaseException as error:
            error.add_note(f"input of {name}: {given!r}")
            raise
