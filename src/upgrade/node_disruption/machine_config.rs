//! What differs between two MachineConfigs, and what each difference does.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::policies::{self, KUBELET_AUTH, REGISTRIES, Rule};
use super::{Impact, Judged, REBOOTLESS_SINCE, Rules, What, registries};

/// Fields beside Ignition that always take a reboot (pkg/daemon/update.go, `newMachineConfigDiff`). FIPS mode is none of
/// them: the daemon refuses to change it.
const REBOOTING: [(&str, &str); 4] = [
    ("/osImageURL", "OS image"),
    ("/kernelArguments", "kernel arguments"),
    ("/kernelType", "kernel type"),
    ("/extensions", "extensions"),
];

/// What only counts when a node is installed: the daemon refuses a change (pkg/daemon/update.go, `reconcilable`).
const AT_INSTALLATION: [(&str, &str); 8] = [
    ("/fips", "FIPS mode"),
    ("/config/storage/disks", "disks"),
    ("/config/storage/filesystems", "file systems"),
    ("/config/storage/raid", "RAID"),
    ("/config/storage/luks", "LUKS"),
    ("/config/storage/directories", "directories"),
    ("/config/kernelArguments", "kernel arguments of Ignition"),
    ("/config/passwd/groups", "groups of users"),
];

/// What a change of a MachineConfig does; none where it comes or goes. Of one that is not rendered it is the most that may
/// happen: another one of the pool may hide it.
pub fn of_machine_config(old: Option<&Value>, new: Option<&Value>, rules: &Rules) -> Judged {
    let spec = |object: Option<&Value>| object.and_then(|object| object.get("spec")).cloned().unwrap_or_default();
    of_spec(&spec(old), &spec(new), rules)
}

/// What going from one `spec` of a MachineConfig to another does.
pub fn of_spec(old: &Value, new: &Value, rules: &Rules) -> Judged {
    let mut judged = Judged::default();
    let differs = |field: &str| plain(old.pointer(field)) != plain(new.pointer(field));
    for (_, words) in REBOOTING.into_iter().filter(|(field, _)| differs(field)) {
        judged.add(What::Field(words), Impact::Reboot);
    }
    // The daemon does not look at it; a build of the image does.
    if differs("/baseOSExtensionsContainerImage") {
        judged.add(What::Field("image of the extensions"), layered(rules, Impact::None));
    }
    judged
        .impossible
        .extend(AT_INSTALLATION.iter().filter(|(field, _)| differs(field)).map(|(_, words)| (*words).into()));
    let links = "/config/storage/links";
    // Links may go, since old releases brought some, but never come.
    if differs(links) && plain(new.pointer(links)).is_some() {
        judged.impossible.push("links".to_owned());
    }
    files(&mut judged, old, new, rules);
    for unit in changed(old, new, "/config/systemd/units", "name") {
        let impact = layered(rules, policies::of_unit(unit, rules));
        judged.add(What::Unit(unit.to_owned()), impact);
    }
    users(&mut judged, old, new, rules);
    judged
}

/// What a change of files at these paths does, whatever they hold: those that a KubeletConfig or a ContainerRuntimeConfig
/// is rendered to.
pub fn of_files(paths: &[&str], rules: &Rules) -> Judged {
    let mut judged = Judged::default();
    for path in paths {
        judged.add(What::File((*path).to_owned()), of_file(path, None, rules));
    }
    judged
}

fn files(judged: &mut Judged, old: &Value, new: &Value, rules: &Rules) {
    const AT: &str = "/config/storage/files";
    for path in changed(old, new, AT, "path") {
        let after = named(new, AT, "path").get(path).copied();
        if after.and_then(|file| plain(file.get("append"))).is_some() {
            judged.impossible.push(format!("appending to {path}"));
        }
        let contents = || Some((contents(old, path)?, contents(new, path)?));
        let of_registries = (path == REGISTRIES).then(contents).flatten();
        judged.add(What::File(path.to_owned()), of_file(path, of_registries.as_ref(), rules));
    }
}

fn of_file(path: &str, registries: Option<&(String, String)>, rules: &Rules) -> Impact {
    if rules.minor.is_some_and(|minor| minor < REBOOTLESS_SINCE) {
        return Impact::Reboot;
    }
    let rule = policies::of_file(path, rules);
    let only_adds = || registries.is_some_and(|(old, new)| registries::only_adds(old, new));
    match rule {
        Rule::Registries if rules.minor == Some((4, 7)) => layered(rules, Impact::Drain),
        Rule::Registries if only_adds() => Impact::Service,
        Rule::Registries => layered(rules, Impact::Drain),
        // The pull secret is no part of an image.
        Rule::Does(impact) if path == KUBELET_AUTH => impact,
        Rule::Does(impact) => layered(rules, impact),
    }
}

/// A node with an image that is built on the cluster gets another image.
const fn layered(rules: &Rules, impact: Impact) -> Impact {
    if rules.layered { Impact::Reboot } else { impact }
}

/// Keys and passwords of `core` can change, nothing else of users (`verifyUserFields`).
fn users(judged: &mut Judged, old: &Value, new: &Value, rules: &Rules) {
    const AT: &str = "/config/passwd/users";
    if plain(old.pointer(AT)) == plain(new.pointer(AT)) {
        return;
    }
    let users = named(new, AT, "name");
    let before = named(old, AT, "name");
    let others: Vec<&str> = users.keys().copied().filter(|name| *name != "core").collect();
    if others.iter().any(|name| users.get(name) != before.get(name)) {
        judged.impossible.push("users other than core".to_owned());
    }
    let unsupported = |user: &&Value| {
        let fields = user.as_object().into_iter().flatten();
        fields
            .filter(|(_, value)| plain(Some(value)).is_some())
            .any(|(field, _)| !matches!(field.as_str(), "name" | "sshAuthorizedKeys" | "passwordHash"))
    };
    if users.get("core").is_some_and(|user| unsupported(user) && before.get("core") != Some(user)) {
        judged.impossible.push("more of user core than keys and password".to_owned());
    }
    let impact = if rules.minor.is_some_and(|minor| minor < REBOOTLESS_SINCE) {
        Impact::Reboot
    } else {
        layered(rules, policies::of_users(rules))
    };
    judged.add(What::Users, impact);
}

/// A value, where absent, null, false, empty and `default` (of the kernel type) are the same.
fn plain(value: Option<&Value>) -> Option<Value> {
    let empty = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty() || text == "default",
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    value.filter(|value| !empty(value)).cloned()
}

/// The entries of a list by name; the last of one name counts.
fn named<'a>(spec: &'a Value, at: &str, key: &str) -> BTreeMap<&'a str, &'a Value> {
    let entries = spec.pointer(at).and_then(Value::as_array).into_iter().flatten();
    entries.filter_map(|entry| Some((entry.get(key)?.as_str()?, entry))).collect()
}

/// The names of entries that came, went or changed.
fn changed<'a>(old: &'a Value, new: &'a Value, at: &str, key: &str) -> Vec<&'a str> {
    let (old, new) = (named(old, at, key), named(new, at, key));
    let mut names: Vec<&str> = old.keys().chain(new.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().filter(|name| old.get(name) != new.get(name)).collect()
}

/// What a file holds, where it is a data URL in base64 or plain text.
fn contents(spec: &Value, path: &str) -> Option<String> {
    let file = named(spec, "/config/storage/files", "path").remove(path)?;
    if plain(file.pointer("/contents/compression")).is_some() {
        return None;
    }
    let source = file.pointer("/contents/source")?.as_str()?.strip_prefix("data:")?;
    let (kind, data) = source.split_once(',')?;
    if kind.ends_with(";base64") {
        return String::from_utf8(STANDARD.decode(data).ok()?).ok();
    }
    percent_decoded(data)
}

fn percent_decoded(data: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(data.len());
    let mut rest = data.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            let code = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(code, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}
