"""What is measured where."""
