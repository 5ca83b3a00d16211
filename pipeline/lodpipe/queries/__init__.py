"""Sample queries: read, run in a confined process, compare, publish; queries of an endpoint."""
