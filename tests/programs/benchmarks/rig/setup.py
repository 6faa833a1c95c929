"""What a run of benchmarks shares: which model, how many rounds, how much work."""

import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from services.adapters.default_adapter import adapter_folder
from services.contracts.engine_settings import EngineSettings
from services.contracts.scoring import PairRequest
from services.process.settings import Settings
from services.scoring.model.loading.base_model import BaseModel, load_base_model
from tests.programs.benchmarks.rig.work import WorkSize, fresh_work

Quantization = Literal["auto", "nf4", "none"]


@dataclass
class Setup:
    """One run's settings, and base models that are loaded once.

    Attributes:
        settings: of the process; services that a benchmark starts get them.
        spec: of the engine.
        size: of one round.
        num_rounds: that are measured.
        note: what is special about this run, for every result; empty where nothing is.
    """

    settings: Settings
    spec: EngineSettings
    size: WorkSize = WorkSize(8, 12)
    num_rounds: int = 3
    note: str = ""
    _loaded: dict[str, BaseModel] = field(default_factory=dict)

    def base(self, quantization: Quantization | None = None) -> BaseModel:
        """Returns a copy of the base model that nothing has put an adapter into.

        Args:
            quantization: None takes that of the settings.
        """
        spec = self.spec.having(quantization=quantization or self.spec.quantization)
        if spec.quantization not in self._loaded:
            self._loaded[spec.quantization] = load_base_model(spec)
        loaded = self._loaded[spec.quantization]
        return replace(loaded, model=copy.deepcopy(loaded.model))

    @property
    def adapter(self) -> Path | None:
        """Returns the folder of the adapter that is served, or None for the base model alone."""
        return adapter_folder(self.spec)

    def forget_models(self) -> None:
        """Gives the memory of the loaded models back."""
        self._loaded.clear()

    def fresh_work(self) -> list[PairRequest]:
        """Returns one round's pairs, with jobs that no cache holds."""
        return fresh_work(self.size)

    def engine_spec(self, **changes: object) -> EngineSettings:
        """Returns the engine's spec with room for a whole round in its queue."""
        room = max(self.spec.max_queued_pairs, self.size.num_pairs + 1)
        return self.spec.having(max_queued_pairs=room, **changes)

    def variant(self) -> str:
        """Returns which model on which device, as results name it; loads nothing."""
        import torch

        spec = self.spec
        device = spec.device.partition(":")[0]
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        quantization = spec.quantization
        if quantization == "auto":
            quantization = "nf4" if device == "cuda" else "none"
        dtype = "bfloat16" if spec.dtype == "auto" else spec.dtype
        name = Path(spec.base_model).name  # of a folder, no more than that
        return f"{name}, {dtype if quantization == 'none' else quantization}, {device}"
