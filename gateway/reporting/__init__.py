"""The monthly statistics: what each institution fills in, submits, and how it adds up."""
