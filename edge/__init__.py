"""The process at the site: schedule -> poll -> outbox -> publish."""
