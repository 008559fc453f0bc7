"""Payloads that mean no good."""
