"""What was done: who, when, from where, with what outcome; appended and chained, never changed."""
