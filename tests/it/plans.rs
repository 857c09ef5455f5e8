//! The requests of every action, against the simulated cluster.
