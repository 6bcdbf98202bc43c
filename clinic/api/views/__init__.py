"""The JSON API's operations, one file a subject."""

from clinic.api.views import (
    availability,
    catalogue,
    clients,
    couples,
    document,
    holds,
    series,
    sick_days,
    swapping,
    verdicts,
    visits,
    waitlist,
)
from clinic.api.views.blueprint import api
from clinic.api.views.document import pages

__all__ = [
    "api",
    "availability",
    "catalogue",
    "clients",
    "couples",
    "document",
    "holds",
    "pages",
    "series",
    "sick_days",
    "swapping",
    "verdicts",
    "visits",
    "waitlist",
]
