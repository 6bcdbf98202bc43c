"""The JSON API's operations, one file a subject."""

from clinic.api.views import availability, catalogue, clients, document, holds, verdicts, visits, waitlist
from clinic.api.views.blueprint import api
from clinic.api.views.document import pages

__all__ = [
    "api",
    "availability",
    "catalogue",
    "clients",
    "document",
    "holds",
    "pages",
    "verdicts",
    "visits",
    "waitlist",
]
