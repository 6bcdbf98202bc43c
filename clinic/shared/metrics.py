"""What is counted for Prometheus: numbers and names of our own, never what a person typed, nor who they are.

Several web processes are counted together when PROMETHEUS_MULTIPROC_DIR names a folder that they share; without it
each answers for itself.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

import structlog
from flask import Flask, Response, g, request
from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

log = structlog.get_logger()

SHARED = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
if SHARED:
    Path(SHARED).mkdir(mode=0o700, parents=True, exist_ok=True)

disable_created_metrics()  # type: ignore[no-untyped-call]

REQUESTS = Counter("clinic_requests", "Requests answered", ["endpoint", "status"])
SECONDS = Histogram(
    "clinic_request_seconds", "How long requests took", ["endpoint"], buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10)
)
VISIT_STEPS = Counter(
    "clinic_visit_steps", "What was done with visits (booked, changed, cancelled …)", ["step"]
)
REFUSALS = Counter("clinic_refusals", "Deeds that a rule of the clinic stood against", ["kind"])
SLOT_CONFLICTS = Counter(
    "clinic_slot_conflicts", "Claims of a time that the database refused, as it was taken"
)
DATABASE_ERRORS = Counter("clinic_database_errors", "Requests that the database did not answer", ["kind"])


def watch_requests(app: Flask) -> None:
    """Count every request and how long it took, by the name of its page: addresses can hold keys. A server with real
    people logs each in a line as well."""

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        endpoint, now = request.endpoint or "none", time.perf_counter()
        took = now - g.get("began", now)
        REQUESTS.labels(endpoint, response.status_code).inc()
        SECONDS.labels(endpoint).observe(took)
        if app.config.get("CLINIC_LOG_REQUESTS"):
            log.info("request", endpoint=endpoint, status=response.status_code, ms=round(took * 1000))
        return response


class Now(Collector):
    """Values of this moment, which every process would tell alike: name → (what it is, value)."""

    def __init__(self, values: dict[str, tuple[str, float]]) -> None:
        self.values = values

    def collect(self) -> Iterable[Metric]:
        """One gauge each."""
        for name, (meaning, value) in self.values.items():
            yield GaugeMetricFamily(name, meaning, value)


def as_text(values: dict[str, tuple[str, float]]) -> bytes:
    """Everything that was counted, and the values of this moment."""
    registry = CollectorRegistry()
    if SHARED:
        MultiProcessCollector(registry, SHARED)  # type: ignore[no-untyped-call]
    now = CollectorRegistry()
    now.register(Now(values))
    return generate_latest(registry if SHARED else REGISTRY) + generate_latest(now)
