"""Simulated meters: loads as pure functions of time, registers as the meter holds them, and Modbus TCP in front."""
