"""A small service with accounts: what the tests of the kit's accounts stand on."""
