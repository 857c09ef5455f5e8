//! What changes a cluster.
