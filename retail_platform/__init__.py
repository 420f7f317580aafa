"""Retail analytics on PostgreSQL: embedded server, simulator, load gate and reports."""
