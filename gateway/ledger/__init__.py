"""Consumption by hour: made from readings, kept, and made anew where something changed."""
