"""DL/T 645-2007: electricity meters that are asked for data items by the address on their plate."""
