"""The record of one visit: what is stored about its decisions, and the paper that says it in words."""
