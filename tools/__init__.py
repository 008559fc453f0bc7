"""What the project makes about itself."""
