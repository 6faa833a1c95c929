"""What a forward pass may fail with, and which failures no other batch can be spared from."""

import torch

# torch's out-of-memory errors are RuntimeErrors, those of Python and NumPy are not.
PASS_ERRORS = (RuntimeError, MemoryError)


def raise_if_device_is_lost(error: BaseException) -> None:
    """Raises an error after which every later pass of this process fails too.

    Such pairs are not at fault: the process must end and compute them again after its restart, instead of
    putting one after the other aside.

    Args:
        error: what a pass raised.
    """
    if isinstance(error, torch.AcceleratorError):
        raise error
