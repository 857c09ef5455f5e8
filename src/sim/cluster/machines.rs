//! Nodes, their Machines, leases and MachineConfigNodes.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::object::{hex, name, text, uuid};
use super::{Builder, configuration, controller_config, infrastructure_name, machine_api, release};
use crate::sim::kinds::Res;
use crate::sim::scenario::{ARBITER, Pool, node_name};
use crate::sim::store::timestamp;

/// Prefix of the machine config operator's annotations on nodes.
pub const MCO: &str = "machineconfiguration.openshift.io";

/// The conditions of a MachineConfigNode in the order in which an update goes through them, with what their message
/// calls the phase (machine-config-operator, pkg/upgrademonitor and pkg/controller/state).
pub const PHASES: [&str; 13] = [
    "UpdatePrepared",
    "UpdateExecuted",
    "UpdatePostActionComplete",
    "UpdateComplete",
    "Resumed",
    "Drained",
    "AppliedFilesAndOS",
    "Cordoned",
    "RebootedNode",
    "NodeDegraded",
    "Updated",
    "Uncordoned",
    "PinnedImageSetsProgressing",
];

/// Creates the nodes of all pools.
pub fn build(builder: &Builder<'_>) {
    let mut address = 10_u32;
    for (pool_name, pool) in &builder.scenario.pools {
        let Some(object) = builder.store.get(Res::MACHINE_CONFIG_POOLS, None, pool_name) else { continue };
        let config = text(&object, "/spec/configuration/name").to_owned();
        for index in 0..pool.nodes {
            let joined = pool.joined.map_or(builder.installed, |span| builder.now - span.delta());
            let born = joined + TimeDelta::minutes(index as i64);
            address += 1;
            let seat = Seat { pool_name, pool, index, address, config: &config, born };
            seat.create(builder);
        }
    }
    for index in 0..builder.scenario.cluster.windows {
        let node = format!("win-{index}");
        builder.old(Res::NODES, windows_node(builder, &node));
        builder.old(Res::LEASES, lease(&node, builder.now));
    }
}

/// Where one node sits.
struct Seat<'a> {
    pool_name: &'a str,
    pool: &'a Pool,
    index: usize,
    address: u32,
    config: &'a str,
    born: DateTime<Utc>,
}

impl Seat<'_> {
    fn create(&self, builder: &Builder<'_>) {
        let node = node_name(self.pool_name, self.index);
        builder.born(Res::NODES, self.node(builder, &node), self.born);
        if configuration::has_machine_api(&builder.scenario.cluster.platform) {
            builder.born(Res::MACHINES, self.machine(builder, &node), self.born - TimeDelta::minutes(6));
        }
        builder.born(Res::LEASES, lease(&node, builder.now), self.born);
        let minor = release::minor(&builder.scenario.cluster.version);
        if release::has_machine_config_nodes(minor)
            && let Some(object) = builder.store.get(Res::NODES, None, &node)
        {
            let mcn = machine_config_node(&object, self.pool_name, self.config, builder.now);
            builder.born(Res::MACHINE_CONFIG_NODES, mcn, self.born);
        }
    }

    /// Nodes are dealt to the zones in blocks: the first ones to the first zone.
    fn zone(&self) -> Option<&str> {
        let zones = &self.pool.zones;
        if zones.is_empty() {
            return None;
        }
        zones.get(self.index * zones.len() / self.pool.nodes.max(1)).map(String::as_str)
    }

    fn region(&self) -> &str {
        self.zone().map_or("local", |zone| zone.trim_end_matches(|letter: char| letter.is_ascii_lowercase()))
    }

    fn size(&self) -> &'static str {
        match (self.pool_name, self.pool.architecture.as_str()) {
            ("master", "arm64") => "m6g.2xlarge",
            ("master", _) => "m6i.2xlarge",
            (_, "arm64") => "m6g.4xlarge",
            _ => "m6i.4xlarge",
        }
    }

    fn provider_id(&self, builder: &Builder<'_>, node: &str) -> String {
        let platform = builder.scenario.cluster.platform.to_lowercase();
        format!("{platform}:///{}/i-{}", self.zone().unwrap_or("local"), hex(node, 17))
    }

    fn roles<'b>(&'b self, builder: &'b Builder<'_>, node: &str) -> Vec<&'b str> {
        let mut roles = roles(self.pool_name);
        if self.pool_name == "master" && builder.scenario.is_compact() {
            roles.push("worker");
        }
        let more = builder.scenario.nodes.get(node).map(|story| story.roles.iter().map(String::as_str));
        roles.extend(more.into_iter().flatten());
        roles
    }

    fn internal_ip(&self) -> String {
        format!("10.0.{}.{}", self.address / 250, self.address % 250 + 1)
    }

    fn node(&self, builder: &Builder<'_>, node: &str) -> Value {
        let region = self.region();
        let arch = &self.pool.architecture;
        let mut labels = json!({
            "beta.kubernetes.io/arch": arch,
            "beta.kubernetes.io/os": "linux",
            "kubernetes.io/arch": arch,
            "kubernetes.io/hostname": node,
            "kubernetes.io/os": "linux",
            "node.kubernetes.io/instance-type": self.size(),
            "node.openshift.io/os_id": "rhel",
        });
        for role in self.roles(builder, node) {
            labels[format!("node-role.kubernetes.io/{role}")] = json!("");
        }
        if let Some(zone) = self.zone() {
            labels["topology.kubernetes.io/region"] = json!(region);
            labels["topology.kubernetes.io/zone"] = json!(zone);
        }
        let taints = match self.pool_name {
            "master" if builder.scenario.is_compact() => Value::Null,
            ARBITER => json!([{"effect": "NoSchedule", "key": "node-role.kubernetes.io/arbiter"}]),
            "master" => json!([{"effect": "NoSchedule", "key": "node-role.kubernetes.io/master"}]),
            "infra" => json!([{"effect": "NoSchedule", "key": "node-role.kubernetes.io/infra"}]),
            _ => Value::Null,
        };
        let mut spec = json!({"providerID": self.provider_id(builder, node)});
        if !taints.is_null() {
            spec["taints"] = taints;
        }
        if builder.scenario.nodes.get(node).is_some_and(|story| story.cordoned) {
            spec["unschedulable"] = json!(true);
        }
        json!({
            "metadata": {"name": node, "labels": labels, "annotations": self.annotations(builder, node)},
            "spec": spec,
            "status": self.status(builder, node),
        })
    }

    fn annotations(&self, builder: &Builder<'_>, node: &str) -> Value {
        let config = self.config;
        let mut notes = json!({
            format!("{MCO}/controlPlaneTopology"): configuration::control_plane_topology(builder.scenario),
            format!("{MCO}/currentConfig"): config,
            format!("{MCO}/desiredConfig"): config,
            format!("{MCO}/desiredDrain"): format!("uncordon-{config}"),
            format!("{MCO}/lastAppliedDrain"): format!("uncordon-{config}"),
            format!("{MCO}/lastObservedServerCAAnnotation"): "false",
            format!("{MCO}/lastSyncedControllerConfigResourceVersion"): "10000",
            format!("{MCO}/reason"): "",
            format!("{MCO}/state"): "Done",
            "volumes.kubernetes.io/controller-managed-attach-detach": "true",
        });
        if configuration::has_machine_api(&builder.scenario.cluster.platform) {
            let machine = format!("openshift-machine-api/{}", machine_name(builder, node));
            notes["machine.openshift.io/machine"] = json!(machine);
        }
        if self.pool.layered {
            let image = controller_config::built_image(&controller_config::os_build_name(self.pool_name, config), 0);
            for key in ["currentImage", "desiredImage"] {
                notes[format!("{MCO}/{key}")] = json!(image);
            }
        }
        notes
    }

    fn status(&self, builder: &Builder<'_>, node: &str) -> Value {
        let system = release::system(&builder.scenario.cluster.version);
        let condition = |kind: &str, status: &str, reason: &str, message: &str| {
            json!({
                "lastHeartbeatTime": timestamp(builder.now), "lastTransitionTime": timestamp(self.born),
                "message": message, "reason": reason, "status": status, "type": kind,
            })
        };
        let (cpu, memory) = if self.pool_name == "master" { (8, 32) } else { (16, 64) };
        json!({
            "addresses": [
                {"address": self.internal_ip(), "type": "InternalIP"},
                {"address": node, "type": "Hostname"},
            ],
            "allocatable": {
                "cpu": format!("{}m", cpu * 1000 - 500), "ephemeral-storage": "114381692328",
                "hugepages-1Gi": "0", "hugepages-2Mi": "0",
                "memory": format!("{}Ki", (memory - 1) * 1024 * 1024), "pods": "250",
            },
            "capacity": {
                "cpu": cpu.to_string(), "ephemeral-storage": "125238252Ki", "hugepages-1Gi": "0", "hugepages-2Mi": "0",
                "memory": format!("{}Ki", memory * 1024 * 1024), "pods": "250",
            },
            "conditions": [
                condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory \
                           available"),
                condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
                condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
                condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {
                "architecture": self.pool.architecture,
                "bootID": uuid(&format!("boot {node} 0")),
                "containerRuntimeVersion": system.runtime,
                "kernelVersion": system.kernel,
                "kubeProxyVersion": "",
                "kubeletVersion": system.kubelet,
                "machineID": hex(&format!("machine {node}"), 32),
                "operatingSystem": "linux",
                "osImage": system.os_image,
                "systemUUID": uuid(&format!("system {node}")),
            },
        })
    }

    fn machine(&self, builder: &Builder<'_>, node: &str) -> Value {
        let role = self.pool_name;
        let infrastructure = infrastructure_name(builder.scenario);
        let zone = self.zone().unwrap_or_default();
        let mut labels = json!({
            "machine.openshift.io/cluster-api-cluster": infrastructure,
            machine_api::ROLE: role,
            "machine.openshift.io/cluster-api-machine-type": role,
            "machine.openshift.io/instance-type": self.size(),
            "machine.openshift.io/region": self.region(),
            "machine.openshift.io/zone": zone,
        });
        let mut hooks = json!({});
        if role == "master" {
            // The etcd operator lets go of a machine only when its member has moved.
            let hook = json!({"name": "EtcdQuorumOperator", "owner": "clusteroperator/etcd"});
            hooks = json!({"preDrain": [hook]});
        } else {
            labels[machine_api::MACHINE_SET] = json!(machine_api::set_name(&infrastructure, role, zone));
        }
        json!({
            "metadata": {
                "name": machine_name(builder, node),
                "namespace": machine_api::NAMESPACE,
                "labels": labels,
                "annotations": {"machine.openshift.io/instance-state": "running"},
                "finalizers": ["machine.machine.openshift.io"],
            },
            "spec": {"lifecycleHooks": hooks, "metadata": {}, "providerID": self.provider_id(builder, node)},
            "status": {
                "addresses": [{"address": self.internal_ip(), "type": "InternalIP"}],
                "nodeRef": {"kind": "Node", "name": node},
                "phase": "Running",
            },
        })
    }
}

/// The role labels of a pool's nodes: a custom pool's node is a worker too.
pub fn roles(pool: &str) -> Vec<&str> {
    match pool {
        "master" => vec!["control-plane", "master"],
        "worker" => vec!["worker"],
        ARBITER => vec![ARBITER],
        custom => vec!["worker", custom],
    }
}

fn machine_name(builder: &Builder<'_>, node: &str) -> String {
    format!("{}-{node}", infrastructure_name(builder.scenario))
}

/// A node that the Windows machine config operator looks after, and no pool.
fn windows_node(builder: &Builder<'_>, node: &str) -> Value {
    let kubelet = release::kubelet(&builder.scenario.cluster.version);
    let ready = json!({
        "lastHeartbeatTime": timestamp(builder.now), "lastTransitionTime": timestamp(builder.installed),
        "message": "kubelet is posting ready status", "reason": "KubeletReady", "status": "True", "type": "Ready",
    });
    json!({
        "metadata": {
            "name": node,
            "annotations": {"windowsmachineconfig.openshift.io/version": "10.18.0"},
            "labels": {
                "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": node, "kubernetes.io/os": "windows",
                "node-role.kubernetes.io/worker": "", "node.openshift.io/os_id": "Windows",
            },
        },
        "spec": {"taints": [{"effect": "NoSchedule", "key": "os", "value": "Windows"}]},
        "status": {
            "addresses": [{"address": node, "type": "Hostname"}],
            "conditions": [ready],
            "nodeInfo": {
                "architecture": "amd64", "bootID": uuid(&format!("boot {node} 0")),
                "containerRuntimeVersion": "containerd://1.7.16", "kernelVersion": "10.0.20348.2700",
                "kubeProxyVersion": "", "kubeletVersion": kubelet, "machineID": hex(&format!("machine {node}"), 32),
                "operatingSystem": "windows", "osImage": "Windows Server 2022 Datacenter",
                "systemUUID": uuid(&format!("system {node}")),
            },
        },
    })
}

fn lease(node: &str, now: DateTime<Utc>) -> Value {
    json!({
        "metadata": {"name": node, "namespace": "kube-node-lease"},
        "spec": {"holderIdentity": node, "leaseDurationSeconds": 40, "renewTime": lease_time(now)},
    })
}

/// A time as `metav1.MicroTime` writes it.
pub fn lease_time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

/// The MachineConfigNode of a node that is at rest on `config`.
pub fn machine_config_node(node: &Value, pool: &str, config: &str, now: DateTime<Utc>) -> Value {
    let node_name = name(node);
    let conditions: Vec<Value> = PHASES
        .iter()
        .map(|phase| {
            let (status, reason, message) = match *phase {
                "Updated" => ("True", "Updated", format!("Node {node_name} Updated")),
                "NodeDegraded" => ("False", "NodeDegraded", format!("Node {node_name} upgrade succeeded")),
                "PinnedImageSetsProgressing" => {
                    ("False", "AsExpected", "node is running with the latest pinned image sets".to_owned())
                }
                _ => ("False", "NotYetOccurred", format!("This node has not yet entered the {phase} phase")),
            };
            json!({
                "lastTransitionTime": timestamp(now), "message": message, "reason": reason, "status": status,
                "type": phase,
            })
        })
        .collect();
    json!({
        "metadata": {
            "name": node_name,
            "ownerReferences": [{
                "apiVersion": "v1", "kind": "Node", "name": node_name, "uid": text(node, "/metadata/uid"),
            }],
        },
        "spec": {"configVersion": {"desired": config}, "node": {"name": node_name}, "pool": {"name": pool}},
        "status": {
            "conditions": conditions,
            "configVersion": {"current": config, "desired": config},
            "observedGeneration": 1,
        },
    })
}
