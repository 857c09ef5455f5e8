//! Recorded exchanges of a real API server agree with the simulated one.
