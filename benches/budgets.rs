//! Benchmarks of the budgets.
fn main() {}
