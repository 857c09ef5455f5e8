//! What a plan still has to have read before it is whole: it asks, and what is missing is gathered.

use serde_json::Value;

use super::{Ask, Entry, Material, Plan, Read, Refusal};

/// Asks the material, and notes what it does not have yet.
pub(super) struct Reading<'m> {
    material: &'m Material,
    missing: Vec<Read>,
}

/// An answer that is there: what was read, or none when it does not exist.
type Answered<T> = Option<Option<T>>;

impl<'m> Reading<'m> {
    /// Nothing was asked for yet.
    pub(super) fn of(material: &'m Material) -> Self {
        Self { material, missing: Vec::new() }
    }

    /// The object at `path`. None: it is not read yet; `Some(None)`: it does not exist, or its kind is not served.
    pub(super) fn object(&mut self, path: &str) -> Result<Answered<&'m Value>, Refusal> {
        match self.material.object(path) {
            None => Ok(self.miss(Read::Object(path.to_owned()))),
            Some(answer) => answer.map(Some).map_err(|why| unread(path, why)),
        }
    }

    /// The objects of the collection at `path`, as [`Self::object`].
    pub(super) fn list(&mut self, path: &str) -> Result<Answered<&'m [Value]>, Refusal> {
        match self.material.list(path) {
            None => Ok(self.miss(Read::List(path.to_owned()))),
            Some(answer) => answer.map(Some).map_err(|why| unread(path, why)),
        }
    }

    /// The objects in the file at `path`; none: it is not read yet.
    pub(super) fn file(&mut self, path: &str) -> Result<Option<&'m [Value]>, Refusal> {
        match self.material.file(path) {
            None => Ok(self.miss(Read::File(path.to_owned()))),
            Some(answer) => answer.map(Some).map_err(|why| Refusal(format!("the file could not be read: {why}"))),
        }
    }

    /// Is something still to be read?
    pub(super) fn is_incomplete(&self) -> bool {
        !self.missing.is_empty()
    }

    /// The plan as far as it goes: with what has to be read, and no writes.
    pub(super) fn draft(self, entry: &Entry, ask: &Ask, title: String) -> Plan {
        Plan { reads: self.missing, ..Plan::draft(entry, ask, title) }
    }

    fn miss<T>(&mut self, read: Read) -> Option<T> {
        if !self.missing.contains(&read) {
            self.missing.push(read);
        }
        None
    }
}

/// What was needed and could not be read, by its resource rather than by the whole path.
fn unread(path: &str, why: &str) -> Refusal {
    let path = path.split('?').next().unwrap_or_default();
    Refusal(format!("{path} could not be read: {why}"))
}
