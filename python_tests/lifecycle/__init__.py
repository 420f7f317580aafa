"""A small dbt project on the platform's macros, and what the life cycle tests do with it."""
