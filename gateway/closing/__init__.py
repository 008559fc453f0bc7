"""Closed months: they keep their figures, and are corrected by reversing entries only."""
