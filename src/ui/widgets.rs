//! Parts that panes and popups are built of. They know themes and rows, not what a row means.

pub mod bar;
pub mod filter;
pub mod line_edit;
pub mod log_view;
pub mod motion;
pub mod panel;
pub mod pen;
pub mod share;
pub mod spots;
pub mod strip;
pub mod table;
pub mod text_view;
