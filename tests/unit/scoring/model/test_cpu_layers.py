"""Fused layers against transformers' own, and where they must stand aside."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from services.scoring.model import cpu_products
from services.scoring.model.cpu_layers import fuse_cpu_layers
from services.scoring.model.lora_layers import LoraFactors, LoraLinear, MergedWeight
from tests.doubles.models import TINY_GEMMA_2, TINY_MODELS, load_tiny

# Relative, of a few roundings to bfloat16, which has eight bits.
TOLERANCE = 2 * 2**-8

pytestmark = pytest.mark.skipif(
    not cpu_products.are_supported(torch.device("cpu"), torch.bfloat16),
    reason="this processor has no bfloat16 products",
)


@pytest.fixture(params=TINY_MODELS)
def model(request: pytest.FixtureRequest, cache_dir: Path) -> Any:
    base = load_tiny(cache_dir, request.param, dtype="bfloat16")
    fuse_cpu_layers(base.model)
    generator = torch.Generator().manual_seed(1)
    for module in base.model.modules():
        if type(module).__name__.endswith("RMSNorm"):  # zeros in a random model: the factor would be 1
            module.weight.data.normal_(0, 0.3, generator=generator)
    return base.model


@pytest.fixture
def layers(model: Any) -> tuple[nn.Module, nn.Module]:
    layer = model.model.layers[0]
    return layer.mlp, layer.input_layernorm


def inputs(layer: nn.Module) -> torch.Tensor:
    width = next(layer.parameters()).shape[-1]
    return torch.randn(3, 7, width, generator=torch.Generator().manual_seed(2)).bfloat16() * 3


def in_float32(layer: nn.Module, values: torch.Tensor) -> torch.Tensor:
    """Computes a layer as transformers writes it, in float32."""
    layer.float()
    outputs: torch.Tensor = type(layer).forward(layer, values.float())
    layer.bfloat16()
    return outputs


@pytest.mark.parametrize("which", [0, 1])
def test_fused_layers_compute_what_transformers_computes(
    layers: tuple[nn.Module, nn.Module], which: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = layers[which]
    values = inputs(layer)
    before = values.clone()
    with torch.no_grad():
        own_way = type(layer).forward(layer, values).float()
        exact = in_float32(layer, values)
    monkeypatch.setattr(type(layer), "forward", None)  # so that nothing else can answer

    with torch.inference_mode():
        outputs = layer(values)

    assert outputs.dtype == torch.bfloat16
    # Rounded less often, so no further from the exact result.
    assert (outputs - exact).square().mean() <= 1.02 * (own_way - exact).square().mean()
    assert torch.equal(values, before)


def test_the_adapter_in_use_counts(layers: tuple[nn.Module, nn.Module]) -> None:
    mlp: Any = layers[0]
    values = inputs(mlp)
    other = torch.randn_like(mlp.gate_proj.weight) * 0.1
    a, b = torch.randn(2, values.shape[-1]).bfloat16(), torch.randn(other.shape[0], 2).bfloat16() * 0.1
    mlp.gate_proj = wrapped = LoraLinear(mlp.gate_proj)

    with torch.inference_mode():
        merged = MergedWeight(other), MergedWeight(cpu_products.packed(other))
        for change in (*merged, LoraFactors(a, b), None):
            wrapped.change = change
            outputs = mlp(values)
            expected = type(mlp).forward(mlp, values)
            assert (outputs - expected).norm() < TOLERANCE * expected.norm()


def test_training_takes_the_way_of_transformers(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = torch.arange(5).unsqueeze(0)
    calls: list[type] = []
    for module in {type(each): each for each in model.modules()}.values():
        if type(module).__name__.endswith(("MLP", "RMSNorm")):
            original = type(module).forward

            def counted(layer: Any, values: torch.Tensor, original: Any = original) -> torch.Tensor:
                calls.append(type(layer))
                return original(layer, values)  # type: ignore[no-any-return]

            monkeypatch.setattr(type(module), "forward", counted)

    model(input_ids=tokens).logits.sum().backward()

    assert len(set(calls)) == 2
    assert all(parameter.grad is not None for parameter in model.model.layers[0].mlp.parameters())


def test_float32_stays_as_it_is(cache_dir: Path) -> None:
    base = load_tiny(cache_dir, TINY_GEMMA_2)
    fuse_cpu_layers(base.model)

    assert not any("forward" in vars(module) for module in base.model.modules())
