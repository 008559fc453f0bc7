"""From registers to consumption: what was used between readings, hour by hour, and how we know."""
