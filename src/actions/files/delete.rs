//! The plan of deleting an object of the list.

use std::collections::BTreeSet;

use serde_json::Value;

use super::kinds::{Home, Role, Row, list as listed, row_of, rows_named};
use super::line_diff::{difference, visible};
use super::manifest::{arguments, collection, is_path_segment, is_secret, object};
use super::node_effects::{Change, OnNodes};
use super::surroundings::{Surroundings, is_made_by_a_controller};
use super::{mirrors, signature};
use crate::actions::raw::lock;
use crate::actions::reading::Reading;
use crate::actions::{
    ActionId, Ask, Confirm, Danger, Effect, Entry, Material, Plan, Precondition, Refusal, Session, Undo, Write, gate,
};
use crate::upgrade::assessment::{Assessment, Resource};
use crate::upgrade::facts::Kind;

/// The object that is meant.
struct Meant {
    row: &'static Row,
    namespace: String,
    name: String,
}

impl Meant {
    /// The object of the list that is named; the namespace may be left out where there is only one.
    fn read(object: &Resource) -> Result<Self, Refusal> {
        let rows = rows_named(&object.resource);
        let Some(first) = rows.first() else {
            return Err(Refusal(format!("{} is not on the list of what is deleted: {}", object.resource, listed())));
        };
        let name = object.name.as_str();
        let namespace = Some(object.namespace.as_str()).filter(|namespace| !namespace.is_empty());
        let namespace = namespace.unwrap_or_else(|| the_only_namespace(&rows));
        if name.is_empty() || !is_path_segment(name) || !is_path_segment(namespace) {
            return Err(Refusal(format!("{name} is a name that no object can have")));
        }
        if namespace.is_empty() && first.home != Home::Cluster {
            return Err(Refusal(format!("{} live in namespaces: name it as KIND/NAMESPACE/NAME", first.plural)));
        }
        let row = row_of(&first.api_version(), first.kind, namespace, name)?;
        Ok(Self { row, namespace: namespace.to_owned(), name: name.to_owned() })
    }

    /// May it go at all?
    fn may_go(&self) -> Result<(), Refusal> {
        self.row.deletes.map_err(|why| Refusal(format!("{} is never deleted from here: {why}", self.object())))
    }

    /// Where it is, and the object. The versions are tried in their order: a server that does not serve the usual one, or not
    /// yet, has it in another.
    fn there<'m>(&self, reading: &mut Reading<'m>) -> Result<There<'m>, Refusal> {
        for api_version in self.row.api_versions() {
            let path = format!("{}/{}", collection(&api_version, &self.namespace, self.row.plural), self.name);
            match reading.object(&path)? {
                None => return Ok(There::Unread),
                Some(None) => {}
                Some(Some(there)) => return Ok(There::At(path, there)),
            }
        }
        Ok(There::Nowhere)
    }

    fn object(&self) -> String {
        object(self.row, &self.namespace, &self.name)
    }
}

/// Whether an object is there.
enum There<'m> {
    /// It was not read yet.
    Unread,
    /// It is not.
    Nowhere,
    /// It is, at this path.
    At(String, &'m Value),
}

/// The namespace that objects of these rows live in, when it is the only one.
fn the_only_namespace(rows: &[&'static Row]) -> &'static str {
    let homes: BTreeSet<&str> = rows
        .iter()
        .filter_map(|row| if let Home::Only(namespace) = row.home { Some(namespace) } else { None })
        .collect();
    match (homes.len(), homes.first()) {
        (1, Some(only)) => only,
        _ => "",
    }
}

/// The title of deleting an object, and why not; none: it is none of the list.
pub(in crate::actions) fn offered(assessment: &Assessment, object: &Resource) -> Option<(String, Result<(), Refusal>)> {
    let meant = Meant::read(object).ok()?;
    let may = meant.may_go().and_then(|()| gate::permitted(assessment, &meant.row.permission("delete", &meant.name)));
    Some((format!("Delete {}", meant.object()), may))
}

/// The plan.
pub(in crate::actions) fn plan(
    entry: &Entry,
    assessment: &Assessment,
    session: &Session,
    ask: &Ask,
    material: &Material,
) -> Result<Plan, Refusal> {
    gate::session(assessment, session, &[Kind::Nodes, Kind::MachineConfigPools])?;
    let [object] = ask.target.objects() else { return Err(Refusal("name one object".to_owned())) };
    let meant = Meant::read(object)?;
    meant.may_go()?;
    let permission = meant.row.permission("delete", &meant.name);
    gate::permitted(assessment, &permission)?;
    let title = format!("Delete {}", meant.object());
    let mut reading = Reading::of(material);
    let around = Surroundings::read(assessment, &mut reading, &BTreeSet::from([meant.row.role]))?;
    let there = meant.there(&mut reading)?;
    let (path, there, around) = match (there, around) {
        (There::Unread, _) | (_, None) => return Ok(reading.draft(entry, ask, title)),
        (There::Nowhere, _) => return Err(Refusal(format!("there is no {}", meant.object()))),
        (There::At(path, there), Some(around)) => (path, there, around),
    };
    refuse(&meant, &around, there)?;
    let mut nodes = OnNodes::default();
    nodes.add(&around, &meant.object(), Change { role: meant.row.role, there: Some(there), would_be: None });
    let danger = danger(&meant, there, nodes.rolls(&around));
    let undo = undo(session, &meant, there);
    let mut consequences = vec![format!("{} goes", meant.object())];
    consequences.extend(by_role(&meant, there));
    consequences.extend(nodes.lines(&around));
    consequences.push(undo.told());
    consequences.push("these lines go:".to_owned());
    consequences.extend(difference(Some(there), None));
    let (uid, version) = lock(there, &meant.object())?;
    let oc = format!("delete {}", arguments(meant.row, &meant.namespace, &meant.name));
    let write = Write::delete(session, meant.object(), &path, uid, &oc).unless_modified(version);
    Ok(Plan {
        danger,
        preconditions: vec![
            Precondition {
                words: format!("{} is on the list of what is deleted", meant.object()),
                evidence: meant.row.words(),
            },
            gate::permission_found(assessment, &permission),
        ],
        consequences,
        writes: vec![write],
        undo: vec![undo],
        confirm: if danger == Danger::H { Confirm::Type(meant.name.clone()) } else { Confirm::Button },
        effect: Effect::Gone { object: meant.object(), path, uid: uid.to_owned() },
        inverse: (!is_secret(meant.row.role, there)).then_some(ActionId::ApplyFile),
        ..Plan::draft(entry, ask, title)
    })
}

/// What must not go although its kind may.
fn refuse(meant: &Meant, around: &Surroundings, there: &Value) -> Result<(), Refusal> {
    let object = meant.object();
    if meant.name.starts_with("rendered-") && meant.row.role == Role::MachineConfig {
        return Err(Refusal(format!(
            "{object} is a rendered configuration: a node may need it, prune those that none does"
        )));
    }
    if is_made_by_a_controller(there) {
        return Err(Refusal(format!("{object} belongs to a controller, which needs it or makes it again")));
    }
    if meant.row.role == Role::Signature {
        signature::digests(there)?;
    }
    if meant.row.role == Role::RegistryCa {
        super::registry_ca::check(there)?;
        let user = match meant.name.as_str() {
            name if name == around.registry_ca => "image.config.openshift.io/cluster",
            name if name == around.trusted_ca => "proxy.config.openshift.io/cluster",
            _ => return Ok(()),
        };
        return Err(Refusal(format!("{object} is what {user} refers to: registries would not be trusted any more")));
    }
    Ok(())
}

fn danger(meant: &Meant, there: &Value, rolls: bool) -> Danger {
    match meant.row.role {
        role if mirrors::is_mirror_set(role) && mirrors::maps_releases(role, there) => Danger::H,
        Role::Signature | Role::PinnedImageSet if !rolls => Danger::L,
        _ => Danger::M,
    }
}

fn by_role(meant: &Meant, there: &Value) -> Vec<String> {
    match meant.row.role {
        role if mirrors::is_mirror_set(role) => {
            let mut lines = Vec::new();
            if mirrors::maps_releases(role, there) {
                lines.push(
                    "it maps the images of releases: where the cluster cannot reach quay.io no pod of the platform can be \
                     started anew without it"
                        .to_owned(),
                );
            }
            lines.extend(mirrors::told(role, there).into_iter().map(|line| format!("no more: {line}")));
            lines
        }
        Role::Subscription => vec!["the operator stays installed, and is not updated any more".to_owned()],
        Role::OperatorGroup => {
            vec!["the operator of the update service does not watch its namespace any more".to_owned()]
        }
        Role::UpdateService => {
            vec!["a ClusterVersion whose spec.upstream is this service finds no updates any more".to_owned()]
        }
        _ => Vec::new(),
    }
}

/// Everything that was there, to be created again.
fn undo(session: &Session, meant: &Meant, there: &Value) -> Undo {
    if is_secret(meant.row.role, there) {
        return Undo::none(meant.object(), "what is there now is written down nowhere: save it before".to_owned());
    }
    let manifest = visible(there);
    Undo::piped(session, meant.object(), &manifest)
}
