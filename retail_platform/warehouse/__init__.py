"""Warehouses fed from the open copy: their tables, loads and checks as SQL, from the contracts."""
