"""A node on one page: what it used, what it may use, and what is open about it."""
