"""Who is on duty, in the records."""
