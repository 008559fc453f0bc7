"""The language: units, quantities, readings, sites, series, periods and ports that everything else speaks."""
