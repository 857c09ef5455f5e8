//! Server texts made harmless: the one way from an API object to a cell. The rule itself is the domain's, because what is
//! printed needs it as much as what is drawn.

pub use crate::upgrade::neutral::{SIGN, neutral, neutral_lines};
