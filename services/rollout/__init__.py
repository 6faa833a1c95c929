"""Which adapter is active: announced by whoever publishes one, followed by every scorer."""

from services.rollout.administration import AdapterAdministration, announcement, open_store
from services.rollout.watch import following_adapters

__all__ = [
    "AdapterAdministration",
    "announcement",
    "following_adapters",
    "open_store",
]
