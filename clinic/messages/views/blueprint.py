"""The blueprint that the pages of this feature hang on."""

from clinic.shared.web import Pages

pages = Pages("messages", __name__)
