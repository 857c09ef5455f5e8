//! In which version a server has the kinds of the machine config operator that were served as `v1alpha1` before `v1`
//! (openshift/api, machineconfiguration: MachineOSConfig and MachineOSBuild until 4.17, PinnedImageSet until 4.18).

use serde_json::Value;

use super::pool::GROUP;
use super::{Material, Read};

/// The versions, the newer one first.
const VERSIONS: [&str; 2] = ["v1", "v1alpha1"];

/// Where a kind is served, and what is there.
pub(super) struct Served<'a> {
    /// `v1`, or `v1alpha1`.
    pub version: &'static str,
    /// The path of the collection.
    pub collection: String,
    /// Its objects; `Ok(None)`: the kind is served in no version; an error in words when it could not be read.
    pub objects: Result<Option<&'a [Value]>, &'a str>,
}

/// The collection of a kind in a version.
fn collection(version: &str, plural: &str) -> String {
    format!("/apis/{GROUP}/{version}/{plural}")
}

/// Where the server has a kind; none while it is being found out, with what is to be read added to `reads`.
pub(super) fn served<'a>(material: &'a Material, plural: &str, reads: &mut Vec<Read>) -> Option<Served<'a>> {
    let mut answers = Vec::new();
    for version in VERSIONS {
        let collection = collection(version, plural);
        match material.list(&collection) {
            None => reads.push(Read::List(collection)),
            Some(objects) => answers.push(Served { version, collection, objects }),
        }
    }
    if answers.len() < VERSIONS.len() {
        return None;
    }
    // Where it is served in neither, the newer one says so.
    let served = answers.iter().position(|answer| !matches!(answer.objects, Ok(None)));
    Some(answers.swap_remove(served.unwrap_or_default()))
}
