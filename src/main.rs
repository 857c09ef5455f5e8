//! The binary: see [`oc_cockpit`].
fn main() {}
