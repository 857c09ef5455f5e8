//! The grammar of ClusterVersion's Progressing message (cluster-version-operator, pkg/cvo/status.go, `updateClusterVersionStatus`).
//!
//! The message is the only place in the API that tells how many manifests are applied and what is waited for.

use super::assessment::Payload;

/// What a Progressing message tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProgressMessage {
    /// The version (or image) it speaks of.
    pub version: Option<String>,
    /// Manifests applied. They begin anew with each attempt, and when the operator's pod moves to another node.
    pub payload: Option<Payload>,
    /// Operators that are waited for.
    pub waiting_on: Vec<String>,
    /// The operator says itself that it takes longer than expected.
    pub longer_than_expected: bool,
    /// `Unable to apply ...`: what follows the colon.
    pub unable: Option<String>,
}

/// Reads a Progressing message. What is not understood is left out, never guessed.
pub fn parse(message: &str) -> ProgressMessage {
    let message = message.trim();
    if let Some(rest) = message.strip_prefix("Working towards ") {
        return working_towards(rest);
    }
    if let Some(rest) = message.strip_prefix("Unable to apply ") {
        let (version, summary) = split_version(rest);
        return ProgressMessage {
            version,
            waiting_on: exceeded(summary),
            unable: Some(summary.to_owned()),
            ..ProgressMessage::default()
        };
    }
    ProgressMessage::default()
}

/// Splits at the colon behind a version or an image (which holds colons itself: those have no blank behind them).
fn split_version(rest: &str) -> (Option<String>, &str) {
    let (version, detail) = rest.split_once(": ").unwrap_or((rest, ""));
    let version = version.trim_end_matches(':');
    ((!version.is_empty()).then(|| version.to_owned()), detail)
}

fn working_towards(rest: &str) -> ProgressMessage {
    let (version, detail) = split_version(rest);
    let (payload, waiting) = match manifests(detail) {
        Some((payload, behind)) => (Some(payload), behind),
        None => (None, detail),
    };
    let (waiting_on, longer_than_expected) = waiting_text(waiting);
    ProgressMessage { version, payload, waiting_on, longer_than_expected, unable: None }
}

/// `<done> of <total> done (<pct>% complete)[, <waiting text>]`
fn manifests(detail: &str) -> Option<(Payload, &str)> {
    let (done, rest) = detail.split_once(" of ")?;
    let (total, rest) = rest.split_once(" done (")?;
    let (_, behind) = rest.split_once("% complete)")?;
    let payload = Payload::new(done.parse().ok()?, total.parse().ok()?);
    (payload.total > 0).then(|| (payload, behind.trim_start_matches(", ")))
}

/// `waiting on A, B`, `waiting up to 40 minutes on A`, `waiting on A over 30 minutes [and machine-config over 90
/// minutes] which is longer than expected`.
fn waiting_text(text: &str) -> (Vec<String>, bool) {
    let Some(text) = text.strip_prefix("waiting ") else { return (Vec::new(), false) };
    let Some((_, names)) = text.split_once("on ") else { return (Vec::new(), false) };
    let (names, longer) = match names.strip_suffix(" which is longer than expected") {
        Some(names) => (names, true),
        None => (names, false),
    };
    let waiting_on = names
        .split(" and ")
        .flat_map(|part| part.split_once(" over ").map_or(part, |(names, _)| names).split(','))
        .map(str::trim)
        .filter(|name| is_operator_name(name))
        .map(str::to_owned)
        .collect();
    (waiting_on, longer)
}

/// `wait has exceeded 40 minutes for these operators: a, b`
fn exceeded(summary: &str) -> Vec<String> {
    let Some((_, names)) = summary.split_once("for these operators: ") else { return Vec::new() };
    names.split(',').map(str::trim).filter(|name| is_operator_name(name)).map(str::to_owned).collect()
}

fn is_operator_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(message: &str) -> (Option<(u32, u32)>, Vec<String>, bool) {
        let parsed = parse(message);
        (parsed.payload.map(|payload| (payload.done, payload.total)), parsed.waiting_on, parsed.longer_than_expected)
    }

    #[test]
    fn each_form_of_the_message_is_understood() {
        // Message; manifests, waited for, longer than expected.
        type Row<'a> = (&'a str, Option<(u32, u32)>, &'a [&'a str], bool);
        let table: [Row; 10] = [
            ("Working towards 4.19.3: 110 of 892 done (12% complete)", Some((110, 892)), &[], false),
            (
                "Working towards 4.19.3: 110 of 892 done (12% complete), waiting on etcd, kube-apiserver",
                Some((110, 892)),
                &["etcd", "kube-apiserver"],
                false,
            ),
            (
                "Working towards 4.19.3: 5 of 892 done (0% complete), waiting up to 40 minutes on etcd",
                Some((5, 892)),
                &["etcd"],
                false,
            ),
            (
                "Working towards 4.19.3: 5 of 892 done (0% complete), waiting on etcd over 30 minutes which is longer than expected",
                Some((5, 892)),
                &["etcd"],
                true,
            ),
            (
                "Working towards 4.19.3: waiting on etcd, dns over 30 minutes and machine-config over 90 minutes which is longer than expected",
                None,
                &["etcd", "dns", "machine-config"],
                true,
            ),
            ("Working towards 4.19.3", None, &[], false),
            ("Working towards quay.io/r/release@sha256:12: 1 of 2 done (50% complete)", Some((1, 2)), &[], false),
            (
                "Unable to apply 4.19.3: wait has exceeded 40 minutes for these operators: etcd, dns",
                None,
                &["etcd", "dns"],
                false,
            ),
            ("Cluster version is 4.19.3", None, &[], false),
            ("Working towards 4.19.3: 3 of 0 done (0% complete), waiting on ", None, &[], false),
        ];
        for (message, payload, waiting, longer) in table {
            let waiting: Vec<String> = waiting.iter().map(|&name| name.to_owned()).collect();
            assert_eq!(told(message), (payload, waiting, longer), "{message}");
        }
    }

    #[test]
    fn an_image_stands_in_for_an_unknown_version() {
        let parsed = parse("Working towards quay.io/r/release@sha256:12: 1 of 2 done (50% complete)");
        assert_eq!(parsed.version.as_deref(), Some("quay.io/r/release@sha256:12"));
        assert_eq!(
            parse("Unable to apply 4.19.3: the control plane is down").unable.as_deref(),
            Some("the control plane is down")
        );
    }
}
