"""IOCs to run, read and copy, one a file; ``python -m ioc_ops.examples`` lists them."""
