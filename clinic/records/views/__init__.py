"""Pages about what is kept of a visit: its record, and the therapist's notes."""

from clinic.records.views import notes, record
from clinic.records.views.blueprint import pages

__all__ = ["notes", "pages", "record"]
