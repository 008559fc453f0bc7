"""Copies of the store for backups, made by the process that has it open."""
