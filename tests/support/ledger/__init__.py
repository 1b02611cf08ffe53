"""A small service on PostgreSQL: what the tests of the kit's PostgreSQL half stand on."""
