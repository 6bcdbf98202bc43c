"""Pages about how long things are kept, and about being erased: for the person, and for the clinic."""

from clinic.keeping.views import clinic_side, own, periods
from clinic.keeping.views.blueprint import pages

__all__ = ["clinic_side", "own", "pages", "periods"]
