"""``resume-scorer audit``: fairness, stability and monotonicity of the scores that the services give."""

import hashlib
import json
import random
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
import yaml
from pydantic import ValidationError
from rich.table import Table

from services.cli.command_settings import adapter_settings
from services.cli.progress import progress
from services.cli.scoring_commands.scores_folder import open_scores_folder, open_store
from services.contracts.errors import FieldViolation, InvalidInput, SettingsInvalid
from services.contracts.outcomes import InputFault
from services.devkit import out, say
from services.scoring.engine import running_engine
from training.audit.figures import AuditFigures, AuditThresholds
from training.audit.measurement import Audit, AuditPlan
from training.audit.report import AuditSubject, audit_as_json, shown, write_audit
from training.pairs.dataset import LabelledPair, Pair, read_labelled_pairs, read_pairs

#: Exit code of an audit that ran and missed a threshold.
EXIT_MISSED = 3


@click.command()
@click.option(
    "--data",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help='JSON lines of {"resume", "job_description"}, with "score", "sex", "race_ethnicity" where known.',
)
@click.option(
    "--adapter",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="A LoRA adapter, instead of the one in the settings.",
)
@click.option(
    "--report",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for audit.html, audit.json and the scores, from which an interrupted run goes on.",
)
@click.option("--max-rows", type=click.IntRange(1), default=100, show_default=True, help="Rows to draw.")
@click.option(
    "--skill-changes",
    type=click.IntRange(1),
    default=60,
    show_default=True,
    help="Invented pairs whose skills are changed.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of everything drawn.")
@click.option("--json", "as_json", is_flag=True, help="The figures as one JSON object.")
@click.option(
    "--resume", "is_resumed", is_flag=True, help="Fail where --report holds no scores to go on from."
)
def audit(
    data: Path,
    adapter: Path | None,
    report: Path | None,
    max_rows: int,
    skill_changes: int,
    seed: int,
    as_json: bool,
    is_resumed: bool,
) -> None:
    """Measures how scores change with what must not matter; exit code 3 where a threshold is missed."""
    settings = adapter_settings(adapter)
    limits = _thresholds(settings.audit_thresholds)
    rows = _draw(_read_rows(data), max_rows, seed)
    measured = Audit(AuditPlan(rows, skill_changes, seed, limits))
    with (
        open_scores_folder(report, must_exist=is_resumed) as folder,
        running_engine(settings, settings.drain_seconds, say) as engine,
    ):
        store, probe = open_store(engine, folder)
        with progress("scoring", len(measured.texts)) as advance:
            figures = measured.measure(store, advance)
        subject = AuditSubject(
            base_model=probe.base_model,
            adapter_digest=probe.adapter_digest,
            adapter_version=probe.adapter_version,
            prompt_version=probe.prompt_version,
            is_identity_masked=probe.is_identity_masked,
            data_digest=hashlib.sha256(data.read_bytes()).hexdigest(),
            audited=datetime.now(UTC),
        )
        if report:
            say(f"report -> {write_audit(folder, subject, figures, limits)}")
    if as_json:
        print(json.dumps(audit_as_json(subject, figures, limits)))
    else:
        _print_figures(subject, figures, limits)
    if not all(check.is_passed for check in figures.checks(limits)):
        sys.exit(EXIT_MISSED)


def _thresholds(path: str) -> AuditThresholds:
    if not path:
        return AuditThresholds()
    try:
        limits = yaml.safe_load(Path(path).expanduser().read_text("utf-8"))
        return AuditThresholds.model_validate(limits or {})
    except ValidationError as error:
        item = error.errors(include_url=False)[0]
        raise SettingsInvalid(f"{path}: {'.'.join(map(str, item['loc']))}: {item['msg']}") from error
    except (OSError, yaml.YAMLError) as error:
        raise SettingsInvalid(f"SCORER_AUDIT_THRESHOLDS: {path} is no readable YAML file") from error


def _read_rows(data: Path) -> Sequence[Pair | LabelledPair]:
    """Returns labelled rows where all have a score, else plain ones."""
    pairs = read_pairs(data)
    if not pairs:
        raise InvalidInput(InputFault.EMPTY_FILE, [FieldViolation("--data", "holds no pair")])
    return read_labelled_pairs(data) if all("score" in pair.fields for pair in pairs) else pairs


def _draw(rows: Sequence[Pair | LabelledPair], max_rows: int, seed: int) -> Sequence[Pair | LabelledPair]:
    return rows if len(rows) <= max_rows else random.Random(seed).sample(list(rows), max_rows)  # noqa: S311


def _print_figures(subject: AuditSubject, figures: AuditFigures, limits: AuditThresholds) -> None:
    masked = "on" if subject.is_identity_masked else "off"
    impact = Table("group", "people", "scoring rate", "impact ratio", title="impact at the median score")
    for table in figures.impact:
        for row in table.rows:
            ratio = shown(row.impact_ratio, 3) if row.impact_ratio else "left out"
            impact.add_row(f"{table.kind}: {row.group}", str(row.num_people), f"{row.rate:.3f}", ratio)
    out.print(impact)
    changes = Table("changed", "mean change", "95th pct", "other category", title="points and shares")
    for name, found in {**figures.identity_changes, **figures.stability}.items():
        changes.add_row(
            name.replace("_", " "),
            shown(found.mean_absolute_change),
            shown(found.percentile_95),
            shown(found.category_changes, 3),
        )
    out.print(changes)
    checks = Table(
        "figure", "found", "limit", "", title=f"{figures.num_rows} resumes, identity masking {masked}"
    )
    for check in figures.checks(limits):
        bound = f"{'at most' if check.is_upper_limit else 'at least'} {check.limit:g}"
        verdict = "ok" if check.is_passed else "not measured" if check.value is None else "MISSED"
        checks.add_row(check.name.replace("_", " "), shown(check.value, 3), bound, verdict)
    out.print(checks)
