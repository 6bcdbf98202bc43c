"""What people do with visits: one function, one transaction. Modules with a leading underscore hold the steps
that these functions take inside their transaction."""
