//! Approve certificate requests of kubelets, after the node that asks was verified.

use serde_json::{Value, json};

use super::node_certificate::{Asked, Known, Signer, of_kubelets};
use super::raw::{items, lock, text};
use super::reading::Reading;
use super::request::oc;
use super::words::{list, shell};
use super::{
    ActionId, Ask, Confirm, Danger, Effect, Entry, Material, Offered, Plan, Precondition, Refusal, Session, Takes,
    Target, Verb, Write, gate, health_checks,
};
use crate::upgrade::access::Permission;
use crate::upgrade::assessment::Assessment;

/// As `oc get` takes it.
const RESOURCE: &str = "certificatesigningrequests.certificates.k8s.io";
/// Where they are.
const REQUESTS: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
/// They are read anew for each plan.
const GET: Permission = Permission::cluster("get", "certificates.k8s.io", "certificatesigningrequests");
/// An approval is a subresource that is replaced, as kubectl does it: the roles that exist for approvers permit `update`.
/// The server also asks for `approve` on the signer, which may be permitted for single signers: the dry run tells.
const UPDATE: Permission = Permission {
    verb: "update",
    group: "certificates.k8s.io",
    resource: "certificatesigningrequests",
    subresource: "approval",
    namespace: "",
    name: "",
};

/// Approve requests.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::ApproveCsr,
    name: "approve-csr",
    word: "approve",
    summary: "approve certificate requests of kubelets whose node is verified",
    gerund: "approving certificate requests",
    dangers: &[Danger::M, Danger::H],
    takes: Takes::Objects {
        resource: RESOURCE,
        noun: "CSR",
        namespaced: false,
        namespace: "",
        several: true,
        none: false,
    },
    args: &[],
    permissions: &[GET, UPDATE],
    needs: &[],
    inverse: None,
    offered,
    plan: make,
};

fn names(target: &Target) -> Result<Vec<&str>, Refusal> {
    let mut names = Vec::new();
    for object in target.objects() {
        if object.resource != RESOURCE {
            return Err(Refusal(format!("{} is no certificate request", object.short())));
        }
        if !names.contains(&object.name.as_str()) {
            names.push(&object.name);
        }
    }
    Ok(names)
}

fn title(names: &[&str]) -> String {
    match names {
        [name] => format!("Approve certificate request {name}"),
        names => format!("Approve {} certificate requests", names.len()),
    }
}

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let names = names(target).ok().filter(|names| !names.is_empty())?;
    let refusal = available(assessment, session, &names).err();
    Some(Offered { action: ActionId::ApproveCsr, title: title(&names), danger: Danger::M, refusal })
}

/// Can they be approved, as far as is known without reading them?
fn available(assessment: &Assessment, session: &Session, names: &[&str]) -> Result<(), Refusal> {
    gate::session(assessment, session, &[])?;
    for name in names {
        let requests = &assessment.facts.around.certificate_signing_requests;
        let Some(request) = requests.iter().find(|request| request.name() == *name) else { continue };
        let verdict = request.status.conditions.first().map(|condition| condition.kind.as_str());
        undecided(name, verdict, request.status.certificate.is_some())?;
        if !of_kubelets(&request.spec.signer) {
            let signer = &request.spec.signer;
            return Err(Refusal(format!(
                "{name} is for the signer {signer}: only kubelets' certificates are approved here"
            )));
        }
    }
    gate::permitted(assessment, &GET)?;
    gate::permitted(assessment, &UPDATE)
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, material: &Material) -> Result<Plan, Refusal> {
    let names = names(&ask.target)?;
    available(assessment, session, &names)?;
    let mut reading = Reading::of(material);
    let machines = reading.try_list(health_checks::MACHINES);
    let nodes: Vec<&str> = assessment.nodes.iter().map(|node| node.name.as_str()).collect();
    let mut told = Told::default();
    for name in &names {
        let Some(found) = reading.object(&format!("{REQUESTS}/{name}"))? else { continue };
        let csr = found.ok_or_else(|| Refusal(format!("there is no certificate request {name}")))?;
        pending(csr, name)?;
        let asked = Asked::read(csr)?;
        let Some(node) = reading.object(&format!("/api/v1/nodes/{}", asked.node))? else { continue };
        let Some(machines) = &machines else { continue };
        let machines = machines.as_ref().ok().and_then(|machines| machines.as_deref());
        told.add(&asked, asked.known(node, machines, &nodes)?);
        told.writes.push(write(session, csr, name)?);
    }
    if told.writes.len() < names.len() {
        return Ok(reading.draft(&ENTRY, ask, title(&names)));
    }
    told.plan(assessment, ask, &names)
}

/// What is told of the requests so far.
#[derive(Default)]
struct Told {
    preconditions: Vec<Precondition>,
    consequences: Vec<String>,
    doubts: Vec<String>,
    writes: Vec<Write>,
}

impl Told {
    fn add(&mut self, asked: &Asked, known: Known) {
        let (name, node) = (asked.name, &asked.node);
        self.preconditions.push(Precondition {
            words: format!("{name} is formally what a kubelet asks for, signed with its own key"),
            evidence: format!("csr/{name} of {}: CN system:node:{node}, O system:nodes", asked.username),
        });
        match known {
            Known::Yes(found) => self.preconditions.push(found),
            Known::Doubtful(why) => self.doubts.push(why),
        }
        self.consequences.push(match asked.signer {
            Signer::Client => format!(
                "{name}: whoever holds its key acts as node {node} from then on, with the secrets of every pod that runs there"
            ),
            Signer::Serving => {
                let hosts = list(asked.hosts.iter().map(String::as_str));
                format!("{name}: the kubelet of {node} can serve logs, exec and metrics again, as {hosts}")
            }
        });
    }

    fn plan(mut self, assessment: &Assessment, ask: &Ask, names: &[&str]) -> Result<Plan, Refusal> {
        let doubtful = !self.doubts.is_empty();
        if doubtful && names.len() > 1 {
            return Err(Refusal(format!("approve it by itself, apart from the others: {}", self.doubts.join("; "))));
        }
        let mut consequences: Vec<String> =
            self.doubts.iter().map(|doubt| format!("not verified by the cluster: {doubt}")).collect();
        consequences.append(&mut self.consequences);
        consequences.push("an approval cannot be taken back: the certificate is good until it runs out".to_owned());
        self.preconditions.push(gate::permission_found(assessment, &UPDATE));
        let approved = |write: &Write| Effect::Stored {
            object: write.object.clone(),
            path: write.object_path().to_owned(),
            fields: write.stored.clone(),
        };
        Ok(Plan {
            danger: if doubtful { Danger::H } else { Danger::M },
            preconditions: self.preconditions,
            consequences,
            effect: Effect::All(self.writes.iter().map(approved).collect()),
            writes: self.writes,
            confirm: if doubtful { Confirm::Type(names.join(" ")) } else { Confirm::Button },
            ..Plan::draft(&ENTRY, ask, title(names))
        })
    }
}

/// Nobody has decided on it, and nothing was issued.
fn pending(csr: &Value, name: &str) -> Result<(), Refusal> {
    let verdict =
        items(csr, "/status/conditions").iter().map(|condition| text(condition, "/type")).find(|kind| !kind.is_empty());
    undecided(name, verdict, !text(csr, "/status/certificate").is_empty())
}

/// The same by the type of its first condition, and whether it has a certificate.
fn undecided(name: &str, verdict: Option<&str>, issued: bool) -> Result<(), Refusal> {
    match verdict {
        Some("Approved") => Err(Refusal(format!("{name} is approved already"))),
        Some(kind) => Err(Refusal(format!("{name} is {} already", kind.to_lowercase()))),
        None if issued => Err(Refusal(format!("{name} has its certificate already"))),
        None => Ok(()),
    }
}

/// The whole object as it was read, with the approval: times are put in by the server (kube-apiserver,
/// pkg/registry/certificates/certificates/strategy.go, `populateConditionTimestamps`), so that the plan stays the same.
fn write(session: &Session, csr: &Value, name: &str) -> Result<Write, Refusal> {
    let object = format!("csr/{name}");
    let (uid, version) = lock(csr, &object)?;
    let mut body = csr.clone();
    body["status"]["conditions"] = json!([{
        "type": "Approved", "status": "True", "reason": "OcCockpitApprove",
        "message": "The node was verified and the request approved with oc-cockpit approve-csr.",
    }]);
    Ok(Write {
        object,
        object_path: Some(format!("{REQUESTS}/{name}")),
        path: format!("{REQUESTS}/{name}/approval"),
        verb: Verb::Replace,
        uid: Some(uid.to_owned()),
        resource_version: Some(version.to_owned()),
        body,
        secret: false,
        oc: oc(session, &format!("adm certificate approve {}", shell(name))),
        stored: vec![
            ("/status/conditions/0/type".to_owned(), json!("Approved")),
            ("/status/conditions/0/status".to_owned(), json!("True")),
        ],
    })
}
