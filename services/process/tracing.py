"""OpenTelemetry traces of single applications and calls, exported by OTLP; off without an endpoint.

The W3C traceparent comes in with Kafka headers or gRPC metadata and goes on with the published score, also
where nothing is traced here (W3C Trace Context, 4.3). The model core knows nothing of it: its stages become
spans afterwards, from the times that stand in the result. Spans hold ids of nobody: the entrypoint, the
versions, token counts and the kind of an error.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import (
    INVALID_SPAN,
    NoOpTracer,
    Span,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    format_trace_id,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from services.contracts.scoring import PairScore
from services.process.logging import current_trace_id

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

NANOSECONDS_PER_SECOND = 10**9
Headers = Sequence[tuple[str, bytes]]

_PROPAGATOR = TraceContextTextMapPropagator()


class Trace:
    """The trace of one application or call; recorded or not, it hands the context on.

    Args:
        tracer: makes the spans of its steps.
    """

    def __init__(self, tracer: Tracer, span: Span) -> None:
        self._tracer = tracer
        self._span = span
        self._context = set_span_in_context(span)

    def on_score(self, score: PairScore) -> None:
        """Takes the stages of a score; call it when the score has just come."""
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
            self._tracer.start_span(name, set_span_in_context(whole), start_time=start).end(end)
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
        """Marks the whole as failed.

        Args:
            kind: snake_case reason, without any text of the pair.
        """
        self._span.set_status(Status(StatusCode.ERROR, kind))

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measures what it encloses."""
        span = self._tracer.start_span(name, self._context)
        try:
            yield
        finally:
            span.end()

    def headers(self) -> list[tuple[str, bytes]]:
        """Returns what hands the trace on with a record."""
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier, self._context)
        return [(name, value.encode()) for name, value in carrier.items()]


NO_TRACE = Trace(NoOpTracer(), INVALID_SPAN)
#: The trace of the running work.
current_trace: ContextVar[Trace] = ContextVar("current_trace", default=NO_TRACE)


class Tracing:
    """Makes the traces of a process; without an endpoint they record nothing.

    Args:
        endpoint: takes the spans, OTLP over gRPC; ``https://`` is encrypted, ``http://`` is not; empty: off.
        service: name of this process, such as ``scoring-worker``.
        exporter: takes the spans instead of the endpoint.
    """

    def __init__(self, endpoint: str, service: str, exporter: "SpanExporter | None" = None) -> None:
        self._provider: Any = None
        self._tracer: Tracer = NoOpTracer()
        if not endpoint and exporter is None:
            return
        # The SDK takes half a second, which a process that traces nothing need not wait.
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        # Its own and not OpenTelemetry's global one: a process, and a test, may have several.
        self._provider = TracerProvider(resource=Resource.create({"service.name": service}))
        self._provider.add_span_processor(BatchSpanProcessor(exporter or _otlp_exporter(endpoint)))
        self._tracer = self._provider.get_tracer("resume-scorer")

    @classmethod
    def off(cls) -> "Tracing":
        """Returns one that records nothing."""
        return cls("", "")

    @contextmanager
    def of_record(self, name: str, headers: Headers) -> Iterator[Trace]:
        """Traces what it encloses as the child of a Kafka record's traceparent."""
        carrier = {key.lower(): (value or b"").decode("ascii", "replace") for key, value in headers}
        with self._traced(name, carrier, SpanKind.CONSUMER) as trace:
            yield trace

    @contextmanager
    def of_call(self, name: str, metadata: Sequence[tuple[str, str | bytes]]) -> Iterator[Trace]:
        """Traces what it encloses as the child of a gRPC call's traceparent."""
        carrier = {key: value for key, value in metadata if isinstance(value, str)}
        with self._traced(name, carrier, SpanKind.SERVER) as trace:
            yield trace

    def close(self) -> None:
        """Exports what is left; may take some seconds where nobody answers."""
        if self._provider is not None:
            self._provider.shutdown()

    @contextmanager
    def _traced(self, name: str, carrier: Mapping[str, str], kind: SpanKind) -> Iterator[Trace]:
        span = self._tracer.start_span(name, _PROPAGATOR.extract(carrier), kind)
        trace = Trace(self._tracer, span)
        trace_id = format_trace_id(span.get_span_context().trace_id) if span.is_recording() else ""
        trace_token, id_token = current_trace.set(trace), current_trace_id.set(trace_id)
        try:
            yield trace
        except BaseException as error:
            # Its kind alone: the text of an error, and its frames' locals, may quote a resume.
            trace.on_refusal(type(error).__name__)
            raise
        finally:
            current_trace_id.reset(id_token)
            current_trace.reset(trace_token)
            span.end()


def _otlp_exporter(endpoint: str) -> "SpanExporter":
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(endpoint=endpoint)
