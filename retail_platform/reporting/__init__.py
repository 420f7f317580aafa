"""Questions and reports over a built database, and how their statements are run and timed."""
