"""Backups: everything that an installation keeps as one file, taken while it runs, and put back."""
