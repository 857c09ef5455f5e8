//! kubectl works against the simulated cluster.
