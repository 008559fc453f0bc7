"""What the collector is measured with: simulated buses, what was asked of them, and peers on the same bus."""
