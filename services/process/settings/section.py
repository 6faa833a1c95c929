"""What every section of the settings is made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Port = Annotated[int, Field(ge=0, le=65535)]


class Section(BaseModel):
    """Settings of one subject: the type that a room takes, so that it sees these and no others.

    Each field is an environment variable, its name in capitals behind ``SCORER_``, and a key of the TOML
    file; its docstring is its description in docs/settings.md.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
