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
    let older = |version: &str| VERSIONS.iter().skip_while(|known| **known != version).nth(1).is_some();
    for version in VERSIONS {
        let collection = collection(version, plural);
        match material.list(&collection) {
            None => {
                reads.push(Read::List(collection));
                return None;
            }
            Some(Ok(None)) if older(version) => {}
            Some(objects) => return Some(Served { version, collection, objects }),
        }
    }
    None
}
