"""Asks a service's health paths as Kubernetes does."""

import asyncio
from typing import Any

import aiohttp


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
