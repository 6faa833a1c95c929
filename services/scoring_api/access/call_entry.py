"""How a call that may be made comes in: its place, its message, then its method.

Every method is served as one of streams, because gRPC hands those over before a message has come: whoever
opens calls and sends nothing has a place like everybody else, and loses it in time.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from services.contracts.errors import DeadlineExpired, ScorerError
from services.contracts.outcomes import Refusal
from services.scoring_api.access.call_pools import CallPool, Place
from services.scoring_api.access.callers import current_caller, identify
from services.scoring_api.answers.call_errors import MessageUnreadable, StreamIdle
from services.scoring_api.answers.error_status import abort_call, refusal_of


class CallEntry:
    """Puts limits around the methods of a server.

    Args:
        message_seconds: how long the message of a call may take to come.
        idle_seconds: how long a stream may stay open without a message.
        on_refusal: told the reason of each call that is turned away.
    """

    def __init__(
        self, message_seconds: float, idle_seconds: float, on_refusal: Callable[[Refusal], None]
    ) -> None:
        self._message_seconds = message_seconds
        self._idle_seconds = idle_seconds
        self._on_refusal = on_refusal

    def guarded(self, handler: Any, pool: CallPool) -> Any:
        """Returns a handler that takes a place in ``pool``, reads the message and calls ``handler``."""

        async def answer(requests: Any, context: grpc.aio.ServicerContext) -> None:
            caller = identify(context)
            current_caller.set(caller)
            place: Place | None = None
            try:
                place = pool.take(caller.name)
                await self._answer(handler, requests, context)
            except ScorerError as error:
                self._on_refusal(refusal_of(error))
                await abort_call(context, error)
            finally:
                if place is not None:
                    place.give_back()

        return grpc.stream_stream_rpc_method_handler(
            answer, _readable(handler.request_deserializer), handler.response_serializer
        )

    async def _answer(self, handler: Any, requests: Any, context: grpc.aio.ServicerContext) -> None:
        method = _method_of(handler)
        request = self._watched(requests) if handler.request_streaming else await self._message(context)
        answered = method(request, context)
        if inspect.isasyncgen(answered):
            async for message in answered:
                await context.write(message)
            return
        message = await answered
        if not handler.response_streaming:
            await context.write(message)

    async def _message(self, context: grpc.aio.ServicerContext) -> Any:
        try:
            async with asyncio.timeout(self._message_seconds):
                request = await context.read()
        except TimeoutError as error:
            raise DeadlineExpired("no message came") from error
        if request is grpc.aio.EOF:
            raise MessageUnreadable("no message came")
        return request

    async def _watched(self, requests: Any) -> AsyncIterator[Any]:
        while True:
            try:
                async with asyncio.timeout(self._idle_seconds):
                    request = await anext(requests)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise StreamIdle("no message came") from error
            yield request


def _method_of(handler: Any) -> Callable[..., Any]:
    methods = (handler.unary_unary, handler.unary_stream, handler.stream_unary, handler.stream_stream)
    found: Callable[..., Any] = next(method for method in methods if method is not None)
    return found


def _readable(deserialize: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def read(content: bytes) -> Any:
        try:
            return deserialize(content)
        except DecodeError as error:
            raise MessageUnreadable("the bytes are no message of this method") from error

    return read
