//! Lenses on API objects.
