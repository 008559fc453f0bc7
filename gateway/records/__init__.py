"""The records: what is known beside the readings, dated, with who said so and why. One database for all subjects."""
