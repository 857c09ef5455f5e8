//! Say that manually maintained cloud credentials are ready for a version (annotation
//! `cloudcredential.openshift.io/upgradeable-to`): the cloud-credential operator then no longer holds up the next minor.
//!
//! Nothing checks what is said there. So the namespaces and secrets that new CredentialsRequests of the target ask for are
//! looked up, where the person hands the requests over; else the person is asked.

use kube::core::ObjectMeta;
use semver::Version;
use serde_json::{Value, json};

use super::cluster_version::{KINDS, seen};
use super::request::{oc, patch};
use super::words::{in_pointer, list, shell};
use super::{
    ActionId, Arg, ArgKind, Ask, Danger, Effect, Entry, Material, Offered, PatchKind, Plan, Precondition, Question,
    Read, Refusal, SET, Session, Takes, Target, Write, gate,
};
use crate::api::UPGRADEABLE_TO;
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::Assessment;
use crate::upgrade::version::{leaves_minor, minor_parts, without_v};

const DANGER: Danger = Danger::M;

const PATCH: Permission = Permission::cluster("patch", "operator.openshift.io", "cloudcredentials").named("cluster");

/// How the cluster gets its credentials.
const OBJECT: &str = "/apis/operator.openshift.io/v1/cloudcredentials/cluster";
/// What the platform asks for now.
const REQUESTS: &str = "/apis/cloudcredential.openshift.io/v1/credentialsrequests";
/// The platform.
const INFRASTRUCTURE: &str = "/apis/config.openshift.io/v1/infrastructures/cluster";

/// Say that the credentials are ready.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::SetUpgradeableTo,
    name: "set-upgradeable-to",
    word: "credentials",
    summary: "say that manually maintained cloud credentials are ready for a version",
    gerund: "declaring cloud credentials ready",
    dangers: &[Danger::L, DANGER],
    takes: Takes::Version,
    args: &[
        Arg {
            several: true,
            ..Arg::option(
                "requests",
                ArgKind::File,
                "CredentialsRequests of the version (oc adm release extract --credentials-requests): their namespaces and \
                 secrets are looked up",
            )
        },
        Arg::option("clear", ArgKind::Flag, "take the declaration back, instead of naming a version"),
    ],
    permissions: &[PATCH],
    needs: &[],
    inverse: Some(ActionId::SetUpgradeableTo),
    offered,
    plan: make,
};

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    // Only where credentials are known to be maintained by hand: elsewhere there is nothing to be said.
    let known = &assessment.facts.around.cloud_credentials;
    known.iter().find(|object| object.name() == "cluster" && object.spec.mode == "Manual")?;
    let (title, refusal) = match target {
        Target::Version(version) => {
            let present = assessment.facts.cluster_version.as_deref()?;
            // A patch is not held up.
            leaves_minor(&present.status.desired.version, version).then_some(())?;
            let checked = allowed(assessment, session).and_then(|()| later_minor(assessment, version).map(|_| ()));
            (title(version), checked.err())
        }
        Target::Cluster => ("Say that cloud credentials are ready".to_owned(), allowed(assessment, session).err()),
        _ => return None,
    };
    Some(Offered { action: ActionId::SetUpgradeableTo, title, danger: DANGER, refusal })
}

fn title(version: &str) -> String {
    format!("Say that cloud credentials are ready for {version}")
}

fn allowed(assessment: &Assessment, session: &Session) -> Result<(), Refusal> {
    gate::session(assessment, session, KINDS)?;
    gate::permitted(assessment, &PATCH)
}

/// The version without a leading v: of a later minor than the present one, since nothing else is held up.
fn later_minor<'a>(assessment: &Assessment, version: &'a str) -> Result<&'a str, Refusal> {
    let version = without_v(version);
    if Version::parse(version).is_err() {
        return Err(Refusal(format!("{version} is no version: it has the form 4.19.3")));
    }
    let present = &seen(assessment)?.status.desired.version;
    if minor_parts(version) <= minor_parts(present) {
        return Err(Refusal(format!(
            "{version} is of no later minor than the present {present}: credentials hold up other minors only"
        )));
    }
    Ok(version)
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    allowed(assessment, session)?;
    let version = match (&ask.target, ask.args.flag("clear")) {
        (Target::Version(version), false) => Some(later_minor(assessment, version)?),
        (Target::Version(_), true) => return Err(Refusal("either a version or clear, not both".to_owned())),
        (_, true) => None,
        (_, false) => return Err(Refusal("name the version that the credentials are ready for".to_owned())),
    };
    let draft = Plan {
        danger: if version.is_some() { DANGER } else { Danger::L },
        ..Plan::draft(
            &ENTRY,
            ask,
            version.map_or_else(|| "Take back that cloud credentials are ready".to_owned(), title),
        )
    };
    let Some(found) = material.object(OBJECT) else {
        return Ok(Plan { reads: vec![Read::Object(OBJECT.to_owned())], ..reading(draft) });
    };
    let object = match found {
        Err(why) => return Err(Refusal(format!("CloudCredential cluster could not be read: {why}"))),
        Ok(None) => return Err(Refusal("the cluster has no CloudCredential: nothing has to be said".to_owned())),
        Ok(Some(object)) => object,
    };
    let before =
        object.pointer(&format!("/metadata/annotations/{}", in_pointer(UPGRADEABLE_TO))).and_then(Value::as_str);
    by_hand(object)?;
    if before == version {
        return Err(Refusal(match before {
            None => "nothing is declared".to_owned(),
            Some(before) => format!("{before} is declared already"),
        }));
    }
    let looked_up = match version {
        Some(_) => Needed::look_up(ask, material)?,
        None => Needed::default(),
    };
    if !looked_up.reads.is_empty() {
        return Ok(Plan { reads: looked_up.reads, ..reading(draft) });
    }
    let value = version.map_or(Value::Null, |version| json!(version));
    let fields = vec![(format!("/metadata/annotations/{}", in_pointer(UPGRADEABLE_TO)), value.clone())];
    let asked = version.is_some() && ask.args.all("requests").is_empty();
    let question = || {
        let words = "Which new CredentialsRequests has that version, and who applied their namespaces and secrets?";
        Question::open("credentials-requests", words)
    };
    Ok(Plan {
        preconditions: vec![
            Precondition {
                words: "cloud credentials are maintained by hand".to_owned(),
                evidence: "cloudcredential/cluster spec.credentialsMode = Manual".to_owned(),
            },
            Precondition {
                words: "what is declared now".to_owned(),
                evidence: format!("cloudcredential/cluster {UPGRADEABLE_TO} = {}", before.unwrap_or("(nothing)")),
            },
            gate::permission_found(assessment, &PATCH),
        ],
        consequences: looked_up.lines.into_iter().chain(follows(version, before)).collect(),
        writes: vec![write(session, object, &value)?.storing(fields.clone())],
        questions: asked.then(question).into_iter().collect(),
        effect: Effect::Stored { object: "cloudcredential/cluster".to_owned(), path: OBJECT.to_owned(), fields },
        back: vec![match before {
            Some(before) => Ask::new(ActionId::SetUpgradeableTo, Target::Version(before.to_owned())),
            None => Ask::new(ActionId::SetUpgradeableTo, Target::Cluster).with("clear", SET),
        }],
        ..draft
    })
}

fn reading(draft: Plan) -> Plan {
    Plan { consequences: vec!["reading how credentials are made, and what is there of them".to_owned()], ..draft }
}

fn by_hand(object: &Value) -> Result<(), Refusal> {
    let mode = object.pointer("/spec/credentialsMode").and_then(Value::as_str).unwrap_or_default();
    if mode == "Manual" {
        return Ok(());
    }
    let mode = if mode.is_empty() { "the default" } else { mode };
    Err(Refusal(format!(
        "credentials are not maintained by hand (mode {mode}): the operator makes them itself and nothing has to be said"
    )))
}

fn write(session: &Session, object: &Value, value: &Value) -> Result<Write, Refusal> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let metadata = ObjectMeta {
        uid: text("/metadata/uid"),
        resource_version: text("/metadata/resourceVersion"),
        ..ObjectMeta::default()
    };
    let line = match value.as_str() {
        Some(version) => format!("annotate cloudcredential cluster --overwrite {UPGRADEABLE_TO}={}", shell(version)),
        None => format!("annotate cloudcredential cluster {UPGRADEABLE_TO}-"),
    };
    let body = json!({ "metadata": { "annotations": { UPGRADEABLE_TO: value } } });
    patch("cloudcredential/cluster", OBJECT, PatchKind::Merge, &metadata, body, oc(session, &line))
}

fn follows(version: Option<&str>, before: Option<&str>) -> Vec<String> {
    let then = match version {
        Some(version) => format!(
            "the operator cloud-credential no longer holds up updates to the minor of {version}: it notices after some \
             minutes. Nothing checks that what is said is true: operators without their credentials fail after the update"
        ),
        None => "the operator cloud-credential holds up the next minor again".to_owned(),
    };
    let back = match before {
        Some(before) => format!("before, {before} was declared"),
        None => "before, nothing was declared".to_owned(),
    };
    vec![then, back]
}

/// What new CredentialsRequests need, and whether it is there.
#[derive(Default)]
struct Needed {
    lines: Vec<String>,
    reads: Vec<Read>,
}

/// A request of the release.
struct Request {
    name: String,
    namespace: String,
    secret: String,
}

impl Needed {
    /// Looks up namespaces and secrets of the requests that the person handed over and the cluster does not have.
    fn look_up(ask: &Ask, material: &Material) -> Result<Self, Refusal> {
        let mut needed = Self::default();
        if ask.args.all("requests").is_empty() {
            return Ok(needed);
        }
        let (Some(known), Some(infrastructure)) = (material.list(REQUESTS), material.object(INFRASTRUCTURE)) else {
            needed.reads = vec![Read::List(REQUESTS.to_owned()), Read::Object(INFRASTRUCTURE.to_owned())];
            needed.reads.extend(ask.args.all("requests").iter().map(|path| Read::File(path.clone())));
            return Ok(needed);
        };
        let known: Option<&[Value]> = match known {
            Ok(known) => Some(known.unwrap_or_default()),
            Err(why) => {
                needed.lines.push(format!("which CredentialsRequests are new is not known ({why}): all are looked up"));
                None
            }
        };
        let platform = infrastructure.ok().flatten().and_then(|object| object.pointer("/status/platformStatus/type"));
        let platform = platform.and_then(Value::as_str).unwrap_or_default().to_lowercase();
        let mut requests = Vec::new();
        for path in ask.args.all("requests") {
            let Some(objects) = material.file(path) else {
                needed.reads.push(Read::File(path.clone()));
                continue;
            };
            let objects = objects.map_err(|why| Refusal(why.to_owned()))?;
            requests.extend(objects.iter().filter_map(|object| request(object, &platform, known)));
        }
        if !needed.reads.is_empty() {
            return Ok(needed);
        }
        if requests.is_empty() {
            needed.lines.push("the files hold no new CredentialsRequests for this platform".to_owned());
        }
        let missing = needed.judge(&requests, material);
        if missing.is_empty() || !needed.reads.is_empty() {
            return Ok(needed);
        }
        Err(Refusal(format!(
            "what new CredentialsRequests need is not there: {}; apply it first",
            list(missing.iter().map(String::as_str))
        )))
    }

    /// What is missing; a line for each that is there, or that cannot be told.
    fn judge(&mut self, requests: &[Request], material: &Material) -> Vec<String> {
        let mut missing = Vec::new();
        for Request { name, namespace, secret } in requests {
            let space = format!("/api/v1/namespaces/{namespace}");
            let path = format!("{space}/secrets/{secret}");
            let (Some(space_found), Some(found)) = (material.object(&space), material.object(&path)) else {
                self.reads.extend([space, path].map(Read::Object));
                continue;
            };
            match (space_found, found) {
                (Ok(None), _) => missing.push(format!("namespace {namespace} for {name}")),
                (_, Ok(None)) => missing.push(format!("secret {namespace}/{secret} for {name}")),
                (_, Err(why)) => {
                    let line = format!(
                        "new CredentialsRequest {name}: whether secret {namespace}/{secret} is there is not known: {why}"
                    );
                    self.lines.push(line);
                }
                (_, Ok(Some(_))) => {
                    self.lines.push(format!("new CredentialsRequest {name}: secret {namespace}/{secret} is there"));
                }
            }
        }
        missing
    }
}

/// A request that the platform will make after the update and does not make now.
fn request(object: &Value, platform: &str, known: Option<&[Value]>) -> Option<Request> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    if text("/kind") != "CredentialsRequest" || text("/metadata/annotations/release.openshift.io~1delete") == "true" {
        return None;
    }
    // `AWSProviderSpec`, `VSphereProviderSpec` ...: those of other clouds are in the release as well.
    let provider = text("/spec/providerSpec/kind").to_lowercase();
    if !platform.is_empty() && !provider.is_empty() && !provider.contains(platform) {
        return None;
    }
    let wants = |object: &Value| object.pointer("/spec/secretRef").cloned();
    let same = |seen: &&Value| {
        seen.pointer("/metadata/name").and_then(Value::as_str) == Some(text("/metadata/name"))
            && wants(seen) == wants(object)
    };
    if known.is_some_and(|known| known.iter().any(|seen| same(&seen))) {
        return None;
    }
    let (name, namespace, secret) =
        (text("/metadata/name"), text("/spec/secretRef/namespace"), text("/spec/secretRef/name"));
    (!namespace.is_empty() && !secret.is_empty()).then(|| Request {
        name: name.to_owned(),
        namespace: namespace.to_owned(),
        secret: secret.to_owned(),
    })
}
