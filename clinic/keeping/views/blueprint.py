"""The blueprint that the pages of this feature hang on."""

from clinic.shared.web import Pages

pages = Pages("keeping", __name__)
