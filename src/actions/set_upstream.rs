//! Set the update service that recommended updates come from.

use http::Uri;
use serde_json::{Value, json};

use super::cluster_version::{self, PATCH, found, patch_line, writable};
use super::{
    ActionId, Arg, ArgKind, Ask, Danger, Effect, Entry, Material, Offered, Plan, Read, Refusal, SET, Session, Takes,
    Target, gate,
};
use crate::upgrade::assessment::Assessment;

const DANGER: Danger = Danger::L;

/// Where local update services say their address (update-service-operator, `UpdateService` `status.policyEngineURI`).
const SERVICES: &str = "/apis/updateservice.operator.openshift.io/v1/updateservices";

/// What follows that address: the graph that the cluster-version operator asks for.
const GRAPH: &str = "/api/upgrades_info/v1/graph";

/// Set the update service.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::SetUpstream,
    name: "set-upstream",
    word: "service",
    summary: "set the update service that recommended updates come from",
    gerund: "setting the update service",
    dangers: &[DANGER],
    takes: Takes::Cluster,
    args: &[
        Arg {
            required: false,
            ..Arg::word("url", ArgKind::Text, "its address, which ends in /api/upgrades_info/v1/graph")
        },
        Arg::option("local", ArgKind::Flag, "the update service that this cluster runs, by the address that it tells"),
        Arg::option("clear", ArgKind::Flag, "name none: Red Hat's is asked"),
    ],
    permissions: &[PATCH],
    needs: &[],
    inverse: Some(ActionId::SetUpstream),
    offered,
    plan: make,
};

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let refusal = matches!(target, Target::Cluster).then(|| writable(assessment, session).err())?;
    let title = "Set the update service".to_owned();
    Some(Offered { action: ActionId::SetUpstream, title, danger: DANGER, refusal })
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    let seen = writable(assessment, session)?;
    let present = seen.spec.upstream.as_deref().unwrap_or_default();
    let upstream = if ask.args.flag("local") {
        let Some(address) = of_this_cluster(ask, material)? else {
            let title = "Ask the update service of this cluster".to_owned();
            return Ok(unread(Plan { danger: DANGER, ..Plan::draft(&ENTRY, ask, title) }));
        };
        address
    } else {
        wanted(ask)?.to_owned()
    };
    let upstream = upstream.as_str();
    if upstream == present {
        return Err(Refusal(match upstream {
            "" => "no update service is named: Red Hat's is asked already".to_owned(),
            upstream => format!("the update service is {upstream} already"),
        }));
    }
    let title = match upstream {
        "" => "Ask Red Hat's update service".to_owned(),
        upstream => format!("Ask the update service {upstream}"),
    };
    let back = Ask::new(ActionId::SetUpstream, Target::Cluster);
    let back = if present.is_empty() { back.with("clear", SET) } else { back.with("url", present) };
    let draft = Plan {
        danger: DANGER,
        preconditions: vec![
            found("the update service now", "spec.upstream", present),
            gate::permission_found(assessment, &PATCH),
        ],
        effect: Effect::UpstreamSet { upstream: upstream.to_owned() },
        strict_lock: true,
        back: vec![back],
        ..Plan::draft(&ENTRY, ask, title)
    };
    let local = if upstream.is_empty() { Some(Vec::new()) } else { local_services(material, upstream) };
    let Some(local) = local else { return Ok(unread(draft)) };
    let value = if upstream.is_empty() { Value::Null } else { json!(upstream) };
    let spec = json!({ "upstream": value });
    let oc = patch_line(&spec);
    Ok(Plan {
        consequences: consequences(assessment, present, upstream).into_iter().chain(local).collect(),
        writes: vec![cluster_version::write(session, seen, spec, oc, vec![("upstream", value)])?],
        ..draft
    })
}

/// The plan as far as it goes before the update services of this cluster are read.
fn unread(draft: Plan) -> Plan {
    let reads = vec![Read::List(SERVICES.to_owned())];
    Plan { reads, consequences: vec!["reading which update services the cluster runs".into()], ..draft }
}

/// The address of the one update service that this cluster runs; none: it is not read yet.
fn of_this_cluster(ask: &Ask, material: &Material) -> Result<Option<String>, Refusal> {
    if ask.args.get("url").is_some() || ask.args.flag("clear") {
        return Err(Refusal("either local, or an address, or clear".to_owned()));
    }
    let Some(services) = material.list(SERVICES) else { return Ok(None) };
    let services = services.map_err(|words| Refusal(format!("the update services could not be read: {words}")))?;
    let [service] = services.unwrap_or_default() else {
        return Err(Refusal(match services.map_or(0, <[Value]>::len) {
            0 => "this cluster runs no update service".to_owned(),
            number => format!("this cluster runs {number} update services: name the address of one"),
        }));
    };
    let address = text(service, "/status/policyEngineURI");
    if !address.is_empty() {
        return Ok(Some(format!("{}{GRAPH}", address.trim_end_matches('/'))));
    }
    // Its route is missing where its name is too long (update-service-operator, condition ReconcileCompleted).
    let conditions = service.pointer("/status/conditions").and_then(Value::as_array);
    let failed = conditions.into_iter().flatten().find(|condition| text(condition, "/status") == "False");
    let why = failed.map_or_else(String::new, |it| format!(": {} {}", text(it, "/reason"), text(it, "/message")));
    Err(Refusal(format!("the update service {} has no address yet{why}", text(service, "/metadata/name"))))
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The address that is asked for; empty: none. An address that cannot be parsed would make the ClusterVersion as a whole
/// invalid (cluster-version-operator, lib/validation/validation.go).
fn wanted(ask: &Ask) -> Result<&str, Refusal> {
    let url = ask.args.get("url").unwrap_or_default();
    match (url, ask.args.flag("clear")) {
        ("", true) => return Ok(""),
        ("", false) => return Err(Refusal("name the address of the update service, or local, or clear".to_owned())),
        (_, true) => return Err(Refusal("either an address or clear, not both".to_owned())),
        _ => {}
    }
    let parsed: Uri = url.parse().map_err(|error| Refusal(format!("{url} is no address: {error}")))?;
    let http = matches!(parsed.scheme_str(), Some("http" | "https"));
    if !http || parsed.host().is_none_or(str::is_empty) {
        return Err(Refusal(format!("{url} is no address of a service: https://HOST{GRAPH}")));
    }
    Ok(url)
}

fn consequences(assessment: &Assessment, present: &str, upstream: &str) -> Vec<String> {
    let mut lines = vec![
        "what is on offer comes from there from now on, and changes within minutes; nothing is updated by that"
            .to_owned(),
    ];
    if !upstream.is_empty() {
        if !upstream.split('?').next().unwrap_or_default().trim_end_matches('/').ends_with("/graph") {
            lines.push(format!("the address does not end in {GRAPH}: the graph is asked for at exactly this address"));
        }
        if upstream.starts_with("http:") {
            lines.push("it is asked without encryption: who is on the way can change what is recommended".to_owned());
        } else {
            lines.push(
                "its certificate has to be trusted by the cluster's proxy configuration, or RetrievedUpdates says \
                 RemoteFailed"
                    .to_owned(),
            );
        }
    }
    if assessment.update.in_progress {
        lines.push("the update that is in progress goes on".to_owned());
    }
    lines.push(match present {
        "" => "to go back, name none again".to_owned(),
        present => format!("to go back, name {present} again"),
    });
    lines
}

/// What the cluster's own update services say to `upstream`, if there are any; none: they were not read yet.
fn local_services(material: &Material, upstream: &str) -> Option<Vec<String>> {
    let services = match material.list(SERVICES)? {
        Err(words) => {
            return Some(vec![format!("whether it is an update service of this cluster is not known: {words}")]);
        }
        Ok(None | Some([])) => return Some(Vec::new()),
        Ok(Some(services)) => services,
    };
    let named = |service: &&Value| {
        let address = text(service, "/status/policyEngineURI");
        !address.is_empty() && upstream.starts_with(&format!("{}/", address.trim_end_matches('/')))
    };
    if let Some(service) = services.iter().find(named) {
        let (namespace, name) = (text(service, "/metadata/namespace"), text(service, "/metadata/name"));
        return Some(vec![format!("it is the update service {namespace}/{name} of this cluster")]);
    }
    let addresses = services.iter().map(|service| text(service, "/status/policyEngineURI"));
    let addresses: Vec<String> =
        addresses.map(|at| if at.is_empty() { "(no address yet)".into() } else { format!("{at}{GRAPH}") }).collect();
    Some(vec![format!("it is none of the update services of this cluster: {}", addresses.join(", "))])
}
