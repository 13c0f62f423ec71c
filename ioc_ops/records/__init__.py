"""Record types as data, and the few behaviours that tie fields to a PV."""
