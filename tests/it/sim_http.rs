//! The simulated API server speaks HTTP as a real one does.
