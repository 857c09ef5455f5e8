//! Each question of the list.
