"""Deeds about what is kept of a visit: reading its record, and noting what was done."""
