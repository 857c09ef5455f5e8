//! The columns of each kind: those of `additionalPrinterColumns` in the definitions of openshift/api, and for built-in
//! kinds those of kube-apiserver's pkg/printers/internalversion.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::sim::kinds::Res;
use crate::sim::tables::age;
use crate::sim::tables::{nodes, pods};

/// One column.
pub struct Column {
    /// The heading.
    pub name: &'static str,
    /// The type of the cells: `string`, `integer`, `number`, `boolean`, `date`.
    pub kind: &'static str,
    /// `name` for the column that names the object.
    pub format: &'static str,
    /// 0 for the narrow table, above for `-o wide`.
    pub priority: u8,
    /// What the column tells.
    pub description: &'static str,
    /// The cell for an object.
    pub cell: Cell,
}

type Cell = Box<dyn Fn(&Value, DateTime<Utc>) -> Value>;

impl Column {
    /// The same column for `-o wide` only.
    #[must_use]
    pub fn wide(self) -> Self {
        Self { priority: 1, ..self }
    }
}

/// A column whose cells are computed.
pub fn column(
    name: &'static str,
    kind: &'static str,
    cell: impl Fn(&Value, DateTime<Utc>) -> Value + 'static,
) -> Column {
    Column { name, kind, format: "", priority: 0, description: "", cell: Box::new(cell) }
}

/// A column of texts.
pub fn text(name: &'static str, cell: impl Fn(&Value) -> String + 'static) -> Column {
    column(name, "string", move |object, _| json!(cell(object)))
}

/// The name of the object.
pub fn name() -> Column {
    let cell = column("Name", "string", |object, _| object["metadata"]["name"].clone());
    Column { format: "name", description: "The object's name, unique for its kind and namespace.", ..cell }
}

/// The age of the object.
pub fn created() -> Column {
    let cell = column("Age", "string", |object, now| age(object.pointer("/metadata/creationTimestamp"), now));
    Column { description: "How long ago the object was created.", ..cell }
}

/// A column that shows the field at a JSON pointer, empty when it is not there.
fn at(name: &'static str, kind: &'static str, pointer: &'static str) -> Column {
    column(name, kind, move |object, now| match (object.pointer(pointer), kind) {
        (None, _) => Value::Null,
        (found, "date") => age(found, now),
        (Some(found), _) => found.clone(),
    })
}

/// A column that shows a field of the condition of some type.
fn condition(name: &'static str, kind: &'static str, of: &'static str, field: &'static str) -> Column {
    column(name, kind, move |object, now| {
        let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
        let found = conditions.and_then(|conditions| conditions.iter().find(|condition| condition["type"] == of));
        match found.and_then(|condition| condition.get(field)) {
            Some(value) if kind == "date" => age(Some(value), now),
            Some(value) => value.clone(),
            None => Value::Null,
        }
    })
}

fn status_of(name: &'static str) -> Column {
    condition(name, "string", name, "status")
}

/// The columns that `kubectl get` shows for a kind.
pub fn columns_of(res: Res) -> Vec<Column> {
    let mut columns = match res.group {
        "" => core(res),
        "apps" | "batch" => workload(res),
        "config.openshift.io" => config(res),
        "machineconfiguration.openshift.io" => machine_config(res),
        "machine.openshift.io" => machine(res),
        "operators.coreos.com" => operator_lifecycle(res),
        _ => other(res),
    };
    if columns.is_empty() {
        columns.push(created());
    }
    // Events are listed by when they were seen; all others by their name.
    if res != Res::EVENTS {
        columns.insert(0, name());
    }
    columns
}

fn count(name: &'static str, pointer: &'static str) -> Column {
    column(name, "string", move |object, _| {
        let count = object.pointer(pointer).map_or(0, |value| match value {
            Value::Object(fields) => fields.len(),
            Value::Array(values) => values.len(),
            _ => 0,
        });
        json!(count)
    })
}

fn core(res: Res) -> Vec<Column> {
    match res {
        Res::NODES => nodes::columns(),
        Res::PODS => pods::columns(),
        Res::EVENTS => events(),
        Res::NAMESPACES => vec![at("Status", "string", "/status/phase"), created()],
        Res::CONFIGMAPS => vec![count("Data", "/data"), created()],
        Res::SECRETS => vec![at("Type", "string", "/type"), count("Data", "/data"), created()],
        Res::SERVICEACCOUNTS => vec![count("Secrets", "/secrets"), created()],
        Res::SERVICES => vec![
            at("Type", "string", "/spec/type"),
            at("Cluster-IP", "string", "/spec/clusterIP"),
            text("External-IP", |_| "<none>".to_owned()),
            text("Port(s)", ports),
            created(),
        ],
        Res::PERSISTENT_VOLUMES | Res::PERSISTENT_VOLUME_CLAIMS => {
            vec![at("Status", "string", "/status/phase"), created()]
        }
        _ => Vec::new(),
    }
}

fn ports(service: &Value) -> String {
    let ports = service.pointer("/spec/ports").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let told: Vec<String> =
        ports.iter().map(|port| format!("{}/{}", port["port"], port["protocol"].as_str().unwrap_or("TCP"))).collect();
    if told.is_empty() { "<none>".to_owned() } else { told.join(",") }
}

fn events() -> Vec<Column> {
    let seen = |field: &'static str| {
        move |event: &Value, now| {
            let at = [field, "eventTime"].iter().find_map(|field| event.get(*field).filter(|at| !at.is_null()));
            age(at.or_else(|| event.pointer("/metadata/creationTimestamp")), now)
        }
    };
    let object = |event: &Value| {
        let involved = &event["involvedObject"];
        let kind = involved["kind"].as_str().unwrap_or_default().to_lowercase();
        format!("{kind}/{}", involved["name"].as_str().unwrap_or_default())
    };
    let source = |event: &Value| {
        let component = event["source"]["component"].as_str().or(event["reportingComponent"].as_str());
        let component = component.unwrap_or_default();
        match event["source"]["host"].as_str() {
            Some(host) if !host.is_empty() => format!("{component}, {host}"),
            _ => component.to_owned(),
        }
    };
    let times = |event: &Value, _now| json!(event["count"].as_i64().or(event["series"]["count"].as_i64()).unwrap_or(1));
    vec![
        column("Last Seen", "string", seen("lastTimestamp")),
        at("Type", "string", "/type"),
        at("Reason", "string", "/reason"),
        text("Object", object),
        at("Subobject", "string", "/involvedObject/fieldPath").wide(),
        text("Source", source).wide(),
        text("Message", |event| event["message"].as_str().unwrap_or_default().trim().to_owned()),
        column("First Seen", "string", seen("firstTimestamp")).wide(),
        column("Count", "string", times).wide(),
        name().wide(),
    ]
}

fn workload(res: Res) -> Vec<Column> {
    let of = |ready: &'static str, wanted: &'static str| {
        text("Ready", move |object| {
            let number = |pointer: &str, missing| object.pointer(pointer).and_then(Value::as_i64).unwrap_or(missing);
            format!("{}/{}", number(ready, 0), number(wanted, 1))
        })
    };
    let number = |name, pointer| {
        column(name, "string", move |object, _| json!(object.pointer(pointer).and_then(Value::as_i64).unwrap_or(0)))
    };
    match res {
        Res::DEPLOYMENTS => vec![
            of("/status/readyReplicas", "/spec/replicas"),
            number("Up-to-date", "/status/updatedReplicas"),
            number("Available", "/status/availableReplicas"),
            created(),
        ],
        Res::STATEFUL_SETS => vec![of("/status/readyReplicas", "/spec/replicas"), created()],
        Res::REPLICA_SETS => vec![
            number("Desired", "/spec/replicas"),
            number("Current", "/status/replicas"),
            number("Ready", "/status/readyReplicas"),
            created(),
        ],
        Res::DAEMON_SETS => vec![
            number("Desired", "/status/desiredNumberScheduled"),
            number("Current", "/status/currentNumberScheduled"),
            number("Ready", "/status/numberReady"),
            number("Up-to-date", "/status/updatedNumberScheduled"),
            number("Available", "/status/numberAvailable"),
            created(),
        ],
        _ => Vec::new(),
    }
}

fn config(res: Res) -> Vec<Column> {
    match res {
        Res::CLUSTER_OPERATORS => vec![
            column("Version", "string", |operator, _| {
                let versions = operator.pointer("/status/versions").and_then(Value::as_array);
                let own = versions.and_then(|versions| versions.iter().find(|version| version["name"] == "operator"));
                own.map_or(Value::Null, |own| own["version"].clone())
            }),
            status_of("Available"),
            status_of("Progressing"),
            status_of("Degraded"),
            condition("Since", "date", "Available", "lastTransitionTime"),
        ],
        Res::CLUSTER_VERSIONS => vec![
            column("Version", "string", |cluster, _| {
                let history = cluster.pointer("/status/history").and_then(Value::as_array);
                let done = history.and_then(|history| history.iter().find(|entry| entry["state"] == "Completed"));
                done.map_or(Value::Null, |done| done["version"].clone())
            }),
            status_of("Available"),
            status_of("Progressing"),
            condition("Since", "date", "Progressing", "lastTransitionTime"),
            condition("Status", "string", "Progressing", "message"),
        ],
        _ => Vec::new(),
    }
}

fn machine_config(res: Res) -> Vec<Column> {
    let progress = |name, of| condition(name, "string", of, "status").wide();
    match res {
        Res::MACHINE_CONFIG_POOLS => vec![
            at("Config", "string", "/status/configuration/name"),
            status_of("Updated"),
            status_of("Updating"),
            status_of("Degraded"),
            at("MachineCount", "number", "/status/machineCount"),
            at("ReadyMachineCount", "number", "/status/readyMachineCount"),
            at("UpdatedMachineCount", "number", "/status/updatedMachineCount"),
            at("DegradedMachineCount", "number", "/status/degradedMachineCount"),
            at("Age", "date", "/metadata/creationTimestamp"),
        ],
        Res::MACHINE_CONFIG_NODES => vec![
            at("PoolName", "string", "/spec/pool/name"),
            at("DesiredConfig", "string", "/spec/configVersion/desired"),
            at("CurrentConfig", "string", "/status/configVersion/current"),
            status_of("Updated"),
            at("Age", "date", "/metadata/creationTimestamp"),
            progress("UpdatePrepared", "UpdatePrepared"),
            progress("UpdateExecuted", "UpdateExecuted"),
            progress("UpdatePostActionComplete", "UpdatePostActionComplete"),
            progress("UpdateComplete", "UpdateComplete"),
            progress("Resumed", "Resumed"),
            progress("UpdatedFilesAndOS", "AppliedFilesAndOS"),
            progress("CordonedNode", "Cordoned"),
            progress("DrainedNode", "Drained"),
            progress("RebootedNode", "RebootedNode"),
            progress("UncordonedNode", "Uncordoned"),
        ],
        Res::MACHINE_OS_BUILDS => vec![
            status_of("Prepared"),
            status_of("Building"),
            status_of("Succeeded"),
            status_of("Interrupted"),
            status_of("Failed"),
            at("Age", "date", "/metadata/creationTimestamp"),
        ],
        Res::MACHINE_CONFIGS => vec![
            at(
                "GeneratedByController",
                "string",
                "/metadata/annotations/machineconfiguration.openshift.io~1generated-by-controller-version",
            ),
            at("IgnitionVersion", "string", "/spec/config/ignition/version"),
            at("Age", "date", "/metadata/creationTimestamp"),
        ],
        _ => Vec::new(),
    }
}

fn machine(res: Res) -> Vec<Column> {
    let label = |name, pointer| at(name, "string", pointer);
    match res {
        Res::MACHINES => vec![
            at("Phase", "string", "/status/phase"),
            label("Type", "/metadata/labels/machine.openshift.io~1instance-type"),
            label("Region", "/metadata/labels/machine.openshift.io~1region"),
            label("Zone", "/metadata/labels/machine.openshift.io~1zone"),
            at("Age", "date", "/metadata/creationTimestamp"),
            at("Node", "string", "/status/nodeRef/name").wide(),
            at("ProviderID", "string", "/spec/providerID").wide(),
            at("State", "string", "/metadata/annotations/machine.openshift.io~1instance-state").wide(),
        ],
        Res::MACHINE_SETS => vec![
            at("Desired", "integer", "/spec/replicas"),
            at("Current", "integer", "/status/replicas"),
            at("Ready", "integer", "/status/readyReplicas"),
            at("Available", "string", "/status/availableReplicas"),
            at("Age", "date", "/metadata/creationTimestamp"),
        ],
        Res::CONTROL_PLANE_MACHINE_SETS => vec![
            at("Desired", "integer", "/spec/replicas"),
            at("Current", "integer", "/status/replicas"),
            at("Ready", "integer", "/status/readyReplicas"),
            at("Updated", "integer", "/status/updatedReplicas"),
            at("Unavailable", "integer", "/status/unavailableReplicas"),
            at("State", "string", "/spec/state"),
            at("Age", "date", "/metadata/creationTimestamp"),
        ],
        Res::MACHINE_HEALTH_CHECKS => vec![
            at("MaxUnhealthy", "string", "/spec/maxUnhealthy"),
            at("ExpectedMachines", "integer", "/status/expectedMachines"),
            at("CurrentHealthy", "integer", "/status/currentHealthy"),
        ],
        _ => Vec::new(),
    }
}

fn operator_lifecycle(res: Res) -> Vec<Column> {
    match res {
        Res::SUBSCRIPTIONS => vec![
            at("Package", "string", "/spec/name"),
            at("Source", "string", "/spec/source"),
            at("Channel", "string", "/spec/channel"),
        ],
        Res::CLUSTER_SERVICE_VERSIONS => vec![
            at("Display", "string", "/spec/displayName"),
            at("Version", "string", "/spec/version"),
            at("Replaces", "string", "/spec/replaces"),
            at("Phase", "string", "/status/phase"),
        ],
        Res::INSTALL_PLANS => vec![
            at("CSV", "string", "/spec/clusterServiceVersionNames/0"),
            at("Approval", "string", "/spec/approval"),
            at("Approved", "boolean", "/spec/approved"),
        ],
        Res::CATALOG_SOURCES => vec![
            at("Display", "string", "/spec/displayName"),
            at("Type", "string", "/spec/sourceType"),
            at("Publisher", "string", "/spec/publisher"),
            at("Age", "date", "/metadata/creationTimestamp"),
        ],
        _ => Vec::new(),
    }
}

fn other(res: Res) -> Vec<Column> {
    let last_condition = |name, field: &'static str| {
        column(name, "string", move |object, _| {
            let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
            conditions.and_then(|conditions| conditions.last()).map_or(Value::Null, |last| last[field].clone())
        })
    };
    let or_none = |name, pointer: &'static str| {
        text(name, move |object| match object.pointer(pointer) {
            None | Some(Value::Null) => "N/A".to_owned(),
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
        })
    };
    match res {
        Res::PDBS => vec![
            or_none("Min Available", "/spec/minAvailable"),
            or_none("Max Unavailable", "/spec/maxUnavailable"),
            column("Allowed Disruptions", "integer", |pdb, _| {
                json!(pdb["status"]["disruptionsAllowed"].as_i64().unwrap_or(0))
            }),
            created(),
        ],
        Res::CSRS => vec![
            created(),
            at("SignerName", "string", "/spec/signerName"),
            at("Requestor", "string", "/spec/username"),
            text("RequestedDuration", |csr| {
                let seconds = csr.pointer("/spec/expirationSeconds").and_then(Value::as_i64);
                seconds.map_or_else(|| "<none>".to_owned(), super::human_duration)
            }),
            text("Condition", csr_condition),
        ],
        Res::CRDS => vec![at("Created At", "date", "/metadata/creationTimestamp")],
        Res::LEASES => vec![at("Holder", "string", "/spec/holderIdentity"), created()],
        Res::IMAGE_BASED_UPGRADES | Res::IP_CONFIGS => vec![
            at("Age", "date", "/metadata/creationTimestamp"),
            at("Desired Stage", "string", "/spec/stage"),
            last_condition("State", "reason"),
            last_condition("Details", "message"),
        ],
        Res::BACKUP_STORAGE_LOCATIONS => vec![
            at("Phase", "string", "/status/phase"),
            at("Last Validated", "date", "/status/lastValidationTime"),
            at("Age", "date", "/metadata/creationTimestamp"),
            at("Default", "boolean", "/spec/default"),
        ],
        Res::DATA_PROTECTION_APPLICATIONS => {
            vec![
                condition("Reconciled", "string", "Reconciled", "status"),
                at("Age", "date", "/metadata/creationTimestamp"),
            ]
        }
        Res::CLUSTER_GROUP_UPGRADES => vec![
            at("Age", "date", "/metadata/creationTimestamp"),
            last_condition("State", "reason"),
            last_condition("Details", "message"),
        ],
        Res::ROUTES => vec![
            text("Host/Port", |route| route["status"]["ingress"][0]["host"].as_str().unwrap_or_default().to_owned()),
            at("Path", "string", "/spec/path"),
            at("Services", "string", "/spec/to/name"),
            at("Port", "string", "/spec/port/targetPort"),
            text("Termination", |route| {
                let tls = &route["spec"]["tls"];
                let ends = tls["termination"].as_str().unwrap_or_default();
                match tls["insecureEdgeTerminationPolicy"].as_str() {
                    Some(policy) if !ends.is_empty() => format!("{ends}/{policy}"),
                    _ => ends.to_owned(),
                }
            }),
            text("Wildcard", |route| route["spec"]["wildcardPolicy"].as_str().unwrap_or("None").to_owned()),
        ],
        Res::VIRTUAL_MACHINE_INSTANCES => vec![
            at("Age", "date", "/metadata/creationTimestamp"),
            at("Phase", "string", "/status/phase"),
            at("IP", "string", "/status/interfaces/0/ipAddress"),
            at("NodeName", "string", "/status/nodeName"),
            status_of("Ready"),
            condition("Live-Migratable", "string", "LiveMigratable", "status").wide(),
        ],
        Res::API_REQUEST_COUNTS => vec![
            at("RemovedInRelease", "string", "/status/removedInRelease"),
            at("RequestsInCurrentHour", "integer", "/status/currentHour/requestCount"),
            at("RequestsInLast24h", "integer", "/status/requestCount"),
        ],
        _ => Vec::new(),
    }
}

fn csr_condition(csr: &Value) -> String {
    let conditions = csr.pointer("/status/conditions").and_then(Value::as_array);
    let types: Vec<&str> =
        conditions.into_iter().flatten().filter_map(|condition| condition["type"].as_str()).collect();
    let mut told = match types.as_slice() {
        [] => "Pending".to_owned(),
        types => types.join(","),
    };
    if csr
        .pointer("/status/certificate")
        .is_some_and(|certificate| certificate.as_str().is_some_and(|it| !it.is_empty()))
    {
        told.push_str(",Issued");
    }
    told
}
