"""The embedded PostgreSQL server: where its binaries are, how it is tuned, started and stopped."""
