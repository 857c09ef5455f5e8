//! Have the nodes of a pool pull images ahead and keep them: a PinnedImageSet from references, digests or a file.

use serde_json::{Value, json};

use super::pool::{self, GROUP, KINDS, find};
use super::served_version::served;
use super::words::{count, shell};
use super::{
    ActionId, Arg, ArgKind, Ask, Danger, Effect, Entry, Material, Offered, Plan, Precondition, Read, Refusal, Session,
    Takes, Target, Write, delete_object, gate,
};
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::{Assessment, Pool};

const CREATE: Permission = Permission::cluster("create", GROUP, "pinnedimagesets");

const NAME: &str = "name";
const IMAGE: &str = "image";
const REPOSITORY: &str = "repository";
const FILE: &str = "file";

/// The most images that a set may hold (api: machineconfiguration/v1, `PinnedImageSetSpec`).
const MOST: usize = 500;

/// Pin images.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::PinImages,
    name: "pin-images",
    word: "pin images",
    summary: "have the nodes of the pool pull images ahead of an update and keep them",
    gerund: "pinning images",
    dangers: &[Danger::L],
    takes: Takes::Pool,
    args: &[
        Arg { required: true, ..Arg::option(NAME, ArgKind::Text, "the name of the set, for example release-4-19-3") },
        Arg {
            several: true,
            ..Arg::option(IMAGE, ArgKind::Text, "an image by digest: registry/repository@sha256:..., or sha256:...")
        },
        Arg::option(REPOSITORY, ArgKind::Text, "where images given as a bare digest are: registry/repository"),
        Arg::option(
            FILE,
            ArgKind::File,
            "a PinnedImageSet, or what `oc adm release info RELEASE -o json` prints: all images of it",
        ),
    ],
    permissions: &[CREATE],
    needs: &[],
    inverse: Some(ActionId::DeleteObject),
    offered,
    plan: make,
};

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let title = |name: &str| format!("Pull images ahead on the nodes of pool {name}");
    pool::offered(&ENTRY, assessment, target, title, Danger::L, |name| available(assessment, session, name))
}

fn available(assessment: &Assessment, session: &Session, pool: &str) -> Result<(), Refusal> {
    gate::session(assessment, session, KINDS)?;
    find(assessment, pool)?;
    gate::permitted(assessment, &CREATE)
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    let [pool] = ask.target.pools() else { return Err(Refusal("one pool at a time".to_owned())) };
    available(assessment, session, pool)?;
    let (row, _) = find(assessment, pool)?;
    let name = ask.args.get(NAME).unwrap_or_default();
    set_name_fits(name)?;
    let mut plan = Plan::draft(&ENTRY, ask, format!("Pin images on the nodes of pool {pool}"));
    let sets = served(material, "pinnedimagesets", &mut plan.reads);
    let file = ask.args.get(FILE);
    let content = file.and_then(|file| material.file(file));
    if let (Some(file), None) = (file, &content) {
        plan.reads.push(Read::File(file.to_owned()));
    }
    let Some(sets) = sets.filter(|_| plan.reads.is_empty()) else {
        plan.consequences.push("what is to be pinned, and what is pinned already, is being read".to_owned());
        return Ok(plan);
    };
    free_name(name, sets.objects)?;
    let collection = sets.collection;
    let images = images(ask, content)?;
    plan.title = format!("Pin {} on the nodes of pool {pool}", count(images.len(), "image"));
    plan.preconditions = preconditions(assessment, name, images.len());
    plan.consequences = consequences(row, name, &images);
    let body = body(sets.version, name, pool, &images);
    let stored = vec![
        ("/spec/pinnedImages".to_owned(), body["spec"]["pinnedImages"].clone()),
        ("/metadata/labels".to_owned(), body["metadata"]["labels"].clone()),
    ];
    let line = format!("create -f - <<<{}", shell(&body.to_string()));
    let object = format!("pinnedimageset/{name}");
    plan.effect =
        Effect::Stored { object: object.clone(), path: format!("{collection}/{name}"), fields: stored.clone() };
    plan.writes = vec![Write::create(session, object, &collection, body, &line).storing(stored)];
    plan.back = vec![delete_object::wish("pinnedimagesets", "", name)];
    Ok(plan)
}

/// The name of an object: a DNS subdomain.
fn set_name_fits(name: &str) -> Result<(), Refusal> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if name.len() <= 253 && name.chars().all(fits) && ends(name.chars().next()) && ends(name.chars().last()) {
        return Ok(());
    }
    Err(Refusal(format!("`{name}` is no name for a set: lower-case letters, digits, dashes and dots")))
}

/// Is the kind served, and the name free?
fn free_name(name: &str, sets: Result<Option<&[Value]>, &str>) -> Result<(), Refusal> {
    let sets = sets.map_err(|words| Refusal(format!("the PinnedImageSets there are cannot be read: {words}")))?;
    let Some(sets) = sets else {
        return Err(Refusal("this API server serves no PinnedImageSets: the release is too old for them, or the feature is not switched on".to_owned()));
    };
    if sets.iter().any(|set| set.pointer("/metadata/name").and_then(Value::as_str) == Some(name)) {
        return Err(Refusal(format!("there is a PinnedImageSet {name} already")));
    }
    Ok(())
}

fn body(version: &str, name: &str, pool: &str, images: &[String]) -> Value {
    let pinned: Vec<Value> = images.iter().map(|image| json!({ "name": image })).collect();
    json!({
        "apiVersion": format!("{GROUP}/{version}"),
        "kind": "PinnedImageSet",
        "metadata": { "name": name, "labels": { format!("{GROUP}/role"): pool } },
        "spec": { "pinnedImages": pinned },
    })
}

/// All images that are meant, each once, in the order in which they were given.
fn images(ask: &Ask, content: Option<Result<&[Value], &str>>) -> Result<Vec<String>, Refusal> {
    let repository = ask.args.get(REPOSITORY);
    let mut images: Vec<String> = Vec::new();
    let mut add = |image: String| {
        if !images.contains(&image) {
            images.push(image);
        }
    };
    for given in ask.args.all(IMAGE) {
        let image = match (given.starts_with("sha256:"), repository) {
            (true, Some(repository)) => format!("{}@{given}", repository.trim_end_matches('/')),
            (true, None) => return Err(Refusal(format!("in which repository is {given}? --repository says so"))),
            (false, _) => given.clone(),
        };
        by_digest(&image)?;
        add(image);
    }
    match content {
        Some(Err(words)) => return Err(Refusal(format!("the file cannot be read: {words}"))),
        Some(Ok(objects)) => {
            for image in objects.iter().map(in_file).collect::<Result<Vec<_>, _>>()?.into_iter().flatten() {
                by_digest(&image)?;
                add(image);
            }
        }
        None => {}
    }
    match images.len() {
        0 => Err(Refusal("no image is named: --image or --file does it".to_owned())),
        number if number > MOST => {
            Err(Refusal(format!("a set holds {MOST} images at most, these are {number}: make several")))
        }
        _ => Ok(images),
    }
}

/// The images that an object of a file names: a PinnedImageSet, or the description of a release.
fn in_file(object: &Value) -> Result<Vec<String>, Refusal> {
    let names = |pointer: &str, name: &str| -> Option<Vec<String>> {
        let items = object.pointer(pointer)?.as_array()?;
        Some(items.iter().filter_map(|item| item.pointer(name)?.as_str().map(str::to_owned)).collect())
    };
    if object.get("kind").and_then(Value::as_str) == Some("PinnedImageSet") {
        return Ok(names("/spec/pinnedImages", "/name").unwrap_or_default());
    }
    if let Some(mut images) = names("/references/spec/tags", "/from/name") {
        let release = object.get("image").and_then(Value::as_str);
        images.extend(release.filter(|image| image.contains("@sha256:")).map(str::to_owned));
        return Ok(images);
    }
    if object.get("kind").and_then(Value::as_str) == Some("ImageStream") {
        return Ok(names("/spec/tags", "/from/name").unwrap_or_default());
    }
    Err(Refusal("the file holds neither a PinnedImageSet nor the description of a release".to_owned()))
}

/// Only images by digest are pinned (api: machineconfiguration/v1, validation of `PinnedImageRef.name`): host with a dot
/// or a port, a path, no tag, 64 hexadecimal digits.
fn by_digest(image: &str) -> Result<(), Refusal> {
    let refuse = |why: &str| Err(Refusal(format!("`{image}` {why}: registry/repository@sha256:... is what is pinned")));
    let Some((repository, digest)) = image.split_once("@sha256:") else { return refuse("names no digest") };
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if digest.len() != 64 || !digest.chars().all(hex) {
        return refuse("has a digest that is none");
    }
    let Some((host, path)) = repository.split_once('/') else { return refuse("names no registry") };
    let host_ok = host.contains('.') || host.split_once(':').is_some_and(|(_, port)| !port.is_empty());
    if !host_ok || path.is_empty() {
        return refuse("names no registry");
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if !path.chars().all(fits) {
        return refuse("has a tag or an odd repository");
    }
    Ok(())
}

fn preconditions(assessment: &Assessment, name: &str, images: usize) -> Vec<Precondition> {
    vec![
        Precondition {
            words: format!("there is no PinnedImageSet {name}"),
            evidence: "pinnedimagesets, as they were read".to_owned(),
        },
        Precondition {
            words: format!("a set holds {MOST} images at most"),
            evidence: format!("{} by digest", count(images, "image")),
        },
        gate::permission_found(assessment, &CREATE),
    ]
}

fn consequences(pool: &Pool, name: &str, images: &[String]) -> Vec<String> {
    let mut lines = vec![
        format!(
            "the {} of pool {} pull {} and keep them; the container runtime reloads its configuration, nothing drains or \
             reboots",
            count(pool.total, "node"),
            pool.name,
            count(images.len(), "image")
        ),
        "each node needs room for them and 16 GiB free beside; one that has less says so in its MachineConfigNode"
            .to_owned(),
    ];
    if pool.name == "worker" {
        lines.push("nodes of custom pools that take the configuration of workers pull them too".to_owned());
    }
    lines.push(format!("to undo it: oc delete pinnedimageset {}", shell(name)));
    lines
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::actions::Args;

    fn digest(c: char) -> String {
        format!("sha256:{}", c.to_string().repeat(64))
    }

    fn asked(images: &[&str], repository: Option<&str>, content: Option<&[Value]>) -> Result<Vec<String>, String> {
        let mut ask = Ask { action: ActionId::PinImages, target: Target::pool("worker"), args: Args::default() };
        for image in images {
            ask.args.add(IMAGE, *image);
        }
        if let Some(repository) = repository {
            ask.args.add(REPOSITORY, repository);
        }
        super::images(&ask, content.map(Ok)).map_err(|Refusal(words)| words)
    }

    #[test]
    fn images_are_named_by_digest_alone() {
        let (a, b) = (digest('a'), digest('b'));
        let whole = format!("quay.io/r/x@{a}");
        assert_eq!(asked(&[&whole, &whole], None, None).unwrap(), std::slice::from_ref(&whole));
        let bare = asked(&[&a, &b], Some("mirror:5000/r/"), None).unwrap();
        assert_eq!(bare, [format!("mirror:5000/r@{a}"), format!("mirror:5000/r@{b}")]);
        for (image, part) in [
            (a.as_str(), "in which repository"),
            ("quay.io/r/x:4.19", "names no digest"),
            ("quay.io/r/x@sha256:abc", "digest that is none"),
            (&format!("quay.io/r/x:tag@{a}"), "has a tag"),
            (&format!("r@{a}"), "names no registry"),
            (&format!("https://quay.io/r@{a}"), "names no registry"),
        ] {
            let words = asked(&[image], None, None).unwrap_err();
            assert!(words.contains(part), "{image}: {words}");
        }
        assert!(asked(&[], None, None).unwrap_err().contains("no image is named"));
    }

    #[test]
    fn a_file_is_a_set_or_the_description_of_a_release() {
        let (a, b) = (format!("quay.io/r@{}", digest('a')), format!("quay.io/r@{}", digest('b')));
        let set = json!({ "kind": "PinnedImageSet", "spec": { "pinnedImages": [{ "name": a }, { "name": b }] } });
        assert_eq!(asked(&[&a], None, Some(&[set])).unwrap(), [a.clone(), b.clone()], "each once");
        let release =
            json!({ "image": b, "references": { "spec": { "tags": [{ "name": "etcd", "from": { "name": a } }] } } });
        assert_eq!(asked(&[], None, Some(&[release])).unwrap(), [a, b]);
        assert!(asked(&[], None, Some(&[json!({ "kind": "Pod" })])).unwrap_err().contains("neither"));
        let many: Vec<Value> = (0..501).map(|at| json!({ "name": format!("quay.io/r@sha256:{at:064x}") })).collect();
        let set = json!({ "kind": "PinnedImageSet", "spec": { "pinnedImages": many } });
        assert!(asked(&[], None, Some(&[set])).unwrap_err().contains("500 images at most"));
    }
}
