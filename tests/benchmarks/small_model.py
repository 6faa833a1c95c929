"""A Gemma 2 of gemma-2-2b's proportions at a size that a CPU computes in moments; weights are random."""

import shutil
from pathlib import Path

from services.scoring.bundled_model import prepare_bundled_tokenizer

NAME = "small-gemma-2"


def write_small_model(folder: Path, cache_dir: Path) -> Path:
    """Writes the model in bfloat16 with the tokenizer of all random models; returns its folder.

    The tiny models of the tests are too narrow for this: 4-bit weights come in blocks of 64.

    Args:
        folder: in which a folder of the model's name is made.
        cache_dir: as in ``prepare_bundled_tokenizer``.
    """
    import torch
    from transformers import AutoModelForCausalLM, Gemma2Config

    config = Gemma2Config(
        hidden_size=256,
        intermediate_size=1024,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=64,
        query_pre_attn_scalar=64,
        vocab_size=262_144,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder / NAME)
    shutil.copy(prepare_bundled_tokenizer(cache_dir), folder / NAME / "tokenizer.json")
    return folder / NAME
