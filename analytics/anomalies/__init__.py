"""What does not look as it should: deterministic rules, robust profiles, scores, events and their causes."""
