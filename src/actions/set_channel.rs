//! Set the channel that recommended updates come from.
//!
//! What `oc adm upgrade channel` does, with its guards (oc: pkg/cli/admin/upgrade/channel/channel.go): a channel that
//! does not hold the present release, and taking a good one away, have to be meant.

use serde_json::{Value, json};

use super::cluster_version::{self, PATCH, found, writable};
use super::words::{list, shell};
use super::{
    ActionId, Arg, ArgKind, Ask, Danger, Effect, Entry, Material, Offered, Plan, Refusal, SET, Session, Takes, Target,
    gate,
};
use crate::api::{self, Conditions as _, Tri};
use crate::upgrade::assessment::Assessment;

const DANGER: Danger = Danger::L;

/// Set the channel.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::SetChannel,
    name: "set-channel",
    word: "channel",
    summary: "set the channel that recommended updates come from",
    gerund: "setting the channel",
    dangers: &[DANGER],
    takes: Takes::Cluster,
    args: &[
        Arg {
            required: false,
            choices: Some(channels),
            ..Arg::word("channel", ArgKind::Text, "the channel, for example stable-4.19")
        },
        Arg::option("clear", ArgKind::Flag, "set none: no updates are recommended any more"),
        Arg::option(
            "allow-explicit",
            ArgKind::Flag,
            "also a channel that is not known to hold the present release, and to take a known one away",
        ),
    ],
    permissions: &[PATCH],
    needs: &[],
    inverse: Some(ActionId::SetChannel),
    offered,
    plan: make,
};

/// The channels that hold the present release, but for the one that is set.
fn channels(assessment: &Assessment) -> Vec<String> {
    let Some(seen) = assessment.facts.cluster_version.as_deref() else { return Vec::new() };
    let present = seen.spec.channel.as_deref().unwrap_or_default();
    seen.status.desired.channels.iter().filter(|channel| *channel != present).cloned().collect()
}

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    let refusal = matches!(target, Target::Cluster).then(|| writable(assessment, session).err())?;
    Some(Offered { action: ActionId::SetChannel, title: "Set the channel".to_owned(), danger: DANGER, refusal })
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, _: &Material) -> Result<Plan, Refusal> {
    let seen = writable(assessment, session)?;
    let present = seen.spec.channel.as_deref().unwrap_or_default();
    let channel = wanted(seen, ask)?;
    if channel == present {
        return Err(Refusal(match channel {
            "" => "no channel is set".to_owned(),
            channel => format!("the channel is {channel} already"),
        }));
    }
    guard(seen, present, channel, ask.args.flag("allow-explicit"))?;
    let title = match channel {
        "" => "Set no channel".to_owned(),
        channel => format!("Set the channel {channel}"),
    };
    let mut preconditions = vec![found("the channel now", "spec.channel", present)];
    let known = &seen.status.desired.channels;
    if known.iter().any(|known| known == channel) {
        let words = format!("{channel} holds {}", seen.status.desired.version);
        preconditions.push(found(words, "status.desired.channels", &known.join(", ")));
    }
    preconditions.push(gate::permission_found(assessment, &PATCH));
    let back = Ask::new(ActionId::SetChannel, Target::Cluster);
    let back = if present.is_empty() { back.with("clear", SET) } else { back.with("channel", present) };
    Ok(Plan {
        danger: DANGER,
        preconditions,
        consequences: consequences(assessment, seen, present, channel),
        writes: vec![write(session, seen, channel)?],
        effect: Effect::ChannelSet { channel: channel.to_owned() },
        strict_lock: true,
        back: vec![back],
        ..Plan::draft(&ENTRY, ask, title)
    })
}

/// The channel that is asked for; empty: none.
fn wanted<'a>(seen: &api::ClusterVersion, ask: &'a Ask) -> Result<&'a str, Refusal> {
    let channel = ask.args.get("channel").unwrap_or_default();
    match (channel, ask.args.flag("clear")) {
        ("", true) => Ok(""),
        ("", false) => {
            let known = list(seen.status.desired.channels.iter().map(String::as_str));
            let known = if known.is_empty() { String::new() } else { format!(": {known}") };
            Err(Refusal(format!("choose the channel{known}")))
        }
        (_, true) => Err(Refusal("either a channel or clear, not both".to_owned())),
        (channel, false) if channel.chars().any(|c| c.is_whitespace() || c.is_control()) => {
            Err(Refusal("a channel is one word, such as stable-4.19".to_owned()))
        }
        (channel, false) => Ok(channel),
    }
}

/// The guards of `oc adm upgrade channel`.
fn guard(seen: &api::ClusterVersion, present: &str, channel: &str, explicit: bool) -> Result<(), Refusal> {
    let known = &seen.status.desired.channels;
    let holds = |channel: &str| known.iter().any(|known| known == channel);
    if explicit || known.is_empty() {
        return Ok(());
    }
    if channel.is_empty() && holds(present) {
        return Err(Refusal(format!(
            "{present} is a channel of {}; --allow-explicit takes it away all the same",
            seen.status.desired.version
        )));
    }
    if !channel.is_empty() && !holds(channel) {
        return Err(Refusal(format!(
            "{channel} is not among the channels that are known to hold {}: {}; --allow-explicit sets it all the same",
            seen.status.desired.version,
            list(known.iter().map(String::as_str))
        )));
    }
    Ok(())
}

fn write(session: &Session, seen: &api::ClusterVersion, channel: &str) -> Result<super::Write, Refusal> {
    let explicit = !channel.is_empty() && !seen.status.desired.channels.iter().any(|known| known == channel);
    let option = if explicit || channel.is_empty() { " --allow-explicit-channel" } else { "" };
    let name = if channel.is_empty() { String::new() } else { format!(" {}", shell(channel)) };
    let value = if channel.is_empty() { Value::Null } else { json!(channel) };
    let oc = format!("adm upgrade channel{option}{name}");
    cluster_version::write(session, seen, json!({ "channel": value }), oc, vec![("channel", value)])
}

fn consequences(assessment: &Assessment, seen: &api::ClusterVersion, present: &str, channel: &str) -> Vec<String> {
    let mut lines = Vec::new();
    if channel.is_empty() {
        lines.push(
            "no updates are recommended any more: what is on offer goes away, and RetrievedUpdates says NoChannel"
                .to_owned(),
        );
    } else {
        lines.push(format!(
            "the cluster-version operator asks the update service for {channel}, and what is on offer changes within \
             minutes; nothing is updated by that"
        ));
        lines.extend(kind_of(channel));
        let known = &seen.status.desired.channels;
        if known.is_empty() {
            lines.push(format!("which channels hold {} is not known", seen.status.desired.version));
        } else if !known.iter().any(|known| known == channel) {
            lines.push(format!(
                "{channel} is not known to hold {}: if it does not, nothing is on offer (RetrievedUpdates says \
                 VersionNotFound)",
                seen.status.desired.version
            ));
        }
    }
    let by_version = seen.spec.desired_update.as_ref().filter(|wanted| wanted.image.is_empty());
    if let (Some(requested), Some(_)) = (&assessment.update.requested, by_version) {
        lines.push(format!(
            "the request for {} names no image: it becomes invalid when its version is no longer on offer",
            requested.target
        ));
    }
    if assessment.update.in_progress {
        lines.push("the update that is in progress goes on".to_owned());
    }
    if let Some(retrieved) = seen.status.conditions.condition("RetrievedUpdates")
        && retrieved.status != Tri::True
    {
        lines.push(format!("updates cannot be retrieved now: {}", cluster_version::told(retrieved)));
    }
    lines.push(match present {
        "" => "to go back, set none again".to_owned(),
        present => format!("to go back, set {present} again"),
    });
    lines
}

/// What a channel of this name is for.
fn kind_of(channel: &str) -> Option<String> {
    let (kind, minor) = channel.split_once('-')?;
    match kind {
        "candidate" => Some(format!("{channel} also holds releases that are not supported")),
        "fast" => {
            Some(format!("{channel} holds releases as soon as they are supported, before they were tried widely"))
        }
        "eus" => Some(format!(
            "{channel} is for control-plane-only updates up to {minor}: it appears some time after {minor}"
        )),
        _ => None,
    }
}
