"""What fulfils the ports: stores, buses, clocks, outboxes, files. One library each, chosen by address at the rim."""
