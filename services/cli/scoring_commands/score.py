"""``resume-scorer score``: one job, some resumes, no service needed."""

import asyncio
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from services.cli.command_settings import load_command_settings
from services.contracts.errors import FieldViolation, InvalidInput, ScoringFailed
from services.contracts.outcomes import InputFault
from services.contracts.scoring import LineInfluence, PairRequest, PairScore
from services.devkit import out, say
from services.scoring.engine import (
    NO_READABLE_TEXT,
    ScoringEngine,
    attribute_score,
    readable_sentences,
    running_engine,
    score_pairs,
)
from services.scoring.reading.texts.text_cleaning import clean_text

_EXPLANATION_TOKENS = 128
_SHOWN_PARTS = 5
_SHOWN_CHARACTERS = 60
#: Exit code of a run in which some resumes have no score.
EXIT_INCOMPLETE = 1
_job_file = click.Path(exists=True, dir_okay=False, path_type=Path)
# Looked at one by one: a resume that is missing must not keep the others from being scored.
_resume_file = click.Path(path_type=Path)


@dataclasses.dataclass(frozen=True, slots=True)
class _Reasons:
    """Why a score is what it is: measured influence of lines, and words where the model has any."""

    parts: Sequence[LineInfluence]
    text: str


@click.command()
@click.option("--job", required=True, type=_job_file, help="The job description, as a text file.")
@click.option(
    "--resume",
    "resumes",
    required=True,
    multiple=True,
    type=_resume_file,
    help="A resume, as a text file; may be repeated.",
)
@click.option(
    "--explain",
    is_flag=True,
    help="Show which lines moved the score most, and the model's own words where it has any.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a line, one line a resume, best first."
)
def score(job: Path, resumes: tuple[Path, ...], explain: bool, as_json: bool) -> int:
    """Scores resumes against a job, best first.

    A resume that cannot be read or scored is named; the others are scored, and the exit code is 1.
    """
    job_description = _read(job)
    requests, failures = _read_resumes(job_description, resumes)
    _report(failures, as_json=as_json)
    num_failed = len(failures)
    if requests:
        settings = load_command_settings()
        with running_engine(
            settings, settings.drain_seconds, (lambda line: None) if as_json else say
        ) as engine:
            num_failed += asyncio.run(_score(engine, job, requests, explain=explain, as_json=as_json))
    return EXIT_INCOMPLETE if num_failed else 0


def _read(path: Path) -> str:
    try:
        # A byte order mark is no part of the text.
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise _unreadable(path, error.strerror or "cannot be read") from error
    except UnicodeDecodeError as error:
        raise _unreadable(path, "must be a text file in UTF-8") from error
    if not clean_text(text):
        raise _unreadable(path, "holds no readable text")
    return text


def _read_resumes(job_description: str, resumes: Sequence[Path]) -> tuple[list[PairRequest], dict[str, str]]:
    """Returns the resumes that can be read, and why the others cannot, by path."""
    requests, failures = [], {}
    for path in resumes:
        try:
            requests.append(PairRequest(str(path), job_description, _read(path)))
        except InvalidInput as error:
            failures[str(path)] = error.violations[0].description
    return requests, failures


def _unreadable(path: Path, description: str) -> InvalidInput:
    return InvalidInput(InputFault.UNREADABLE_FILE, [FieldViolation(str(path), description)])


async def _score(
    engine: ScoringEngine, job: Path, requests: list[PairRequest], *, explain: bool, as_json: bool
) -> int:
    """Prints what came of each resume; returns how many have no score."""
    run = await score_pairs(engine, requests)
    outcomes = list(zip(requests, run.outcomes, strict=True))
    scored = [(request, outcome) for request, outcome in outcomes if isinstance(outcome, PairScore)]
    for request, result in sorted(scored, key=lambda entry: -entry[1].score):
        reasons = await _reasons(engine, request, result) if explain else None
        if as_json:
            print(json.dumps(_as_json(result) | (_reasons_as_json(reasons) if reasons else {})), flush=True)
        else:
            _print_line(result)
            if reasons:
                _print_reasons(request, reasons)
    failures = {
        request.request_id: _description(outcome, job)
        for request, outcome in outcomes
        if not isinstance(outcome, PairScore)
    }
    _report(failures, as_json=as_json)
    return len(failures)


async def _reasons(engine: ScoringEngine, request: PairRequest, result: PairScore) -> _Reasons:
    parts = await attribute_score(engine, request, result)
    pieces = engine.explain(request, result, _EXPLANATION_TOKENS)
    return _Reasons(parts, "".join([sentence async for sentence in readable_sentences(pieces)]))


def _reasons_as_json(reasons: _Reasons) -> dict[str, Any]:
    return {
        "attribution": [dataclasses.asdict(part) for part in reasons.parts],
        "explanation": reasons.text,
        "explanation_missing": "" if reasons.text else NO_READABLE_TEXT,
    }


def _description(error: InvalidInput | ScoringFailed, job: Path) -> str:
    """Returns what is wrong, with the job's file named where the job is meant."""
    if not isinstance(error, InvalidInput):
        return str(error)
    return "; ".join(
        f"{job}: {v.description}" if v.field == "job.description" else v.description for v in error.violations
    )


def _report(failures: dict[str, str], *, as_json: bool) -> None:
    for name, description in failures.items():
        if as_json:
            print(json.dumps({"resume": name, "error": description}), flush=True)
        print(f"resume-scorer: {name}: {description}", file=sys.stderr)


def _print_line(result: PairScore) -> None:
    distribution = result.distribution
    low, high = distribution.percentile(10), distribution.percentile(90)
    notes = f"  [{', '.join(result.flags)}]" if result.flags else ""
    out.print(
        f"{result.score:6.1f}  {result.category:<9}  10-90 %: {low:3d}-{high:<3d}  "
        f"{result.request_id}{notes}",
        markup=False,
        soft_wrap=True,
    )


def _print_reasons(request: PairRequest, reasons: _Reasons) -> None:
    lines = request.resume.split("\n")
    for part in reasons.parts[:_SHOWN_PARTS]:
        span = (
            f"line {part.first_line}"
            if part.first_line == part.last_line
            else (f"lines {part.first_line}-{part.last_line}")
        )
        beginning = " ".join(lines[part.first_line - 1].split())[:_SHOWN_CHARACTERS]
        out.print(f"  {part.points:+6.1f}  {span:<13}  {beginning}", markup=False, soft_wrap=True)
    out.print(f"  {reasons.text.strip() or NO_READABLE_TEXT}", markup=False, soft_wrap=True)


def _as_json(result: PairScore) -> dict[str, Any]:
    distribution = result.distribution
    return {
        "resume": result.request_id,
        "score": result.score,
        "category": result.category,
        "median": distribution.median,
        "standard_deviation": distribution.standard_deviation,
        "percentile_10": distribution.percentile(10),
        "percentile_90": distribution.percentile(90),
        "distribution": distribution.probabilities,
        "base_model": result.base_model,
        "adapter_digest": result.adapter_digest,
        "adapter_version": result.adapter_version,
        "prompt_version": result.prompt_version,
        "prompt_tokens": result.num_prompt_tokens,
        "truncated_tokens": result.num_truncated_tokens,
        "job_truncated_tokens": result.num_job_truncated_tokens,
        "flags": list(result.flags),
        "identity_masked": result.is_identity_masked,
    }
