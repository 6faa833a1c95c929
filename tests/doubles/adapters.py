"""Adapters for tests: random LoRA weights on a tiny model, as ``resume-scorer train`` would leave them."""

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model

from services.adapters.adapter_folder import METADATA_FILE
from services.adapters.canaries import write_canaries
from services.adapters.manifest import write_manifest
from services.contracts.adapters import Canary
from services.contracts.reading import PLAIN_RULES, PROMPT_VERSION, ReadingRules
from services.scoring.engine.adapter_switch import load_adapter
from services.scoring.model.loading.families import TARGET_MODULES
from services.scoring.model.score_model import ScoreModel
from services.scoring.reading.score_scale import find_score_tokens
from services.scoring.reading.text_encoder import TextEncoder
from tests.doubles.models import load_tiny
from training.adapter_output.canaries import score_canaries


def make_adapter(
    folder: Path,
    cache_dir: Path,
    seed: int,
    targets: Sequence[str] = TARGET_MODULES,
    canaries: Sequence[Canary] | None = None,
    rules: ReadingRules = PLAIN_RULES,
) -> Path:
    """Writes a whole adapter with its manifest; another seed gives other weights.

    Args:
        folder: where to.
        cache_dir: of the tiny model's tokenizer.
        seed: of the weights.
        targets: the layers that have weights.
        canaries: stored as they are; None: the pairs of training, with the scores that this adapter gives.
        rules: by which scorers read with it.
    """
    base = load_tiny(cache_dir)
    model = get_peft_model(base.model, LoraConfig(r=4, lora_alpha=6, target_modules=list(targets)))
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.data = torch.randn(parameter.shape, generator=generator) * 0.3
    model.save_pretrained(folder)
    metadata = {
        "base_model": base.name,
        "base_model_digest": base.digest,
        "prompt_version": PROMPT_VERSION,
        "reading": rules.to_json(),
    }
    (folder / METADATA_FILE).write_text(json.dumps(metadata))
    write_canaries(folder, _score_canaries(folder, cache_dir, rules) if canaries is None else canaries)
    write_manifest(folder)
    return folder


def _score_canaries(folder: Path, cache_dir: Path, rules: ReadingRules) -> Sequence[Canary]:
    # Its own copy: peft has put its layers into the other one.
    base = load_tiny(cache_dir)
    encoder = TextEncoder(base.tokenizer)
    model = ScoreModel(base, find_score_tokens(encoder))
    model.lora.activate(load_adapter(model, base.name, folder).weights)
    return score_canaries(model, encoder, rules)
