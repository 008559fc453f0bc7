"""What is reported: indicators, and the head counts that they are divided by."""
