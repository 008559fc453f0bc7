"""What is measured between edges and store."""
