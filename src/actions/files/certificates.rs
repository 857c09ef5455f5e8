//! Certificates of a file and of the cluster, and who names them: what `Image/cluster` and `Proxy/cluster` name has to be
//! there, or to come before them in the file.

use std::collections::BTreeMap;

use serde_json::Value;

use super::image_config;
use super::item::Item;
use super::kinds::Role;
use super::manifest::Manifest;
use super::registry_ca::{USER_BUNDLE, field, named as name_in, path, serves};
use super::surroundings::Surroundings;
use crate::actions::reading::Reading;
use crate::actions::{Precondition, Refusal};

/// The ConfigMaps that the objects of a file name, and the one that `Image/cluster` names now. What a file names has to
/// be readable: nothing is named unseen.
pub(super) fn read<'a>(
    reading: &mut Reading<'a>,
    manifests: &[Manifest],
    now: &str,
) -> Result<BTreeMap<String, Option<&'a Value>>, Refusal> {
    let mut maps = BTreeMap::new();
    for manifest in manifests {
        let name = name_in(manifest.row.role, &manifest.body);
        if !name.is_empty() {
            maps.insert(name.to_owned(), reading.object(&path(name))?.flatten());
        }
        if manifest.row.role == Role::Image && !now.is_empty() && !maps.contains_key(now) {
            maps.insert(now.to_owned(), reading.try_object(&path(now)).flatten());
        }
    }
    Ok(maps)
}

/// The ConfigMap that an object of the file names is there, or comes before it, and holds what is looked for. Otherwise the
/// operators that look for it are degraded, or trust nothing new without a word (machine-config-operator,
/// pkg/operator/sync.go, `getTrustedBundle` and `getImageRegistryBundles`).
///
/// # Errors
/// It is not, or does not.
pub(super) fn named(around: &Surroundings, item: &Item, all: &[Item]) -> Result<Option<Precondition>, Refusal> {
    let (role, object) = (item.manifest.row.role, item.manifest.object());
    let name = name_in(role, &item.manifest.body);
    let Some(field) = field(role).filter(|_| !name.is_empty()) else { return Ok(None) };
    let refuse = |why: &str| Err(Refusal(format!("{object} names {name} in {field}: {why}")));
    let Some(map) = map_at(around, item, all, name) else {
        return refuse(if all.iter().any(|other| is_map(other, name)) {
            "that ConfigMap stands behind it in the file: put it before"
        } else {
            "there is no such ConfigMap in openshift-config, and none before it in the file"
        });
    };
    match serves(role, &map) {
        Ok(keys) => Ok(Some(Precondition {
            words: format!("configmap/{name} -n openshift-config holds what {object} looks for in it"),
            evidence: format!("data: {keys}"),
        })),
        Err(why) => refuse(&format!("that ConfigMap {why}")),
    }
}

/// A ConfigMap as it is when the object comes to be applied; none: it is not there.
fn map_at(around: &Surroundings, item: &Item, all: &[Item], name: &str) -> Option<Value> {
    let before = all.iter().take_while(|other| !std::ptr::eq(*other, item)).find(|other| is_map(other, name));
    let there = || around.maps.get(name).copied().flatten().cloned();
    before.map_or_else(there, |before| Some(before.would_be()))
}

fn is_map(item: &Item, name: &str) -> bool {
    item.manifest.row.role == Role::RegistryCa && item.manifest.name == name
}

/// What an `Image/cluster` of the file changes, with the certificates before and after.
pub(super) fn image_change<'a>(
    around: &'a Surroundings,
    item: &'a Item,
    all: &[Item],
    would_be: &'a Value,
) -> image_config::Change<'a> {
    image_config::Change {
        there: item.there,
        would_be,
        old_map: around.maps.get(around.registry_ca).copied().flatten(),
        new_map: map_at(around, item, all, name_in(Role::Image, would_be)),
        minor: around.known.minor(),
    }
}

/// Who trusts the certificates of a ConfigMap.
pub(super) fn trust(around: &Surroundings, all: &[Item], name: &str, would_be: &Value) -> String {
    if name == around.registry_ca {
        return "image.config.openshift.io/cluster trusts it for registries: it is written to every node, without drain or \
                reboot"
            .to_owned();
    }
    if name == around.trusted_ca {
        return "proxy.config.openshift.io/cluster trusts it for everything".to_owned();
    }
    let names_it = |item: &&Item| name_in(item.manifest.row.role, &item.manifest.body) == name;
    match all.iter().find(names_it) {
        Some(item) => format!("{} of this file names it", item.manifest.object()),
        None => unnamed(name, would_be),
    }
}

/// How certificates that nobody names yet come to be trusted.
fn unnamed(name: &str, map: &Value) -> String {
    let image = "an Image cluster names it in spec.additionalTrustedCA, for registries";
    let proxy = "a Proxy cluster names it in spec.trustedCA, for everything";
    let next = match (serves(Role::Image, map).is_ok(), serves(Role::Proxy, map).is_ok()) {
        (_, false) => image.to_owned(),
        (true, true) => format!("{image}, or {proxy}"),
        (false, true) => proxy.to_owned(),
    };
    let who = if name == USER_BUNDLE { "nodes trust it whoever names it, and nothing" } else { "nothing" };
    format!("{who} refers to it yet: with apply-file {next}")
}
