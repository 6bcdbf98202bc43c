"""What is kept of a person, what would become of it, and what is due to go."""
