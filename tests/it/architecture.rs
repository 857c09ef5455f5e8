//! The import table of the house is true.
