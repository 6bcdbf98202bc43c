"""The operations of the JSON API, version 1."""

from __future__ import annotations

from clinic.api import freshness
from clinic.api.doors import Doors, TooMany
from clinic.api.problems import of_rule, problem
from clinic.rules.errors import RuleViolation

api = Doors("api", __name__, url_prefix="/api/v1")
api.after_request(freshness.note_write)
api.register_error_handler(RuleViolation, of_rule)
api.register_error_handler(TooMany, lambda _error: problem(429, headers={"Retry-After": "60"}))
