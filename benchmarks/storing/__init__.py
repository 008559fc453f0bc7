"""What it costs to store readings: by store, by size of the site, and when they are moved."""
