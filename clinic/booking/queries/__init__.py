"""Reading visits, free times, checkouts and call requests."""
