"""What is measured: `python -m benchmarks [NAME] [--json]`. Timings live here, never as asserts in tests."""
