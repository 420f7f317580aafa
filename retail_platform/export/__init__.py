"""The open copy: what is published in PostgreSQL as Parquet files, and what is made of them."""
