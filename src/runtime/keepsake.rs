//! What an action makes disappear is written to a file first; when that fails nothing is sent.

use std::path::{Path, PathBuf};

use super::save;
use crate::actions::Plan;
use crate::clock;

/// Saves what `plan` wants to be kept into `folder`; the path, when there was anything to keep.
///
/// # Errors
/// Why it could not be saved: then nothing may be sent.
pub async fn keep(plan: &Plan, folder: &Path) -> Result<Option<PathBuf>, String> {
    let Some(keepsake) = plan.keepsake.clone() else { return Ok(None) };
    let folder = folder.to_owned();
    let saving =
        tokio::task::spawn_blocking(move || save::save(&folder, &keepsake.name, "json", &keepsake.text, clock::now()));
    match saving.await {
        Ok(saved) => saved.map(Some),
        Err(_) => Err("this program failed while it saved a file".to_owned()),
    }
}
