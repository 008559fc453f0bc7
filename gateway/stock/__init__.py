"""Fuels that are bought and kept, and what of them was used."""
