//! `image-build-failed`: the OS image of a layered pool could not be built: its nodes wait for it.

use super::{Finding, Impact, Level, Look, Remedy, Resource, Subject, evidence, finding, reading};
use crate::api::{Condition, Conditions as _, MachineOSBuild, MachineOSConfig, Tri};
use crate::upgrade::danger::Danger;
use crate::upgrade::words;

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let around = &look.now.facts.around;
    for pool in look.now.facts.pools.iter() {
        let name = pool.name();
        let config = around.machine_os_configs.iter().map(AsRef::as_ref).find(|config| config.spec.pool.name == name);
        let build = config.and_then(|config| {
            around.machine_os_builds.iter().map(AsRef::as_ref).find(|build| build.name() == config.status.build.name)
        });
        let failed = build.and_then(|build| {
            let told = ["Failed", "Interrupted"].iter().find_map(|kind| is_true(&build.status.conditions, kind))?;
            Some((format!("machineosbuild/{}", build.name()), told))
        });
        let told = || Some((format!("mcp/{name}"), is_true(&pool.status.conditions, "ImageBuildDegraded")?));
        if let Some((object, told)) = failed.or_else(told) {
            found.push(about(name, config, build, object, told));
        }
    }
}

fn is_true<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.condition(kind).filter(|told| told.status == Tri::True)
}

fn about(
    pool: &str,
    config: Option<&MachineOSConfig>,
    build: Option<&MachineOSBuild>,
    object: String,
    told: &Condition,
) -> Finding {
    let mut resources = vec![Resource::pool(pool)];
    let resource =
        |plural: &str, name: &str| Resource::cluster(&format!("{plural}.machineconfiguration.openshift.io"), name);
    resources.extend(config.map(|config| resource("machineosconfigs", config.name())));
    resources.extend(build.map(|build| resource("machineosbuilds", build.name())));
    let config = config.map_or(pool, |config| config.name());
    let why = [words::first_line(&told.message), told.reason.as_str()].into_iter().find(|why| !why.is_empty());
    Finding {
        impact: Impact::UpdateStalled,
        resources,
        meaning: "The pool runs an image of its own that is built on the cluster for each release. Its nodes stay where they are until \
                  a build succeeds; the cluster-version operator does not wait for it and may say that the update is complete."
            .to_owned(),
        remedies: vec![
            Remedy::look("Read the log of the build.")
                .oc("oc logs -n openshift-machine-config-operator -l machineconfiguration.openshift.io/ephemeral-build-object --tail=100"),
            Remedy::change(Danger::M, "Correct the Containerfile or the secrets, then build again; the pool rolls when it succeeds.")
                .oc(format!("oc annotate machineosconfig {config} machineconfiguration.openshift.io/rebuild= --overwrite", config = words::shell(config))),
        ],
        link: Some(reading::NODES.to_owned()),
        since: told.since,
        evidence: vec![evidence(object, &told.kind, format!("{} {}", told.reason, told.message), told.since)],
        ..finding(
            "image-build-failed",
            Level::Error,
            Subject::Pool(pool.to_owned()),
            format!("pool {pool}: its OS image could not be built: {}", why.unwrap_or("it does not say why")),
        )
    }
}
