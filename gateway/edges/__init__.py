"""The edges and how their meters answer."""
