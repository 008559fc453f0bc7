"""From consumption to standard coal, carbon dioxide and heat, by factors that say where they come from."""
