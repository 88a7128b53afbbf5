"""The base of what is handed from one stage to the next, and of what a firm tells us."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Frozen; refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")
