"""Waiting until something is so, instead of for a time."""

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp

TICK_SECONDS = 0.005


async def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Returns when a condition holds.

    Raises:
        TimeoutError: it does not after so many seconds.
    """
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(TICK_SECONDS)


async def until_status(port: int, path: str, status: int, seconds: float) -> dict[str, Any]:
    """Waits until a health path answers with a status; returns the answer's body."""
    async with asyncio.timeout(seconds), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"http://127.0.0.1:{port}{path}") as answer:
                    if answer.status == status:
                        body: dict[str, Any] = await answer.json()
                        return body
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.05)
