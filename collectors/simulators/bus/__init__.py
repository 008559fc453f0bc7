"""A bus of simulated meters, timed byte by byte, that may misbehave; of whatever protocol."""
