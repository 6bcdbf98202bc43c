"""What people do with answers: one function, one transaction."""
