"""A gateway process: the parts that every role works with, and the roles.

parts : what is opened once, whatever the roles: stores, records, books, what this process knows of edges and meters.
arrivals : what was just stored, told to whoever works with it here.
ingest : the role that takes readings from the broker. Whatever is claimed, judged, stored and answered plugs in here.
jobs : the role that works by itself: the ledger, the alarm desk, and every job that is done once for all processes.
api : the role that answers people: API, page, live hub. `application` is its frame, `routes` lists what it answers.
problems : what is wrong with the process itself.

`gateway/app.py` puts them together: parts, then roles, then the bus with what the roles subscribe, then their tasks.
A role is given `Parts` alone; roles never reach into each other.
"""
