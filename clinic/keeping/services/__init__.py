"""Deeds about what is kept and for how long: asking to be erased, erasing, and what goes by its date."""
