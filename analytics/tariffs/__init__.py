"""What energy and water cost: tariffs as versioned data, prices by half hour, monthly bills."""
