"""Parts of the benchmark of delivery: the outbox, a replay after an outage, what is committed over a real broker."""
