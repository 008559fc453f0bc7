"""The process at the centre: ingest -> store -> API and page. One folder per subject, the same file names in each."""
