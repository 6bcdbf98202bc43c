"""Pages about what the clinic sends: for the owner, and for whoever gets it."""

from clinic.messages.views import choices, owner
from clinic.messages.views.blueprint import pages
from clinic.messages.views.choices import stop

__all__ = ["choices", "owner", "pages", "stop"]
