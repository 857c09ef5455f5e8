//! What a kubelet asks for with a CertificateSigningRequest, and whether it is what that node may ask for.
//!
//! The rules are those by which the cluster approves such requests itself (openshift/cluster-machine-approver,
//! pkg/controller/csr_check.go: `validateCSRContents`, `authorizeCSR`; Kubernetes, pkg/apis/certificates/v1:
//! `IsKubeletServingCSR`, `IsKubeletClientCSR`). A person may know more than they do: where they only do not know a
//! node, the doubt is named instead.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{AttributeTypeAndValue, FromDer as _};

use super::raw::{items, name, part, text};
use super::words::list;
use super::{Precondition, Refusal};

/// The certificate by which a node is known to the API server.
const CLIENT: &str = "kubernetes.io/kube-apiserver-client-kubelet";
/// The certificate with which a kubelet serves logs and exec.
const SERVING: &str = "kubernetes.io/kubelet-serving";
/// Who asks for nodes that have no certificate yet.
const BOOTSTRAPPER: &str = "system:serviceaccount:openshift-machine-config-operator:node-bootstrapper";
/// Its group.
const BOOTSTRAPPERS: &str = "system:serviceaccounts:openshift-machine-config-operator";
/// The group of nodes, and the organization of their certificates.
const NODES: &str = "system:nodes";
/// What user names of nodes begin with.
const NODE: &str = "system:node:";

/// Which certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signer {
    /// Of the node towards the API server.
    Client,
    /// Of the kubelet towards others.
    Serving,
}

/// A request of a kubelet that is formally in order.
#[derive(Debug, Clone)]
pub(super) struct Asked<'a> {
    /// Name of the request.
    pub name: &'a str,
    /// Which certificate.
    pub signer: Signer,
    /// The node whose certificate it would be.
    pub node: String,
    /// Who asks.
    pub username: &'a str,
    /// Names and addresses that it would be for.
    pub hosts: Vec<String>,
    /// When.
    pub created: &'a str,
}

/// Whether the node is one that is known to ask for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Known {
    /// It is; what shows it.
    Yes(Precondition),
    /// That cannot be told from the cluster: why.
    Doubtful(String),
}

/// What a certificate says that is asked for.
struct Content {
    common_name: Vec<String>,
    organizations: Vec<String>,
    hosts: Vec<String>,
    /// Names of other kinds: mail addresses, URIs.
    others: usize,
}

/// Is the signer that of a kubelet's certificate?
pub(super) fn of_kubelets(signer: &str) -> bool {
    matches!(signer, CLIENT | SERVING)
}

impl<'a> Asked<'a> {
    /// The request of a kubelet in a CertificateSigningRequest.
    ///
    /// # Errors
    /// Whatever is formally not what a kubelet asks for: nobody should approve that here.
    pub(super) fn read(csr: &'a Value) -> Result<Self, Refusal> {
        let csr_name = name(csr);
        let refuse = |why: String| Refusal(format!("{csr_name} {why}"));
        let signer = match text(csr, "/spec/signerName") {
            CLIENT => Signer::Client,
            SERVING => Signer::Serving,
            other => {
                return Err(refuse(format!(
                    "is for the signer {other}: only kubelets' certificates are approved here"
                )));
            }
        };
        let content = content(text(csr, "/spec/request")).map_err(|why| refuse(format!("cannot be read: {why}")))?;
        let ([common_name], [organization]) = (content.common_name.as_slice(), content.organizations.as_slice()) else {
            return Err(refuse("does not name one node and one organization".to_owned()));
        };
        let Some(node) = common_name.strip_prefix(NODE).filter(|node| !node.is_empty()) else {
            return Err(refuse(format!("asks for a certificate of {common_name}, which is no node")));
        };
        if organization != NODES {
            return Err(refuse(format!("asks for the organization {organization}, not {NODES}")));
        }
        if content.others > 0 {
            return Err(refuse("holds names that are neither hosts nor addresses".to_owned()));
        }
        let asked = Self {
            name: csr_name,
            signer,
            node: node.to_owned(),
            username: text(csr, "/spec/username"),
            hosts: content.hosts,
            created: text(csr, "/metadata/creationTimestamp"),
        };
        let groups: Vec<String> = part(csr, "/spec/groups").unwrap_or_default();
        asked.usages(&part::<Vec<String>>(csr, "/spec/usages").unwrap_or_default()).map_err(refuse)?;
        asked.asker(&groups).map_err(refuse)?;
        Ok(asked)
    }

    /// What the certificate may be used for: what a kubelet needs, and nothing else.
    fn usages(&self, usages: &[String]) -> Result<(), String> {
        let needed = match self.signer {
            Signer::Client => "client auth",
            Signer::Serving => "server auth",
        };
        let known = |usage: &&String| ["digital signature", "key encipherment", needed].contains(&usage.as_str());
        if let Some(other) = usages.iter().find(|usage| !known(usage)) {
            return Err(format!("asks for the usage {other}, which this certificate of a kubelet does not have"));
        }
        if usages.iter().any(|usage| usage == needed) {
            return Ok(());
        }
        Err(format!("does not ask for the usage {needed}"))
    }

    /// Who asks: the node itself, or for its first certificate the bootstrap account.
    fn asker(&self, groups: &[String]) -> Result<(), String> {
        let is_in = |group: &str| groups.iter().any(|own| own == group);
        let itself = self.is_of_itself() && is_in(NODES);
        let fits = match self.signer {
            Signer::Serving => itself && !self.hosts.is_empty(),
            Signer::Client => {
                (itself || self.username == BOOTSTRAPPER && is_in(BOOTSTRAPPERS)) && self.hosts.is_empty()
            }
        };
        if fits {
            return Ok(());
        }
        Err(match (self.signer, self.hosts.is_empty()) {
            (Signer::Serving, true) => "names no host that the certificate would be for".to_owned(),
            (Signer::Client, false) => "names hosts, which the certificate of a node does not".to_owned(),
            _ => format!("is asked for by {} ({}), who is not {}", self.username, groups.join(", "), self.node),
        })
    }

    /// Does the node ask with a certificate that it has already?
    pub(super) fn is_of_itself(&self) -> bool {
        self.username.strip_prefix(NODE) == Some(self.node.as_str())
    }

    /// Is the node known? `node` is the Node of that name, `machines` the Machines (none: they are not known), `nodes` the
    /// names of all nodes.
    ///
    /// # Errors
    /// Where the cluster shows that the node does not need what is asked for in its name, or that it is for another node.
    pub(super) fn known(
        &self,
        node: Option<&Value>,
        machines: Option<&[&Value]>,
        nodes: &[&str],
    ) -> Result<Known, Refusal> {
        self.of_another(machines.unwrap_or_default(), nodes)?;
        let machine =
            machines.and_then(|machines| machines.iter().copied().find(|machine| self.stands_behind(machine)));
        match self.signer {
            Signer::Serving => self.known_to_serve(node, machine),
            Signer::Client if self.is_of_itself() => match node {
                Some(_) => {
                    Ok(Known::Yes(self.found("the node itself asks, to renew its certificate", "spec.username")))
                }
                None => Err(Refusal(format!(
                    "{} is of {}, which is no node of this cluster (any more)",
                    self.name, self.node
                ))),
            },
            Signer::Client => self.known_to_join(node, machine),
        }
    }

    /// With the certificate of another node whoever holds it can pose as that node's kubelet.
    fn of_another(&self, machines: &[&Value], nodes: &[&str]) -> Result<(), Refusal> {
        let named = |host: &str| nodes.iter().copied().find(|name| *name != self.node && same_host(name, host));
        let behind = |host: &str| {
            let others = machines.iter().copied().filter(|machine| !self.stands_behind(machine));
            let has = |machine: &&Value| {
                items(machine, "/status/addresses").iter().any(|address| same_host(text(address, "/address"), host))
            };
            others.filter(has).map(|machine| text(machine, "/metadata/name")).next()
        };
        let found = self.hosts.iter().find_map(|host| Some((host, named(host).or_else(|| behind(host))?)));
        match found {
            None => Ok(()),
            Some((host, owner)) => Err(Refusal(format!(
                "{} is of {}, and would be for {host}, which is {owner}: one node does not serve for another",
                self.name, self.node
            ))),
        }
    }

    fn known_to_serve(&self, node: Option<&Value>, machine: Option<&Value>) -> Result<Known, Refusal> {
        let Some(node) = node else {
            return Err(Refusal(format!("{} is of {}, which is no node of this cluster", self.name, self.node)));
        };
        let addresses = |object: &Value| -> Vec<String> {
            items(object, "/status/addresses").iter().map(|address| text(address, "/address").to_owned()).collect()
        };
        let mut own = addresses(node);
        own.extend(machine.map(addresses).unwrap_or_default());
        let strange: Vec<&str> =
            self.hosts.iter().filter(|host| !own.iter().any(|own| same_host(own, host))).map(String::as_str).collect();
        if strange.is_empty() {
            let words = format!("every name in it is one of {}", self.node);
            return Ok(Known::Yes(self.found(
                &words,
                &format!("{}: node and machine status.addresses", list(self.hosts.iter().map(String::as_str))),
            )));
        }
        Ok(Known::Doubtful(format!(
            "{} would be for {}, which neither node nor machine of {} has as an address",
            self.name,
            list(strange),
            self.node
        )))
    }

    fn known_to_join(&self, node: Option<&Value>, machine: Option<&Value>) -> Result<Known, Refusal> {
        let ready = |node: &Value| {
            items(node, "/status/conditions")
                .iter()
                .any(|one| text(one, "/type") == "Ready" && text(one, "/status") == "True")
        };
        match (node, machine) {
            (Some(node), _) if ready(node) => Err(Refusal(format!(
                "{} asks for a first certificate of {}, which is ready and has one: whoever asks is not that node",
                self.name, self.node
            ))),
            (Some(_), _) => Ok(Known::Doubtful(format!(
                "{} asks with the bootstrap account for a certificate of {}, which had one: fine after a long time switched \
                 off, or when it is installed anew; a forgery otherwise",
                self.name, self.node
            ))),
            (None, Some(machine)) => Ok(self.of_machine(machine)),
            (None, None) => Ok(Known::Doubtful(format!(
                "no machine of this cluster is called {}: only whoever sets it up knows that it is meant to join",
                self.node
            ))),
        }
    }

    /// A Machine waits for its node: has nobody taken its place, and was the request made after it?
    fn of_machine(&self, machine: &Value) -> Known {
        let reference = text(machine, "/status/nodeRef/name");
        if !reference.is_empty() {
            return Known::Doubtful(format!("machine {} has its node already: {reference}", name(machine)));
        }
        // RFC 3339 in UTC: the order of texts is that of times.
        if self.created < text(machine, "/metadata/creationTimestamp") {
            return Known::Doubtful(format!("{} is older than machine {}", self.name, name(machine)));
        }
        Known::Yes(self.found(
            &format!("machine {} waits for its node", name(machine)),
            &format!("machine/{} status.addresses has {}, status.nodeRef is empty", name(machine), self.node),
        ))
    }

    /// Is the node that of this Machine, by its own name or its reference?
    fn stands_behind(&self, machine: &Value) -> bool {
        let named = |address: &Value| {
            matches!(text(address, "/type"), "InternalDNS" | "Hostname")
                && same_host(text(address, "/address"), &self.node)
        };
        text(machine, "/status/nodeRef/name") == self.node || items(machine, "/status/addresses").iter().any(named)
    }

    fn found(&self, words: &str, evidence: &str) -> Precondition {
        Precondition { words: format!("{}: {words}", self.name), evidence: evidence.to_owned() }
    }
}

/// Addresses are compared as addresses, names without regard to case.
fn same_host(a: &str, b: &str) -> bool {
    match (a.parse::<IpAddr>(), b.parse::<IpAddr>()) {
        (Ok(a), Ok(b)) => a == b,
        _ => a.eq_ignore_ascii_case(b),
    }
}

/// What stands in a request (base64 of PEM of PKCS #10), whose asker has proved to have the key.
fn content(request: &str) -> Result<Content, String> {
    let pem = STANDARD.decode(request.trim()).map_err(|error| format!("spec.request is not base64: {error}"))?;
    let (_, pem) = x509_parser::pem::parse_x509_pem(&pem).map_err(|error| format!("it is not PEM: {error}"))?;
    if pem.label != "CERTIFICATE REQUEST" {
        return Err(format!("it holds a {}", pem.label.to_lowercase()));
    }
    let (_, csr) = X509CertificationRequest::from_der(&pem.contents)
        .map_err(|error| format!("it is no certificate request: {error}"))?;
    csr.verify_signature().map_err(|_| "its signature is not that of its key".to_owned())?;
    let subject = &csr.certification_request_info.subject;
    let texts = |values: Vec<Result<&str, _>>| -> Result<Vec<String>, String> {
        values
            .into_iter()
            .map(|value| {
                value.map(str::to_owned).map_err(|_: x509_parser::error::X509Error| "its subject is no text".to_owned())
            })
            .collect()
    };
    let mut content = Content {
        common_name: texts(subject.iter_common_name().map(AttributeTypeAndValue::as_str).collect())?,
        organizations: texts(subject.iter_organization().map(AttributeTypeAndValue::as_str).collect())?,
        hosts: Vec::new(),
        others: 0,
    };
    for extension in csr.requested_extensions().into_iter().flatten() {
        let ParsedExtension::SubjectAlternativeName(names) = extension else { continue };
        for name in &names.general_names {
            match host(name) {
                Some(host) => content.hosts.push(host),
                None => content.others += 1,
            }
        }
    }
    Ok(content)
}

/// A host name or an address as text.
fn host(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let address = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            address.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from)).ok().map(|address| address.to_string())
        }
        _ => None,
    }
}
