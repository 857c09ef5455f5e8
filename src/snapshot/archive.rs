//! Dumps in archives: tar, and tar packed with gzip, read from the first byte to the last without a file on disk.
//!
//! An archive may come from anywhere: links in it are not followed, paths in it only name things, and there are limits to
//! what it may unfold to.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use tar::{Archive, Entry};

use super::{LARGEST, Snapshot, too_large, wanted};

/// What an archive may unfold to in all: large must-gathers are 10 GiB, nearly all of it logs.
const UNFOLDS: u64 = 32 << 30;

/// Of it, what may be kept in memory to be read.
const KEPT: u64 = 2 << 30;

/// How an archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packed {
    /// Not at all.
    Plain,
    /// By gzip.
    Gzip,
}

/// Is the file an archive? By its first bytes, whatever its name.
pub fn of(path: &Path) -> io::Result<Option<Packed>> {
    let mut head = Vec::with_capacity(512);
    File::open(path)?.take(512).read_to_end(&mut head)?;
    let is_tar = |bytes: &[u8]| bytes.get(257..262) == Some(b"ustar");
    if is_tar(&head) {
        return Ok(Some(Packed::Plain));
    }
    Ok(head.starts_with(&[0x1f, 0x8b]).then_some(Packed::Gzip))
}

/// Reads what matters of the archive at `path`.
pub fn add(snapshot: &mut Snapshot, path: &Path, packed: Packed) {
    let file = match File::open(path) {
        Ok(file) => BufReader::with_capacity(1 << 16, file),
        Err(error) => return snapshot.broken(path, error.to_string()),
    };
    let ended = match packed {
        Packed::Plain => members(snapshot, path, Bounded { inner: file, left: UNFOLDS }),
        Packed::Gzip => members(snapshot, path, Bounded { inner: MultiGzDecoder::new(file), left: UNFOLDS }),
    };
    if let Err(error) = ended {
        snapshot.broken(path, format!("the archive cannot be read to its end: {error}"));
    }
}

fn members(snapshot: &mut Snapshot, path: &Path, reader: impl Read) -> io::Result<()> {
    let mut archive = Archive::new(reader);
    let mut kept = 0;
    for member in archive.entries()? {
        let mut member = member?;
        if !member.header().entry_type().is_file() {
            continue;
        }
        let below = member.path()?.into_owned();
        let (stamp, size) = (wanted::is_timestamp(&below), member.size());
        if !stamp && !wanted::wanted(&below) {
            continue;
        }
        let name = path.join(&below);
        snapshot.files += 1;
        if size > LARGEST {
            snapshot.broken(&name, too_large(size));
            continue;
        }
        kept += size;
        if kept > KEPT {
            return Err(io::Error::other(format!("what matters of it is more than {} GiB", KEPT >> 30)));
        }
        match text_of(&mut member, size)? {
            Ok(text) if stamp => snapshot.stamp(&text),
            Ok(text) => snapshot.add_text(&name, &text, false),
            Err(why) => snapshot.broken(&name, why),
        }
    }
    Ok(())
}

/// The text of a member; the outer error is that of the archive, the inner one that of the member.
fn text_of(member: &mut Entry<impl Read>, size: u64) -> io::Result<Result<String, String>> {
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(1 << 24)).unwrap_or_default());
    member.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8(bytes).map_err(|error| format!("it is no text: {error}")))
}

/// A reader that gives up when it has given more than it may.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| io::Error::other(format!("it unfolds to more than {} GiB", UNFOLDS >> 30)))?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn what_unfolds_without_end_is_given_up() {
        let mut endless = Bounded { inner: io::repeat(0), left: 10 };
        let mut into = [0; 8];
        assert_eq!(endless.read(&mut into).unwrap(), 8);
        let error = endless.read(&mut into).unwrap_err();
        assert!(error.to_string().contains("unfolds to more than"), "{error}");
    }
}
