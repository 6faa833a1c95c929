"""No Docker engine runs here: hadolint reads the Dockerfile, and its pip steps run in a clean environment."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

from services.process.settings import PREFIX, Settings, load_settings, variable_of
from tests.deploy.tools import DEPLOY, ROOT, program

DOCKERFILE = DEPLOY / "Dockerfile"
Instruction = tuple[str, str]


def instructions() -> list[Instruction]:
    """Returns the instructions with their lines joined and comments left out."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    found = [re.match(r"([A-Z]+)\s+(.*)", line) for line in joined.splitlines() if line.strip()]
    return [(match[1], " ".join(match[2].split())) for match in found if match is not None]


def stage(name: str) -> list[Instruction]:
    """Returns the instructions of one stage and of those that it stands on."""
    found: list[Instruction] = []
    base, is_inside = "", False
    for kind, text in instructions():
        if kind == "FROM":
            is_inside = text.endswith(f"AS {name}")
            base = text.split()[0] if is_inside else base
        elif is_inside:
            found.append((kind, text))
    return found if base.startswith("$") else stage(base) + found


def environment_of(name: str) -> dict[str, str]:
    pairs = [text for kind, text in stage(name) if kind == "ENV"]
    return dict(pair.split("=", 1) for text in pairs for pair in shlex.split(text))


def runs(name: str, start: str) -> list[str]:
    return [text for kind, text in stage(name) if kind == "RUN" and text.startswith(start)]


def test_hadolint_finds_nothing() -> None:
    checked = subprocess.run([program("hadolint"), str(DOCKERFILE)], capture_output=True, text=True)

    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("target", ["cpu", "cuda"])
def test_the_image_does_not_run_as_root_and_names_what_it_writes(target: str) -> None:
    found = dict(stage(target))
    environment = environment_of(target)
    volumes = re.findall(r'"([^"]+)"', found["VOLUME"])
    written = ["SCORER_MODEL_CACHE_DIR", "SCORER_ADAPTER_STORE", "SCORER_TRAINER_DIR"]

    assert found["USER"] == "10001:10001"
    assert all(any(environment[name].startswith(volume) for volume in volumes) for name in written)
    assert "HEALTHCHECK" in found


def test_base_images_are_pinned_to_one_version() -> None:
    images = [text.split("=", 1)[1] for kind, text in instructions() if kind == "ARG"]
    bases = {text.split()[0] for kind, text in instructions() if kind == "FROM"}
    stages = {text.split()[-1] for kind, text in instructions() if kind == "FROM"}

    assert bases <= stages | {"${PYTHON_IMAGE}"}
    assert all(re.fullmatch(r"[\w/]+:\d+\.\d+\.\d+-[\w-]+", image) for image in images)


@pytest.mark.parametrize("target", ["cpu", "cuda"])
def test_the_images_settings_are_accepted(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {name: value for name, value in environment_of(target).items() if name.startswith(PREFIX)}
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)

    settings = load_settings()

    fields = {variable_of(field): field for field in Settings.model_fields}
    assert {name: str(getattr(settings, fields[name])) for name in chosen} == chosen


@pytest.mark.parametrize("target", ["builder-cpu", "builder-cuda"])
def test_what_the_dockerfile_pins_is_what_the_constraints_pin(target: str) -> None:
    pinned = set((ROOT / "constraints.txt").read_text().splitlines())
    named = [word for text in runs(target, "pip install") for word in text.split() if "==" in word]

    assert named
    assert {word.partition("+")[0] for word in named} <= pinned


def test_every_named_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    pinned = {
        canonical(line.split("==")[0])
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }

    assert [name for name in named if canonical(name.partition("[")[0]) not in pinned] == []


def canonical(name: str) -> str:
    return name.lower().replace("_", "-")


@pytest.mark.slow
def test_the_constraints_hold_every_dependency() -> None:
    """The dependency step, as a dry run in an environment made from constraints.txt: nothing is missing."""
    (step,) = [text for text in runs("builder-cpu", "mkdir") if "pip install -c constraints.txt ." in text]
    command = [sys.executable, "-m", *shlex.split(step.split("&&")[1]), "--dry-run"]

    planned = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert planned.returncode == 0, planned.stderr
    assert planned.stdout.splitlines()[-1].split(None, 2)[2].startswith("resume-scorer-")


@pytest.mark.slow
def test_the_project_is_installed_whole_into_a_clean_environment(tmp_path: Path) -> None:
    """The last pip step, on what .dockerignore lets through; dependencies are borrowed from here."""
    context, environment = tmp_path / "src", tmp_path / "venv"
    context.mkdir()
    for name in allowed_in_context():
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, context / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, context / name)
    step = runs("builder-cpu", "pip install")[-1]
    assert step == runs("builder-cuda", "pip install")[-1]

    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    bin_dir = environment / "bin"
    run = {"cwd": context, "check": True, "capture_output": True, "text": True}
    subprocess.run([str(bin_dir / "python"), "-m", *shlex.split(step)], **run)  # type: ignore[call-overload]
    borrowed = os.environ | {"PYTHONPATH": sysconfig.get_path("purelib"), "PATH": f"{bin_dir}:/usr/bin:/bin"}
    asked = subprocess.run(
        [str(bin_dir / "resume-scorer"), "--help"], cwd=tmp_path, env=borrowed, capture_output=True, text=True
    )
    checked = subprocess.run(
        [str(bin_dir / "python"), "-c", "import services, training; print(services.__file__)"],
        cwd=tmp_path,
        env=borrowed,
        capture_output=True,
        text=True,
    )

    assert "worker" in asked.stdout, asked.stderr
    assert checked.stdout.startswith(str(environment)), checked.stderr
    installed = Path(checked.stdout.strip()).parents[1]
    shipped = [
        each.relative_to(ROOT)
        for package in ("services", "training")
        for each in (ROOT / package).rglob("*")
        if each.is_file() and each.suffix not in (".pyc", ".pyi")
    ]
    assert [str(each) for each in shipped if not (installed / each).exists()] == []


def allowed_in_context() -> list[str]:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    return [line.removeprefix("!") for line in lines if line.startswith("!")]
