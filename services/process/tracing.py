"""OpenTelemetry traces of single applications and calls, exported by OTLP; off without an endpoint.

The W3C traceparent comes in with Kafka headers or gRPC metadata and goes on with the published score. The
model core knows nothing of it: its stages become spans afterwards, from the times that stand in the result.
Spans hold ids of nobody: the entrypoint, the versions, token counts and the kind of an error.
"""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from services.contracts.scoring import PairScore

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

TRACEPARENT, TRACESTATE = "traceparent", "tracestate"
# W3C Trace Context, sections 3.2 and 3.3.1.5; versions above 00 may be longer.
_TRACEPARENT_FORM = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[\x21-\x7e]{0,200})?")
_MAX_TRACESTATE_CHARACTERS = 512
NANOSECONDS_PER_SECOND = 10**9
Headers = Sequence[tuple[str, bytes]]

#: Trace id of the running work, for log lines; tasks that it starts inherit it.
current_trace_id: ContextVar[str] = ContextVar("current_trace_id", default="")


class Trace:
    """One application or call that is not traced."""

    def on_score(self, score: PairScore) -> None:
        """Takes the stages of a score; call it when the score has just come."""

    def on_refusal(self, kind: str) -> None:
        """Marks the whole as failed.

        Args:
            kind: snake_case reason, without any text of the pair.
        """

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measures what it encloses."""
        yield

    def headers(self) -> list[tuple[str, bytes]]:
        """Returns what hands the trace on with a record."""
        return []


NO_TRACE = Trace()
#: The trace of the running work.
current_trace: ContextVar[Trace] = ContextVar("current_trace", default=NO_TRACE)


class _Forwarded(Trace):
    """One that others trace: who takes no part hands the context on as it came (W3C Trace Context, 4.3)."""

    def __init__(self, carrier: Mapping[str, str]) -> None:
        self._headers: list[tuple[str, bytes]] = []
        parent, state = carrier.get(TRACEPARENT, ""), carrier.get(TRACESTATE, "")
        if _TRACEPARENT_FORM.fullmatch(parent):
            self._headers.append((TRACEPARENT, parent.encode()))
            if 0 < len(state) <= _MAX_TRACESTATE_CHARACTERS and state.isascii():
                self._headers.append((TRACESTATE, state.encode()))

    def headers(self) -> list[tuple[str, bytes]]:
        return self._headers.copy()


class _Recorded(Trace):
    def __init__(self, tracer: Any, span: Any) -> None:
        self._tracer = tracer
        self._span = span
        self._context = _context_of(span)

    def on_score(self, score: PairScore) -> None:
        seconds = score.seconds
        stages = (
            ("encode", seconds.encode),
            ("queue", seconds.queue),
            ("forward", seconds.forward),
            ("readout", seconds.readout),
        )
        # They follow one another and end now; forward and readout are those of the whole batch.
        start = time.time_ns() - round(sum(length for _, length in stages) * NANOSECONDS_PER_SECOND)
        whole = self._tracer.start_span("score", self._context, start_time=start)
        for name, length in stages:
            end = start + round(length * NANOSECONDS_PER_SECOND)
            self._tracer.start_span(name, _context_of(whole), start_time=start).end(end)
            start = end
        whole.set_attributes(
            {
                "scoring.adapter_digest": score.adapter_digest,
                "scoring.base_model": score.base_model,
                "scoring.prompt_version": score.prompt_version,
                "scoring.prompt_tokens": score.num_prompt_tokens,
                "scoring.truncated_tokens": score.num_truncated_tokens,
                "scoring.prefix_cached": score.is_prefix_cached,
            }
        )
        whole.end(start)

    def on_refusal(self, kind: str) -> None:
        _fail(self._span, kind)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        span = self._tracer.start_span(name, self._context)
        try:
            yield
        finally:
            span.end()

    def headers(self) -> list[tuple[str, bytes]]:
        carrier: dict[str, str] = {}
        _propagator().inject(carrier, self._context)
        return [(name, value.encode()) for name, value in carrier.items()]


class Tracing:
    """Makes the traces of a process; without an endpoint nothing of OpenTelemetry is even imported.

    Args:
        endpoint: takes the spans, OTLP over gRPC; ``https://`` is encrypted, ``http://`` is not; empty: off.
        service: name of this process, such as ``scoring-worker``.
        exporter: takes the spans instead of the endpoint.
    """

    def __init__(self, endpoint: str, service: str, exporter: "SpanExporter | None" = None) -> None:
        self._provider: Any = None
        self._tracer: Any = None
        if not endpoint and exporter is None:
            return
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        # Its own and not OpenTelemetry's global one: a process, and a test, may have several.
        self._provider = TracerProvider(resource=Resource.create({"service.name": service}))
        self._provider.add_span_processor(BatchSpanProcessor(exporter or _otlp_exporter(endpoint)))
        self._tracer = self._provider.get_tracer("resume-scorer")

    @classmethod
    def off(cls) -> "Tracing":
        """Returns one that makes no traces."""
        return cls("", "")

    @contextmanager
    def of_record(self, name: str, headers: Headers) -> Iterator[Trace]:
        """Traces what it encloses as the child of a Kafka record's traceparent.

        Args:
            name: of the span.
            headers: of the record.
        """
        carrier = {key.lower(): (value or b"").decode("ascii", "replace") for key, value in headers}
        with self._traced(name, carrier, is_server=False) as trace:
            yield trace

    @contextmanager
    def of_call(self, name: str, metadata: Sequence[tuple[str, str | bytes]]) -> Iterator[Trace]:
        """Traces what it encloses as the child of a gRPC call's traceparent.

        Args:
            name: of the span.
            metadata: of the call.
        """
        carrier = {key: value for key, value in metadata if isinstance(value, str)}
        with self._traced(name, carrier, is_server=True) as trace:
            yield trace

    def close(self) -> None:
        """Exports what is left; may take some seconds where nobody answers."""
        if self._provider is not None:
            self._provider.shutdown()

    @contextmanager
    def _traced(self, name: str, carrier: Mapping[str, str], *, is_server: bool) -> Iterator[Trace]:
        if self._tracer is not None:
            with self._recorded(name, carrier, is_server=is_server) as recorded:
                yield recorded
            return
        forwarded = _Forwarded(carrier)
        token = current_trace.set(forwarded)
        try:
            yield forwarded
        finally:
            current_trace.reset(token)

    @contextmanager
    def _recorded(self, name: str, carrier: Mapping[str, str], *, is_server: bool) -> Iterator[Trace]:
        from opentelemetry.trace import SpanKind, format_trace_id

        kind = SpanKind.SERVER if is_server else SpanKind.CONSUMER
        span = self._tracer.start_span(name, _propagator().extract(carrier), kind)
        trace = _Recorded(self._tracer, span)
        trace_token = current_trace.set(trace)
        id_token = current_trace_id.set(format_trace_id(span.get_span_context().trace_id))
        try:
            yield trace
        except BaseException as error:
            # Its kind alone: the text of an error, and its frames' locals, may quote a resume.
            _fail(span, type(error).__name__)
            raise
        finally:
            current_trace_id.reset(id_token)
            current_trace.reset(trace_token)
            span.end()


def _otlp_exporter(endpoint: str) -> "SpanExporter":
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(endpoint=endpoint)


def _context_of(span: Any) -> Any:
    from opentelemetry.trace import set_span_in_context

    return set_span_in_context(span)


def _fail(span: Any, kind: str) -> None:
    from opentelemetry.trace import Status, StatusCode

    span.set_status(Status(StatusCode.ERROR, kind))


def _propagator() -> Any:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator()
