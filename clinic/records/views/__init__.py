"""Pages about what is kept of a visit, its record and the therapist's notes, and of a person."""

from clinic.records.views import notes, own_copy, record
from clinic.records.views.blueprint import pages

__all__ = ["notes", "own_copy", "pages", "record"]
