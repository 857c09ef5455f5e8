//! Dumps of clusters, read into JSON values.
