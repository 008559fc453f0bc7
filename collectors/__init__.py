"""From meters to readings: profiles (data), planner, decoder, lines and simulated meters."""
