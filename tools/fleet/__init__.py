"""A small fleet of IOCs under a Prometheus, for tests and pictures of the dashboards."""
