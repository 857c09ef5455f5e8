//! What a plan still has to have read before it is whole: it asks, and what is missing is gathered.

use serde_json::Value;

use super::{Ask, Entry, Material, Plan, Precondition, Read, Refusal, gate};
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::Assessment;

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

    /// The same for what the plan can do without: none too, when it could not be read.
    pub(super) fn try_object(&mut self, path: &str) -> Answered<&'m Value> {
        match self.material.object(path) {
            None => self.miss(Read::Object(path.to_owned())),
            Some(answer) => Some(answer.unwrap_or_default()),
        }
    }

    /// The objects of the collection at `path` (without a query), as [`Self::object`]; those that were read again since
    /// in place of the older ones.
    pub(super) fn list(&mut self, path: &str) -> Result<Answered<Vec<&'m Value>>, Refusal> {
        self.try_list(path).map_or(Ok(None), |answer| answer.map(Some).map_err(|why| unread(path, why)))
    }

    /// The same for what the plan can do without: an error in words, when it could not be read.
    pub(super) fn try_list(&mut self, path: &str) -> Option<Result<Option<Vec<&'m Value>>, &'m str>> {
        let Some(answer) = self.material.list(path) else { return self.miss(Read::List(path.to_owned())) };
        let newest = |listed: &'m Value| {
            let object = format!("{path}/{}", super::raw::name(listed));
            let fresh = self.material.fresh.iter().find(|(path, _)| *path == object);
            fresh.map_or(listed, |(_, fresh)| fresh)
        };
        Some(answer.map(|found| found.map(|objects| objects.iter().map(newest).collect())))
    }

    /// The objects in the file at `path`; none: it is not read yet.
    pub(super) fn file(&mut self, path: &str) -> Result<Option<&'m [Value]>, Refusal> {
        match self.material.file(path) {
            None => Ok(self.miss(Read::File(path.to_owned()))),
            Some(answer) => answer.map(Some).map_err(|why| Refusal(format!("the file could not be read: {why}"))),
        }
    }

    /// The precondition that the user may do something in a namespace.
    pub(super) fn permission(
        &mut self,
        assessment: &Assessment,
        permission: &Permission,
        namespace: &str,
    ) -> Result<Precondition, Refusal> {
        let mut reads = Vec::new();
        let found = gate::permission_in(assessment, self.material, permission, namespace, &mut reads)?;
        for read in reads {
            self.miss::<()>(read);
        }
        Ok(found)
    }

    /// Is something still to be read?
    pub(super) const fn is_missing(&self) -> bool {
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
