"""``resume-scorer score``: one job, some resumes, no service needed."""

import asyncio
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from services.cli.command_settings import load_command_settings
from services.cli.console import out, say
from services.contracts.errors import FieldViolation, InvalidInput
from services.contracts.scoring import PairRequest, PairScore

if TYPE_CHECKING:
    from services.scoring.attribution import LineInfluence
    from services.scoring.engine import ScoringEngine

_EXPLANATION_TOKENS = 128
_SHOWN_PARTS = 5
_SHOWN_CHARACTERS = 60
_text_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--job", required=True, type=_text_file, help="The job description, as a text file.")
@click.option(
    "--resume",
    "resumes",
    required=True,
    multiple=True,
    type=_text_file,
    help="A resume, as a text file; may be repeated.",
)
@click.option(
    "--explain", is_flag=True, help="Show which lines moved the score most, and the model's own words."
)
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a line, one line a resume, best first."
)
def score(job: Path, resumes: tuple[Path, ...], explain: bool, as_json: bool) -> None:
    """Scores resumes against a job, best first."""
    from services.cli.offline_scoring import open_engine

    job_description = _read(job)
    requests = [PairRequest(str(path), job_description, _read(path)) for path in resumes]
    settings = load_command_settings()
    engine = open_engine(settings, (lambda line: None) if as_json else say)
    try:
        asyncio.run(_score(engine, requests, explain=explain, as_json=as_json))
    finally:
        engine.close(settings.drain_seconds)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            "unreadable_file", [FieldViolation(str(path), "must be a readable text file in UTF-8")]
        ) from error


async def _score(
    engine: "ScoringEngine", requests: list[PairRequest], *, explain: bool, as_json: bool
) -> None:
    from services.cli.offline_scoring import score_pairs
    from services.scoring.attribution import attribute_score

    run = await score_pairs(engine, requests, lambda _: None)
    ranked = sorted(zip(requests, run.scores, strict=True), key=lambda entry: -entry[1].score)
    for request, result in ranked:
        if as_json:
            fields = _as_json(result)
            if explain:
                parts = await attribute_score(engine, request, result)
                fields["attribution"] = [dataclasses.asdict(part) for part in parts]
                fields["explanation"] = "".join([piece async for piece in _explain(engine, request, result)])
            print(json.dumps(fields), flush=True)
        else:
            _print_line(result)
            if explain:
                _print_parts(request, await attribute_score(engine, request, result))
                async for piece in _explain(engine, request, result):
                    out.print(piece, end="", markup=False)
                out.print()


def _explain(engine: "ScoringEngine", request: PairRequest, result: PairScore) -> Any:
    return engine.explain(request, result, _EXPLANATION_TOKENS)


def _print_line(result: PairScore) -> None:
    distribution = result.distribution
    low, high = distribution.percentile(10), distribution.percentile(90)
    notes = f"  [{', '.join(result.flags)}]" if result.flags else ""
    out.print(
        f"{result.score:6.1f}  {result.category:<9}  10-90 %: {low:3d}-{high:<3d}  "
        f"{result.request_id}{notes}",
        markup=False,
    )


def _print_parts(request: PairRequest, parts: "Sequence[LineInfluence]") -> None:
    lines = request.resume.split("\n")
    for part in parts[:_SHOWN_PARTS]:
        span = (
            f"line {part.first_line}"
            if part.first_line == part.last_line
            else (f"lines {part.first_line}-{part.last_line}")
        )
        beginning = " ".join(lines[part.first_line - 1].split())[:_SHOWN_CHARACTERS]
        out.print(f"  {part.points:+6.1f}  {span:<13}  {beginning}", markup=False)


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
