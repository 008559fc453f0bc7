"""The frozen benchmark of anomalies: real consumption, faults put into it, and what a method finds of them."""
