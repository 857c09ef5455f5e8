//! The `*-user-data` Secrets: what a new machine boots with, to fetch the rest from the machine config server. Of them
//! only the version of their Ignition config is told.

use serde_json::Value;

use super::secret_data::json;
use crate::actions::Precondition;
use crate::actions::raw::{items, name, text};
use crate::actions::reading::Reading;
use crate::actions::words::list;

/// Where they are, beside the Machines (machine-api-operator).
pub(super) const NAMESPACE: &str = "openshift-machine-api";
const OWN: &str = "-user-data";
/// What the machine-config operator writes itself (MCO: manifests/userdata_secret.yaml).
const MANAGED: &str = "-user-data-managed";
/// What the Windows Machine Config Operator writes itself (its pkg/secrets: `UserDataSecret`).
const WINDOWS: &str = "windows-user-data";
const KEY: &str = "userData";
const MACHINE_SETS: &str = "/apis/machine.openshift.io/v1beta1/namespaces/openshift-machine-api/machinesets";
const CONTROL_PLANE: &str =
    "/apis/machine.openshift.io/v1/namespaces/openshift-machine-api/controlplanemachinesets/cluster";
/// The spec that the product's procedure puts there by hand; boot images up to 4.5 read 2.2.0, later ones 3.x.
const BY_HAND: (u64, u64) = (3, 2);

/// Is it one by its name? Those that operators write are among them, and refused with that reason.
pub(super) fn is_user_data(name: &str) -> bool {
    name.ends_with(OWN) || name.ends_with(MANAGED)
}

/// What makes machines of it.
pub(super) struct Machines<'a> {
    /// Machine sets; none: they could not be read.
    sets: Option<Vec<&'a Value>>,
    /// That of the control plane; none: there is none, or it could not be read.
    control_plane: Option<&'a Value>,
    /// Are boot images renewed? None: nothing is said about it.
    renewed: Option<bool>,
}

impl<'a> Machines<'a> {
    /// Reads them; `configuration` is MachineConfiguration `cluster`, where it could be read. None: not read yet.
    pub(super) fn read(reading: &mut Reading<'a>, configuration: Option<&Value>) -> Option<Self> {
        let (sets, control_plane) = (reading.try_list(MACHINE_SETS), reading.try_object(CONTROL_PLANE));
        Some(Self {
            sets: sets?.ok().map(Option::unwrap_or_default),
            control_plane: control_plane?,
            renewed: configuration.and_then(is_renewed),
        })
    }

    /// What follows from it, beside what is checked.
    pub(super) fn told(&self, own: &str, body: &Value) -> Vec<String> {
        let mut lines = vec![
            "only machines that are made from now on read it: nodes that are there are not concerned".to_owned(),
            self.users(own),
        ];
        let config = json(body, KEY).unwrap_or_default();
        match version(&config) {
            Some((2, _)) => lines.push(
                "spec 2.2 is read by boot images of 4.5 and before alone: where boot images are renewed, the machine-config \
                 operator converts it first"
                    .to_owned(),
            ),
            Some(spec) => {
                lines.push(
                    "spec 3 is read by boot images of 4.6 and later: a machine set that boots an older one needs spec 2.2"
                        .to_owned(),
                );
                if spec > BY_HAND {
                    lines.push(format!(
                        "spec {}.{} is newer than the 3.2 of the procedure: older boot images may not know it",
                        spec.0, spec.1
                    ));
                }
            }
            None => {}
        }
        if sources(&config).is_empty() {
            lines.push(
                "it points to no machine config server (ignition.config): a machine that boots with it joins no pool"
                    .to_owned(),
            );
        }
        match self.renewed {
            Some(true) => lines.push(
                "boot images are renewed now (managedBootImages): the machine-config operator reads it at any moment; the \
                 procedure switches that off before, and on again afterwards"
                    .to_owned(),
            ),
            Some(false) => lines.push(
                "boot images are not renewed now (managedBootImages): switch that on again once it is right".to_owned(),
            ),
            None => {}
        }
        lines
    }

    /// Which machine sets name it.
    fn users(&self, own: &str) -> String {
        let Some(sets) = &self.sets else {
            return "which machine sets name it is not known: they could not be read".to_owned();
        };
        let names_it = |set: &&Value, pointer: &str| text(set, pointer) == own;
        let of_set = "/spec/template/spec/providerSpec/value/userDataSecret/name";
        let of_control_plane =
            "/spec/template/machines_v1beta1_machine_openshift_io/spec/providerSpec/value/userDataSecret/name";
        let mut users: Vec<&str> = sets.iter().copied().filter(|set| names_it(set, of_set)).map(name).collect();
        users.sort_unstable();
        if self.control_plane.is_some_and(|set| names_it(&set, of_control_plane)) {
            users.push("that of the control plane");
        }
        match users.len() {
            0 => "no machine set names it".to_owned(),
            1 => format!("machine set {} names it", list(users)),
            _ => format!("machine sets {} name it", list(users)),
        }
    }
}

/// Does the machine-config operator renew boot images? By what is in effect where the release tells that, else by what
/// was asked for (`ManagedBootImages`; mode None and an empty list are both off).
fn is_renewed(configuration: &Value) -> Option<bool> {
    let managers = ["/status/managedBootImagesStatus/machineManagers", "/spec/managedBootImages/machineManagers"];
    let managers = managers.into_iter().find_map(|pointer| configuration.pointer(pointer)?.as_array())?;
    Some(managers.iter().any(|manager| text(manager, "/selection/mode") != "None"))
}

/// What holds whatever the cluster looks like: an operator's own, and what no machine could boot with.
pub(super) fn check(own: &str, body: &Value) -> Result<Precondition, String> {
    if own == WINDOWS {
        return Err("is written by the Windows Machine Config Operator, which would undo the change".to_owned());
    }
    if own.ends_with(MANAGED) {
        return Err("is written by the machine-config operator, which would undo the change".to_owned());
    }
    if body.pointer("/data/userData").is_none() {
        return Err(format!("has no data.{KEY}"));
    }
    let Some(config) = json(body, KEY) else {
        return Err(format!("has a data.{KEY} that is no JSON object: no machine could boot with it"));
    };
    let Some(spec) = version(&config) else {
        return Err(format!("has no ignition.version in its data.{KEY} that could be one"));
    };
    if spec.0 != 3 && spec != (2, 2) {
        return Err(format!(
            "says ignition.version {}.{}: boot images of OpenShift read 2.2 (up to 4.5) or 3.x, and nothing else can be \
             converted",
            spec.0, spec.1
        ));
    }
    // Ignition renamed it with spec 3; what a spec does not know is passed over, and the machine joins nothing.
    let (wrong, right) = if spec.0 == 3 { ("append", "merge") } else { ("merge", "append") };
    if config.pointer(&format!("/ignition/config/{wrong}")).is_some() {
        return Err(format!(
            "has ignition.config.{wrong}, which spec {}.{} does not know: there it is ignition.config.{right}",
            spec.0, spec.1
        ));
    }
    Ok(Precondition {
        words: "holds an Ignition config that boot images read".to_owned(),
        evidence: format!("data.{KEY}: ignition.version {}.{}", spec.0, spec.1),
    })
}

/// `ignition.version`, as far as it is one.
fn version(config: &Value) -> Option<(u64, u64)> {
    let mut parts = text(config, "/ignition/version").splitn(3, '.');
    let (major, minor) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    parts.next().is_some_and(|patch| patch.parse::<u64>().is_ok()).then_some((major, minor))
}

/// Where the rest of the config comes from.
fn sources(config: &Value) -> &[Value] {
    match items(config, "/ignition/config/merge") {
        [] => items(config, "/ignition/config/append"),
        found => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json as object;

    fn secret(data: &str) -> Value {
        object!({ "data": { KEY: STANDARD.encode(data) } })
    }

    fn said(own: &str, data: &str) -> String {
        check(own, &secret(data)).map_or_else(|why| why, |found| format!("{} ({})", found.words, found.evidence))
    }

    const STUB: &str =
        r#"{"ignition":{"version":"3.2.0","config":{"merge":[{"source":"https://canary/config/worker"}]}}}"#;

    #[test]
    fn a_stub_that_boot_images_read_is_taken() {
        assert_eq!(
            said("worker-user-data", STUB),
            "holds an Ignition config that boot images read (data.userData: ignition.version 3.2)"
        );
        let old = STUB.replace("3.2.0", "2.2.0").replace("merge", "append");
        assert!(said("worker-user-data", &old).contains("ignition.version 2.2"));
    }

    #[test]
    fn what_no_machine_could_boot_with_is_refused_without_its_text() {
        for (own, data, part) in [
            ("worker-user-data-managed", STUB, "by the machine-config operator"),
            ("windows-user-data", "<powershell>canary", "by the Windows Machine Config Operator"),
            ("worker-user-data", "canary", "is no JSON object"),
            ("worker-user-data", r#"{"ignition":{}}"#, "has no ignition.version"),
            ("worker-user-data", r#"{"ignition":{"version":"canary"}}"#, "has no ignition.version"),
            ("worker-user-data", r#"{"ignition":{"version":"1.2.0"}}"#, "says ignition.version 1.2"),
            ("worker-user-data", r#"{"ignition":{"version":"2.0.0"}}"#, "says ignition.version 2.0"),
            ("worker-user-data", &STUB.replace("merge", "append"), "there it is ignition.config.merge"),
            ("worker-user-data", &STUB.replace("3.2.0", "2.2.0"), "there it is ignition.config.append"),
        ] {
            let said = said(own, data);
            assert!(said.contains(part) && !said.contains("canary"), "{said}\nand not: {part}");
        }
        assert_eq!(check("worker-user-data", &object!({})).err().as_deref(), Some("has no data.userData"));
    }

    #[test]
    fn whether_boot_images_are_renewed_is_what_is_in_effect() {
        let all = object!([{ "resource": "machinesets", "selection": { "mode": "All" } }]);
        let none = object!([{ "resource": "machinesets", "selection": { "mode": "None" } }]);
        let asked = |managers: &Value| object!({ "spec": { "managedBootImages": { "machineManagers": managers } } });
        assert_eq!(is_renewed(&asked(&all)), Some(true));
        assert_eq!(is_renewed(&asked(&none)), Some(false));
        assert_eq!(is_renewed(&asked(&object!([]))), Some(false));
        assert_eq!(is_renewed(&object!({})), None, "the release decides");
        let mut both = asked(&none);
        both["status"] = object!({ "managedBootImagesStatus": { "machineManagers": all } });
        assert_eq!(is_renewed(&both), Some(true));
    }
}
