//! Saved views: a file each, for the owner alone.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

/// Writes `text` into a new file in `folder` and returns its path.
pub fn save(folder: &Path, name: &str, extension: &str, text: &str, now: DateTime<Utc>) -> Result<PathBuf, String> {
    let words = |path: &Path, error: std::io::Error| format!("cannot save {}: {error}", path.display());
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| words(folder, error))?;
    let safe: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' }).collect();
    let stamp = now.format("%Y%m%dT%H%M%S%3fZ");
    let path = folder.join(format!("{safe}-{stamp}.{extension}"));
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(|e| words(&path, e))?;
    // What is saved may be about to go from the cluster: it has to be on the disk, and not only on its way.
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| words(&path, error))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_view_is_saved_for_its_owner_alone() {
        let folder = std::env::temp_dir().join(format!("oc-cockpit-save-{}", std::process::id()));
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let path = save(&folder, "../nodes of x", "tsv", "a\tb\n", now).unwrap();
        assert_eq!(path.parent(), Some(folder.as_path()));
        assert_eq!(path.file_name().unwrap(), "---nodes-of-x-20231114T221320000Z.tsv");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a\tb\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = save(&folder, "../nodes of x", "tsv", "other", now).unwrap_err();
        assert!(again.contains("cannot save"), "{again}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
