"""The dashboard: what is published, in a browser, in Spanish (docs/dashboard.md)."""
