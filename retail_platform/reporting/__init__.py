"""Questions, reports and benchmarks over a built database."""
