"""Documents made from the platform itself: the data dictionary's page and the ER diagram."""
