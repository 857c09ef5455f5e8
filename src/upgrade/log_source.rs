//! Which logs explain what: plain data, so that a screen can ask for them and a test can read the question.

use super::assessment::{Assessment, Node, OperatorState, Resource, Subject};
use super::facts::Kind;
use super::image_based::NAME;

/// Namespace of the machine-config operator and all that it runs (MCO: manifests/0000_80_machine-config_00_namespace).
const MACHINE_CONFIG: &str = "openshift-machine-config-operator";
/// Namespace of the cluster-version operator.
const CLUSTER_VERSION: &str = "openshift-cluster-version";
/// Where the units of the boot are read (lifecycle-agent: lca-cli, the units that it installs).
const JOURNAL: &str = "journalctl -u installation-configuration -u lca-init-monitor on the node";
/// Daemons that are offered for a pool: those of the nodes that matter, not hundreds.
const DAEMONS: usize = 6;

/// The log of one container.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogSource {
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub pod: String,
    /// Container; none: the pod's only one.
    pub container: Option<String>,
    /// The log of the container that ran before the present one.
    pub previous: bool,
    /// Go on with what will be said; otherwise it ends with what was said.
    pub follow: bool,
    /// At most so many of the lines that were said already; none: all that are kept.
    pub tail_lines: Option<u32>,
    /// Each line begins with its time (RFC 3339) and a blank.
    pub timestamps: bool,
}

/// The pods whose logs explain something.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodQuery {
    /// In this namespace; empty: in all.
    pub namespace: String,
    /// With these labels, as `oc get -l` takes them; empty: whatever their labels.
    pub labels: String,
    /// On this node; none: wherever they run.
    pub node: Option<String>,
}

/// A log that explains something.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Explaining {
    /// What it is, for a person: `machine-config-daemon on worker-3`.
    pub title: String,
    /// Its pods: the first that runs is read unless another is chosen.
    pub query: PodQuery,
    /// Its container; none: the pod's only one, or each of them by choice.
    pub container: Option<String>,
    /// What is not in it, and where that is to be found; empty: nothing is to be said.
    pub note: String,
}

impl Explaining {
    fn labelled(title: impl Into<String>, namespace: &str, app: &str, container: Option<&str>) -> Self {
        let labels = if app.is_empty() { String::new() } else { format!("k8s-app={app}") };
        let query = PodQuery { namespace: namespace.to_owned(), labels, node: None };
        Self { title: title.into(), query, container: container.map(ToOwned::to_owned), note: String::new() }
    }

    fn on(mut self, node: &str) -> Self {
        self.query.node = Some(node.to_owned());
        self
    }
}

/// The machine-config daemon of a node: it cordons, drains (before 4.8 itself, later by the controller), writes, reboots
/// (MCO: manifests/machineconfigdaemon/daemonset.yaml).
fn daemon(node: &str) -> Explaining {
    let name = "machine-config-daemon";
    Explaining::labelled(format!("{name} on {node}"), MACHINE_CONFIG, name, Some(name)).on(node)
}

/// The machine-config controller: it renders, chooses nodes and drains them.
fn controller() -> Explaining {
    let name = "machine-config-controller";
    Explaining::labelled(name, MACHINE_CONFIG, name, Some(name))
}

/// The cluster-version operator: it applies the payload.
fn version_operator() -> Explaining {
    let name = "cluster-version-operator";
    Explaining::labelled(name, CLUSTER_VERSION, name, Some(name))
}

/// The logs that explain `subject`, the most telling first; empty for what has none.
pub fn sources(assessment: &Assessment, subject: &Subject) -> Vec<Explaining> {
    match subject {
        Subject::Version => vec![version_operator()],
        Subject::Node(name) => vec![daemon(name), controller()],
        Subject::Pool(name) => {
            let mut nodes: Vec<&Node> = assessment.nodes_of(name).filter(|node| urgency(node) < 2).collect();
            nodes.sort_by_key(|node| urgency(node));
            let daemons = nodes.into_iter().take(DAEMONS).map(|node| daemon(&node.name));
            std::iter::once(controller()).chain(daemons).collect()
        }
        Subject::Operator(name) => operator(assessment, name),
        Subject::Object(object) if is_image_based(object) => image_based(assessment),
        Subject::Link | Subject::Object(_) => Vec::new(),
    }
}

/// Is it the image-based upgrade?
fn is_image_based(object: &Resource) -> bool {
    object.resource == Kind::ImageBasedUpgrades.resource() && object.name == NAME
}

/// The Job that works now, while there is one, and the lifecycle agent, which does the rest.
fn image_based(assessment: &Assessment) -> Vec<Explaining> {
    let Some(image) = assessment.image_based.as_deref() else { return Vec::new() };
    let job = image.job.as_ref().map(|(namespace, name)| {
        let mut log = Explaining::labelled(format!("job {name}"), namespace, "", None);
        // Kubernetes: pkg/apis/batch `JobNameLabel`.
        log.query.labels = format!("batch.kubernetes.io/job-name={name}");
        log
    });
    let mut agent = Explaining::labelled("lifecycle agent", "", "", Some("manager"));
    // lifecycle-agent: config/manager/manager.yaml. In whatever namespace it was installed.
    "app.kubernetes.io/component=lifecycle-agent".clone_into(&mut agent.query.labels);
    agent.note = format!(
        "What runs before the API is back (recert, installation-configuration, lca-init-monitor) is in the node's journal, \
         which the API does not show: {JOURNAL}"
    );
    job.into_iter().chain([agent]).collect()
}

/// Degraded and blocked nodes first, then those that move; all others say nothing of interest.
fn urgency(node: &Node) -> u8 {
    match node.phase {
        _ if node.drain_trouble.is_some() => 0,
        super::assessment::NodePhase::Degraded => 0,
        phase if phase.moving() => 1,
        _ => 2,
    }
}

/// The pods of an operator: in the namespaces that its ClusterOperator relates to, its own before those of what it
/// runs; and the cluster-version operator while that waits for it.
fn operator(assessment: &Assessment, name: &str) -> Vec<Explaining> {
    let mut logs: Vec<Explaining> = Vec::new();
    if name == "machine-config" {
        let operator = "machine-config-operator";
        logs.push(Explaining::labelled(operator, MACHINE_CONFIG, operator, Some(operator)));
        logs.push(controller());
    } else {
        let object = assessment.facts.operators.iter().find(|object| object.metadata.name.as_deref() == Some(name));
        let related = object.map(|object| object.status.related_objects.as_slice()).unwrap_or_default();
        let namespaces = related.iter().filter(|related| related.group.is_empty() && related.resource == "namespaces");
        let mut namespaces: Vec<&str> = namespaces.map(|related| related.name.as_str()).collect();
        // Configuration is kept in these; nothing runs there.
        namespaces.retain(|name| !name.is_empty() && !name.starts_with("openshift-config") && *name != "kube-system");
        namespaces.sort_by_key(|namespace| (distance(namespace, name), namespace.len()));
        namespaces.dedup();
        logs.extend(
            namespaces
                .into_iter()
                .map(|namespace| Explaining::labelled(format!("pods of {namespace}"), namespace, "", None)),
        );
    }
    let waited_for = assessment.operator(name).is_some_and(|row| row.state != OperatorState::Updated);
    if waited_for || logs.is_empty() {
        logs.push(version_operator());
    }
    logs
}

/// How far a namespace is from an operator, by its name: `openshift-ingress-operator` is the operator's own,
/// `openshift-ingress` that of what it runs.
fn distance(namespace: &str, operator: &str) -> u8 {
    let bare = namespace.strip_prefix("openshift-").unwrap_or(namespace);
    match bare.strip_suffix("-operator") {
        Some(own) if own == operator => 0,
        Some(own) if own.contains(operator) || operator.contains(own) => 1,
        _ if bare == operator => 2,
        Some(_) => 3,
        _ if bare.contains(operator) || operator.contains(bare) => 4,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn an_operators_own_namespace_comes_first() {
        let mut all =
            ["openshift-ingress-canary", "openshift-ingress", "openshift-dns-operator", "openshift-ingress-operator"];
        all.sort_by_key(|namespace| distance(namespace, "ingress"));
        assert_eq!(all[..2], ["openshift-ingress-operator", "openshift-ingress"]);
    }
}
