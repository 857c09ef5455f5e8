//! Will the operators have the cloud credentials that the target needs?

use super::{Answer, Ask, Row, evidence};
use crate::upgrade::assessment::{Remedy, Resource};
use crate::upgrade::danger::Danger;
use crate::upgrade::facts::Kind;
use crate::upgrade::root_credentials;
use crate::upgrade::version::minor_parts;
use crate::upgrade::words::shell;

const OBJECT: &str = "cloudcredentials.operator.openshift.io";

pub(super) fn credentials(ask: &Ask) -> Option<Row> {
    let (id, title) = ("cloud-credentials", "Cloud credentials are ready for the target");
    if !ask.minor {
        return None;
    }
    if let Some(why) = ask.unread(&[Kind::CloudCredentials]) {
        return Some(Row::unknown(id, title, why, Kind::CloudCredentials));
    }
    let around = &ask.now.facts.around;
    let Some(object) = around.cloud_credentials.iter().find(|object| object.name() == "cluster") else {
        return Some(Row::new(id, title, Answer::Pass, "the cluster has no cloud-credential operator"));
    };
    let about = [Resource::cluster(OBJECT, "cluster")];
    let mode = object.spec.mode.as_str();
    if mode == "Manual" {
        return Some(manual(ask, id, title, object.upgradeable_to()).about(about));
    }
    if mode == "Passthrough" {
        return Some(Row::new(id, title, Answer::Pass, "they are passed through").about(about));
    }
    if let Some(why) = ask.unread(&[Kind::Infrastructures]) {
        return Some(Row::unknown(id, title, why, Kind::Infrastructures));
    }
    let platform =
        around.infrastructures.iter().find(|one| one.name() == "cluster").map(|one| one.status.platform.kind.as_str());
    let Some(platform) = platform.filter(|kind| !kind.is_empty()) else {
        let why = "which platform the cluster runs on is not told".to_owned();
        return Some(Row::unknown(id, title, why, Kind::Infrastructures).about(about));
    };
    let Some(secret) = root_credentials::of_platform(platform).filter(|secret| secret.mints) else {
        return Some(Row::new(id, title, Answer::Pass, format!("nothing to do on {platform}")).about(about));
    };
    let (namespace, secret) = (root_credentials::NAMESPACE, secret.name);
    if let Some(why) = ask.unread(&[Kind::Secrets]) {
        return Some(Row::unknown(id, title, why, Kind::Secrets).about(about));
    }
    let there =
        around.secrets.iter().any(|one| one.metadata.namespace.as_deref() == Some(namespace) && one.name() == secret);
    let word = if mode.is_empty() { "the default mode" } else { mode };
    if !there && ask.recorded() {
        let why = format!(
            "credentials are minted ({word}), and the recording does not hold the root secret {secret}: it is there, or it was not written down"
        );
        return Some(Row::unknown(id, title, why, Kind::Secrets).about(about));
    }
    Some(if there {
        Row::new(id, title, Answer::Pass, format!("{word}, and the root secret {secret} is there")).about(about)
    } else {
        Row::new(
            id,
            title,
            Answer::Block,
            format!("credentials are minted ({word}), and the root secret {namespace}/{secret} is gone: new ones cannot be made"),
        )
        .about([Resource::cluster(OBJECT, "cluster"), Resource::namespaced("secrets", namespace, secret)])
        .rests_on([
            evidence("cloudcredential/cluster", "spec.credentialsMode", if mode.is_empty() { "\"\"" } else { mode }),
            evidence(format!("secret/{secret}"), "metadata", "missing"),
        ])
        .remedied([Remedy::change(
            Danger::M,
            "Put the secret back before the update; it can be taken away again afterwards.",
        )
        .oc(format!("oc apply -f {secret}.yaml", secret = shell(secret)))])
    })
}

fn manual(ask: &Ask, id: &'static str, title: &'static str, ready_for: Option<&str>) -> Row {
    let target = ask.target.and_then(minor_parts);
    // The operator compares by minor (cloud-credential-operator, pkg/operator/status).
    let ready = ready_for
        .and_then(|version| minor_parts(version.trim_start_matches('v')))
        .zip(target)
        .is_some_and(|(ready, target)| ready >= target);
    let issuer = ask.now.facts.around.authentications.iter().any(|one| !one.spec.issuer.is_empty());
    let made = if issuer { ", made by ccoctl" } else { "" };
    let told = [
        evidence("cloudcredential/cluster", "spec.credentialsMode", "Manual"),
        evidence(
            "cloudcredential/cluster",
            "metadata.annotations[cloudcredential.openshift.io/upgradeable-to]",
            ready_for.unwrap_or("none"),
        ),
    ];
    if ready {
        let why = format!("maintained by hand{made}, and declared ready for {}", ready_for.unwrap_or_default());
        return Row::new(id, title, Answer::Pass, why).rests_on(told);
    }
    let said = ready_for.map_or_else(
        || "not declared ready for any release".to_owned(),
        |version| format!("declared ready only for {version}"),
    );
    Row::new(id, title, Answer::Block, format!("maintained by hand{made}, and {said}")).rests_on(told).remedied([
        Remedy::look("Extract what the target asks for, and make or change the credentials outside.")
            .oc("oc adm release extract --credentials-requests --included --to=DIRECTORY IMAGE"),
        Remedy::change(Danger::L, "Then say that they are ready; the operator notices after some minutes.").oc(
            format!(
                "oc annotate cloudcredential cluster --overwrite cloudcredential.openshift.io/upgradeable-to={}",
                shell(ask.target.unwrap_or("VERSION"))
            ),
        ),
    ])
}
