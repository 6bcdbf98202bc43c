"""Reading across features: the desk's day, the work to do, a client's card, a therapist's day."""
