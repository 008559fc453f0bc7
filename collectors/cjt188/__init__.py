"""CJ/T 188: water, gas and heat meters that are asked by the address on their plate."""
