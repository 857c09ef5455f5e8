//! The plan of applying a file: every object checked, created where it is absent, patched by what differs where it is
//! there, with what becomes of the nodes and the way back.

use std::collections::BTreeSet;

use serde_json::Value;

use super::item::Item;
use super::kinds::{Role, list as listed};
use super::line_diff::difference;
use super::manifest::{Manifest, is_secret, needs_namespace};
use super::merge::{back, leaves, merged, patch};
use super::node_effects::{Change, OnNodes};
use super::surroundings::{Surroundings, is_credentials_request, is_made_by_a_controller, secret_of};
use super::{certificates, image_config, mirrors, proxy_config, pull_secret, registry_ca, signature, user_data};
use crate::actions::raw::{Patch, text};
use crate::actions::reading::Reading;
use crate::actions::request::digest;
use crate::actions::words::{count, list, shell};
use crate::actions::{
    ActionId, Ask, Danger, Effect, Entry, Material, Plan, Precondition, Refusal, Session, Undo, Write, delete_object,
    gate,
};
use crate::upgrade::assessment::Assessment;
use crate::upgrade::facts::Kind;

/// What a verb takes of files.
pub(in crate::actions) struct Rules {
    /// The verb.
    pub entry: &'static Entry,
    /// What its files may hold; empty: everything on the list.
    pub roles: &'static [Role],
    /// In words.
    pub wants: &'static str,
    /// Kinds whose picture has to be live.
    pub kinds: &'static [Kind],
}

/// The longest patch that is written out as an `oc` line; what is longer comes from the file.
const LONGEST: usize = 600;

/// The plan.
pub(in crate::actions) fn plan(
    rules: &Rules,
    assessment: &Assessment,
    session: &Session,
    ask: &Ask,
    material: &Material,
) -> Result<Plan, Refusal> {
    gate::session(assessment, session, rules.kinds)?;
    let Some(path) = ask.args.get("file") else { return Err(Refusal("no file is named".to_owned())) };
    let mut reading = Reading::of(material);
    let title = format!("Apply {path}");
    let requests = match ask.args.get("requests") {
        Some(path) => reading.file(path)?.map(Some),
        None => Some(None),
    };
    let (Some(objects), Some(requests)) = (reading.file(path)?, requests) else {
        return Ok(reading.draft(rules.entry, ask, title));
    };
    let manifests = manifests(rules, objects)?;
    let roles: BTreeSet<Role> = manifests.iter().map(|manifest| manifest.row.role).collect();
    let around = Surroundings::read(assessment, &mut reading, &roles)?;
    let mut items = Vec::new();
    for manifest in &manifests {
        let there = reading.object(&manifest.path())?;
        let homeless = match needs_namespace(manifest) {
            None => Some(false),
            Some(namespace) => namespace_is_missing(&mut reading, namespace),
        };
        items.extend(there.zip(homeless).map(|(there, homeless)| Item { manifest, there, homeless }));
    }
    let Some(mut around) = around.filter(|_| items.len() == manifests.len()) else {
        return Ok(reading.draft(rules.entry, ask, title));
    };
    let named = objects.iter().chain(requests.unwrap_or_default()).filter(|object| is_credentials_request(object));
    around.credentials.extend(named.filter_map(secret_of));
    around.maps = certificates::read(&mut reading, &manifests, around.registry_ca)?;
    let permissions = permissions(assessment, &mut reading, &items)?;
    if reading.is_missing() {
        return Ok(reading.draft(rules.entry, ask, title));
    }
    Applying { session, ask, path, around, permissions }.plan(rules, &items, title)
}

/// The objects of the file that are applied, checked by themselves.
fn manifests(rules: &Rules, objects: &[Value]) -> Result<Vec<Manifest>, Refusal> {
    let mut manifests: Vec<Manifest> = Vec::new();
    for object in objects.iter().filter(|object| !is_credentials_request(object)) {
        let manifest = Manifest::read(object)?;
        if !rules.roles.is_empty() && !rules.roles.contains(&manifest.row.role) {
            return Err(Refusal(format!("the file holds {}, and not only {}", manifest.object(), rules.wants)));
        }
        if manifests.iter().any(|other| other.path() == manifest.path()) {
            return Err(Refusal(format!("the file holds {} twice", manifest.object())));
        }
        manifests.push(manifest);
    }
    if manifests.is_empty() {
        return Err(Refusal(format!("the file holds nothing that is applied; what is: {}", listed())));
    }
    Ok(manifests)
}

/// Is the namespace known not to be there? None: not read yet. Whoever may not read it learns it from the dry run.
fn namespace_is_missing(reading: &mut Reading, namespace: &str) -> Option<bool> {
    let path = format!("/api/v1/namespaces/{namespace}");
    reading.object(&path).map_or(Some(false), |answer| answer.map(|found| found.is_none()))
}

/// What the user has to be permitted for each object that changes, in its namespace.
fn permissions(
    assessment: &Assessment,
    reading: &mut Reading,
    items: &[Item],
) -> Result<Vec<Option<Precondition>>, Refusal> {
    let permission = |item: &Item| {
        let unchanged = |there| patch(there, &item.manifest.body).is_none();
        if item.there.is_some_and(unchanged) {
            return Ok(None);
        }
        let verb = if item.there.is_some() { "patch" } else { "create" };
        let permission = item.manifest.row.permission(verb, &item.manifest.name);
        if permission.is_by_namespace() {
            return reading.permission(assessment, &permission, &item.manifest.namespace).map(Some);
        }
        gate::permitted(assessment, &permission)?;
        Ok(Some(gate::permission_found(assessment, &permission)))
    };
    items.iter().map(permission).collect()
}

/// What the plan is made with.
struct Applying<'a> {
    session: &'a Session,
    ask: &'a Ask,
    path: &'a str,
    around: Surroundings<'a>,
    /// Of each object.
    permissions: Vec<Option<Precondition>>,
}

/// What is told of the objects so far.
#[derive(Default)]
struct Told {
    danger: Option<Danger>,
    preconditions: Vec<Precondition>,
    consequences: Vec<String>,
    differences: Vec<String>,
    writes: Vec<Write>,
    undo: Vec<Undo>,
    /// Deletes again what is created.
    back: Vec<Ask>,
    nodes: OnNodes,
    /// Something is created that may be deleted again.
    deletable: bool,
}

impl Applying<'_> {
    fn plan(&self, rules: &Rules, items: &[Item], title: String) -> Result<Plan, Refusal> {
        let mut told = Told::default();
        for (item, permission) in items.iter().zip(&self.permissions) {
            self.tell(item, items, permission.as_ref(), &mut told)?;
        }
        if told.writes.is_empty() {
            return Err(Refusal(format!("nothing to do: {}", told.consequences.join("; "))));
        }
        if !told.nodes.impossible.is_empty() {
            return Err(Refusal(format!(
                "nodes that are installed cannot change their {}: the machine-config daemon would refuse, and the pool be \
                 degraded",
                list(told.nodes.impossible.iter().map(String::as_str))
            )));
        }
        let rolls = told.nodes.rolls(&self.around);
        let danger = told.danger.unwrap_or(Danger::L).max(if rolls { Danger::M } else { Danger::L });
        let mut consequences = told.consequences;
        consequences.extend(told.nodes.lines(&self.around));
        // What was written last goes back first: nothing is deleted that something still names.
        consequences.extend(told.undo.iter().rev().map(Undo::told));
        consequences.append(&mut told.differences);
        Ok(Plan {
            danger,
            preconditions: told.preconditions,
            consequences,
            effect: Effect::All(told.writes.iter().map(stored).collect()),
            // The way back is whole, or none.
            back: if told.back.len() == told.writes.len() { told.back } else { Vec::new() },
            writes: told.writes,
            undo: told.undo,
            inverse: told.deletable.then_some(ActionId::DeleteObject),
            ..Plan::draft(rules.entry, self.ask, title)
        })
    }

    fn tell(
        &self,
        item: &Item,
        all: &[Item],
        permission: Option<&Precondition>,
        told: &mut Told,
    ) -> Result<(), Refusal> {
        let (manifest, object) = (item.manifest, item.manifest.object());
        self.fits(item, told)?;
        told.preconditions.extend(certificates::named(&self.around, item, all)?);
        if item.homeless {
            return wait(item, all, told);
        }
        if item.there.is_some_and(is_made_by_a_controller) {
            return Err(Refusal(format!("{object} belongs to a controller, which would undo the change")));
        }
        let change = item.there.map(|there| patch(there, &manifest.body));
        let (write, would_be) = match (item.there, change) {
            (Some(_), Some(None)) => {
                told.consequences.push(format!("{object} is there already, as the file has it"));
                return Ok(());
            }
            (Some(there), Some(Some(change))) => (self.patch(manifest, there, &change)?, merged(there, &change)),
            _ => (self.create(manifest), manifest.body.clone()),
        };
        told.preconditions.extend(permission.cloned());
        told.consequences.push(match item.there {
            None => format!("{object} is created"),
            Some(_) => {
                format!("{object} is patched by what differs: fields that the file does not name stay as they are")
            }
        });
        self.by_role(item, all, &would_be, told);
        let change = Change { role: manifest.row.role, there: item.there, would_be: Some(&would_be) };
        told.nodes.add(&self.around, &object, change);
        if !manifest.left_out.is_empty() {
            let left_out = list(manifest.left_out.iter().map(String::as_str));
            told.consequences.push(format!("left out of the file, for it is not for people to say: {left_out}"));
        }
        told.differences.push(format!("{object} would change by these lines:"));
        told.differences.extend(difference(item.there, Some(&would_be)));
        if item.there.is_none() && manifest.row.deletes.is_ok() {
            told.deletable = true;
            told.back.push(delete_object::wish(manifest.row.kind, &manifest.namespace, &manifest.name));
        }
        told.undo.push(self.undo(item, &write));
        told.writes.push(write);
        Ok(())
    }

    /// What its role demands, whatever is there.
    fn fits(&self, item: &Item, told: &mut Told) -> Result<(), Refusal> {
        let (manifest, object) = (item.manifest, item.manifest.object());
        let mut found = |words: String, evidence: String| told.preconditions.push(Precondition { words, evidence });
        let body = &manifest.body;
        match manifest.row.role {
            role if mirrors::is_mirror_set(role) => {
                mirrors::fits_release(role, &object, self.around.digest_mirrors)?;
                mirrors::check(role, &object, body)?;
                found(format!("{object} fits this release and maps every source"), self.path.to_owned());
            }
            Role::Signature => {
                let mut asked = signature::asked_for(self.around.assessment);
                asked.extend(self.ask.args.get("for").and_then(signature::digest_of));
                let digests = signature::wanted(body, &asked)?;
                let digests = list(digests.iter().map(String::as_str));
                found(format!("{object} signs a release that is asked for"), format!("binaryData: {digests}"));
            }
            Role::RegistryCa => {
                let keys = registry_ca::check(body)?;
                found(format!("{object} holds certificates only"), list(keys.iter().map(String::as_str)));
            }
            Role::Image => image_config::check(&object, &item.would_be())?,
            Role::Proxy => proxy_config::check(&object, &item.would_be())?,
            Role::PullSecret => {
                pull_secret::check(body)?;
                found(
                    format!("{object} can be read as credentials of registries"),
                    "data..dockerconfigjson".to_owned(),
                );
            }
            Role::RootSecret => {
                let Some(cloud) = &self.around.cloud else { return Err(unread(&object)) };
                let found = cloud.check(&object, &manifest.name, body, self.around.known.minor())?;
                told.preconditions.extend(found);
            }
            Role::UserData => {
                let checked = user_data::check(&manifest.name, body);
                let checked = checked.map_err(|why| Refusal(format!("{object} {why}")))?;
                found(format!("{object} {}", checked.words), checked.evidence);
            }
            Role::Credentials if !self.is_asked_for(&manifest.namespace, Some(&manifest.name)) => {
                return Err(Refusal(format!(
                    "no CredentialsRequest names {object}; those of another release are named with --requests FILE"
                )));
            }
            Role::Namespace if !self.is_wanted_namespace(&manifest.name) => {
                return Err(Refusal(format!(
                    "{object} is neither openshift-update-service nor named by a CredentialsRequest (those of another release \
                     are named with --requests FILE)"
                )));
            }
            Role::Credentials => found(format!("a CredentialsRequest names {object}"), "spec.secretRef".to_owned()),
            _ => {}
        }
        Ok(())
    }

    fn is_asked_for(&self, namespace: &str, name: Option<&str>) -> bool {
        let fits = |(its_namespace, its_name): &(String, String)| {
            its_namespace == namespace && name.is_none_or(|name| its_name == name)
        };
        self.around.credentials.iter().any(fits)
    }

    fn is_wanted_namespace(&self, name: &str) -> bool {
        name == super::kinds::UPDATE_SERVICE || self.is_asked_for(name, None)
    }

    fn create(&self, manifest: &Manifest) -> Write {
        let arguments = format!("create -f {}", shell(self.path));
        let secret = manifest.is_secret();
        let write =
            Write::create(self.session, manifest.object(), &manifest.collection(), manifest.body.clone(), &arguments);
        Write { secret, ..write.storing(to_be_stored(&manifest.body, secret)) }
    }

    fn patch(&self, manifest: &Manifest, there: &Value, change: &Value) -> Result<Write, Refusal> {
        let secret = is_secret_change(manifest, there, change);
        let text = change.to_string();
        let oc = if secret || text.len() > LONGEST {
            format!("apply -f {}", shell(self.path))
        } else {
            format!("patch {} --type=merge -p {}", manifest.arguments(), shell(&text))
        };
        let patch = Patch {
            object: manifest.object(),
            path: manifest.path(),
            seen: there,
            body: change.clone(),
            oc,
            stored: to_be_stored(change, secret),
        };
        Ok(Write { secret, ..patch.write(self.session)? })
    }

    fn undo(&self, item: &Item, write: &Write) -> Undo {
        let (manifest, object) = (item.manifest, item.manifest.object());
        let Some(there) = item.there else {
            let kept = manifest.row.deletes.err();
            let oc = format!("delete {}", manifest.arguments());
            return match kept {
                None => Undo::line(self.session, object, &oc),
                Some(why) => Undo::none(object, format!("it is not deleted from here: {why}")),
            };
        };
        if write.secret {
            let oc = crate::actions::oc(self.session, &format!("get {} -o yaml", manifest.arguments()));
            return Undo::none(
                object,
                format!("what is there now is written down nowhere: save it before ({oc} > FILE)"),
            );
        }
        let mut change = write.body.clone();
        if let Some(metadata) = change.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("uid");
            metadata.remove("resourceVersion");
            if metadata.is_empty() {
                change.as_object_mut().and_then(|change| change.remove("metadata"));
            }
        }
        let back = back(there, &change);
        Undo::line(
            self.session,
            object,
            &format!("patch {} --type=merge -p {}", manifest.arguments(), shell(&back.to_string())),
        )
    }

    /// What follows from what it is, beside what becomes of the nodes.
    fn by_role(&self, item: &Item, all: &[Item], would_be: &Value, told: &mut Told) {
        let (manifest, there) = (item.manifest, item.there);
        let mut danger = |at_least: Danger| told.danger = told.danger.max(Some(at_least));
        let lines = &mut told.consequences;
        match manifest.row.role {
            role if mirrors::is_mirror_set(role) => {
                lines.extend(mirrors::told(role, would_be));
                if self.around.content_sources > 0 && self.around.known.minor() == Some((4, 13)) && role != Role::ContentSources {
                    let number = count(self.around.content_sources, "ImageContentSourcePolicy object");
                    lines.push(format!("there are {number} beside it: 4.13 takes one kind or the other, not both"));
                }
            }
            Role::Signature => lines.push(
                "the cluster-version operator finds it by its label and verifies it with the keys of the release: what is not \
                 signed by them is worth nothing"
                    .to_owned(),
            ),
            Role::PullSecret => {
                danger(Danger::M);
                lines.extend(pull_secret::told(there, would_be));
            }
            Role::RegistryCa => lines.push(certificates::trust(&self.around, all, &manifest.name, would_be)),
            Role::Image => {
                let change = certificates::image_change(&self.around, item, all, would_be);
                danger(change.danger());
                lines.extend(change.told());
            }
            Role::Proxy => {
                danger(Danger::M);
                lines.extend(proxy_config::told(there, would_be));
            }
            Role::Credentials => {
                danger(Danger::M);
                lines.push("the component that asked for it works with these credentials from now on".to_owned());
            }
            Role::RootSecret => {
                danger(Danger::M);
                lines.extend(self.around.cloud.iter().flat_map(|cloud| cloud.told(there.is_some())));
            }
            Role::UserData => {
                danger(Danger::M);
                let machines = self.around.machines.iter();
                lines.extend(machines.flat_map(|machines| machines.told(&manifest.name, would_be)));
            }
            Role::Subscription => {
                danger(Danger::M);
                lines.push("the operator lifecycle manager installs the operator of the update service".to_owned());
            }
            Role::MachineConfiguration => {
                danger(Danger::M);
                lines.push(
                    "nothing rolls now: it decides what later changes do to nodes, and whether boot images of machine sets \
                     are kept fresh"
                        .to_owned(),
                );
            }
            Role::MachineConfig if !text(would_be, "/spec/osImageURL").is_empty() => {
                danger(Danger::M);
                lines.push("it names an OS image of its own: nodes of its pools do not follow the release any more".to_owned());
            }
            Role::MachineOsConfig => {
                danger(Danger::M);
                lines.push("nodes of the pool run an image of their own: a new release reaches them through a new build".to_owned());
            }
            _ => {}
        }
    }
}

/// Its namespace has yet to be created: it waits for another run.
fn wait(item: &Item, all: &[Item], told: &mut Told) -> Result<(), Refusal> {
    let (object, namespace) = (item.manifest.object(), &item.manifest.namespace);
    let comes = all.iter().any(|other| other.manifest.row.role == Role::Namespace && other.manifest.name == *namespace);
    if !comes {
        return Err(Refusal(format!("{object}: the namespace {namespace} does not exist")));
    }
    told.consequences
        .push(format!("{object} is not applied yet: its namespace is created first; apply the file once more then"));
    Ok(())
}

/// What the checks of its role rest on was not asked for.
fn unread(object: &str) -> Refusal {
    Refusal(format!("{object} cannot be judged: what it is for was not read"))
}

/// Must the patch not be shown, or the one that leads back? Of a Proxy both may be without what is secret in it.
fn is_secret_change(manifest: &Manifest, there: &Value, change: &Value) -> bool {
    match manifest.row.role {
        Role::Proxy => [change, &back(there, change)].iter().any(|patch| is_secret(Role::Proxy, patch)),
        _ => manifest.is_secret(),
    }
}

/// What the answer has to hold: the single values of what is sent. Of a secret only digests.
fn to_be_stored(body: &Value, secret: bool) -> Vec<(String, Value)> {
    let mut leaves = leaves(body);
    leaves.retain(|(pointer, _)| !matches!(pointer.as_str(), "/apiVersion" | "/kind"));
    if secret {
        for (_, value) in &mut leaves {
            if let Value::String(text) = value {
                *value = Value::from(digest(text));
            }
        }
    }
    leaves
}

/// That the object shows what was written.
fn stored(write: &Write) -> Effect {
    let (object, path) = (write.object.clone(), write.object_path().to_owned());
    if write.secret {
        let texts = write.stored.iter().filter_map(|(at, value)| Some((at.clone(), value.as_str()?.to_owned())));
        return Effect::Digests { object, path, fields: texts.collect() };
    }
    Effect::Stored { object, path, fields: write.stored.clone() }
}
