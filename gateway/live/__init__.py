"""The present: latest values, curves, and what is pushed to whoever listens."""
