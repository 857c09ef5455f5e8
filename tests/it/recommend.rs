//! Recorded clusters have the updates, the reasons and the issues that `oc adm upgrade recommend` printed for them.
//!
//! The recordings lie beside the project: every one that is there is compared; without them these tests say so and pass.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use oc_cockpit::report::updates::{self as report, Options};
use oc_cockpit::snapshot;
use oc_cockpit::upgrade::assemble;
use oc_cockpit::upgrade::assess::assess;
use oc_cockpit::upgrade::memory::Memory;
use oc_cockpit::upgrade::updates::{Choice, FAILED_TO_COMPLETE_PRECHECK, Updates, newest_two, updates};

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/fixtures/oc-recommend");

/// What `oc` calls alerts that a recording lacks; on a cluster it is the precheck that failed.
const WITHOUT_ALERTS: &str = "AlertNoTestData";

/// What `oc` printed for a version.
#[derive(Debug, Default, PartialEq)]
struct ToldVersion {
    version: String,
    image: Option<String>,
    url: Option<String>,
    /// None: no known issues.
    reason: Option<String>,
    message: Option<String>,
}

/// What `oc adm upgrade recommend` printed.
#[derive(Debug, Default)]
struct Told {
    progressing: bool,
    failing: Option<String>,
    channel: String,
    channels: Vec<String>,
    upstream: Option<String>,
    /// Alerts by their names, in order.
    alerts: Vec<String>,
    /// Minor to the versions below its heading, in order.
    minors: Vec<(String, Vec<ToldVersion>)>,
    older: BTreeMap<String, usize>,
    /// With `--version`: that version, if it is on offer.
    asked: Option<ToldVersion>,
    /// Issues that `--version` complains about.
    unaccepted: Vec<String>,
    not_on_offer: bool,
}

/// The lines of a text with a cursor.
struct Lines<'a> {
    lines: Vec<&'a str>,
    at: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let line = self.lines.get(self.at).copied();
        self.at += 1;
        line
    }

    /// `Key: value` lines indented by `indent`, as far as they go; the message may have several lines, which are indented
    /// by two more.
    fn fields(&mut self, indent: &str) -> BTreeMap<&'a str, String> {
        let mut fields = BTreeMap::new();
        while let Some(line) = self.lines.get(self.at) {
            let known = ["Version", "Image", "Release URL", "Reason", "Message"];
            let field = line.strip_prefix(indent).and_then(|line| line.split_once(": "));
            let Some((key, first)) = field.filter(|(key, _)| known.contains(key)) else { break };
            let mut value = first.to_owned();
            self.at += 1;
            if key == "Message" {
                while let Some(more) = self.lines.get(self.at).and_then(|line| line.strip_prefix("  ")) {
                    value.push('\n');
                    value.push_str(more);
                    self.at += 1;
                }
            }
            fields.insert(key, value);
        }
        fields
    }
}

fn version_of(mut fields: BTreeMap<&str, String>) -> ToldVersion {
    ToldVersion {
        version: fields.remove("Version").unwrap_or_default(),
        image: fields.remove("Image"),
        url: fields.remove("Release URL"),
        reason: fields.remove("Reason"),
        message: fields.remove("Message"),
    }
}

fn parse(text: &str) -> Told {
    let mut told = Told::default();
    let mut lines = Lines { lines: text.lines().collect(), at: 0 };
    while let Some(line) = lines.next() {
        if line.starts_with("info: An update is in progress") {
            told.progressing = true;
        } else if let Some(status) = line.strip_prefix("Failing=") {
            told.failing = Some(status.trim_end_matches(':').to_owned());
        } else if let Some(name) = line.strip_prefix("recommended/").and_then(|line| line.strip_suffix("=False:")) {
            told.alerts.push(name.split('/').nth(1).expect("group, name, number").to_owned());
        } else if let Some(rest) = line.strip_prefix("Channel: ") {
            let (channel, rest) = rest.split_once(" (available channels: ").unwrap_or((rest, ""));
            channel.clone_into(&mut told.channel);
            told.channels =
                rest.trim_end_matches(')').split(", ").filter(|name| !name.is_empty()).map(str::to_owned).collect();
        } else if let Some(upstream) = line.strip_prefix("Upstream update service: ") {
            told.upstream = Some(upstream.to_owned());
        } else if let Some(minor) = line.strip_prefix("Updates to ") {
            told.minors.push((minor.trim_end_matches(':').to_owned(), versions(&mut lines)));
        } else if let Some((count, minor)) = line.strip_prefix("And ").and_then(|line| line.split_once(" older ")) {
            let minor = minor.split(' ').next().expect("a minor").to_owned();
            told.older.insert(minor, count.parse().expect("a number"));
        } else if let Some(rest) = line.strip_prefix("Update to ") {
            let (version, _) = rest.split_once(' ').expect("a version and what of it");
            told.asked = Some(ToldVersion { version: version.to_owned(), ..version_of(lines.fields("")) });
        } else if let Some(names) =
            line.strip_prefix("error: issues that apply to this cluster but which were not included in --accept: ")
        {
            told.unaccepted = names.split(',').map(|name| name.trim().to_owned()).collect();
        } else if line.starts_with("error: no updates to ") || line.starts_with("error: no update") {
            told.not_on_offer = true;
        } else {
            assert!(!line.starts_with("error:"), "an error that is not understood: {line}");
        }
    }
    told
}

/// The versions below a heading: a table, or one block for each.
fn versions(lines: &mut Lines) -> Vec<ToldVersion> {
    let mut found = Vec::new();
    while let Some(line) = lines.lines.get(lines.at).copied() {
        if line.starts_with("  VERSION ") || line.is_empty() {
            lines.at += 1;
        } else if line.starts_with("  Version: ") {
            found.push(version_of(lines.fields("  ")));
        } else if let Some((version, issues)) = line.strip_prefix("  ").and_then(|row| row.split_once(' ')) {
            lines.at += 1;
            let issues = issues.trim();
            let reason = (!issues.starts_with("no known issues")).then(|| issues.to_owned());
            found.push(ToldVersion { version: version.to_owned(), reason, ..ToldVersion::default() });
        } else {
            break;
        }
    }
    found
}

/// Names of all recordings; none when they are not there.
fn cases() -> Option<Vec<String>> {
    let Ok(entries) = fs::read_dir(RECORDED) else {
        println!("skipped: {RECORDED} is not there");
        return None;
    };
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let cases: BTreeSet<String> = names.filter_map(|name| name.strip_suffix("-cv.yaml").map(str::to_owned)).collect();
    assert!(!cases.is_empty(), "{RECORDED} holds no recording");
    Some(cases.into_iter().collect())
}

fn ours(case: &str) -> Updates {
    let files = [format!("{RECORDED}/{case}-cv.yaml"), format!("{RECORDED}/{case}-alerts.json")];
    let present: Vec<&String> = files.iter().filter(|file| Path::new(file).exists()).collect();
    let snapshot = snapshot::read(&present);
    assert_eq!(snapshot.broken, [], "{case}");
    let now = assemble::newest_transition(&snapshot.objects).expect("conditions have times");
    let all = snapshot.objects.iter().chain(&snapshot.answers);
    updates(&assess(Arc::new(assemble::from_values(all, now)), &Memory::default(), now))
}

fn answer(case: &str, kind: &str) -> Told {
    parse(&fs::read_to_string(format!("{RECORDED}/{case}.{kind}")).expect("the answer of oc"))
}

fn same(case: &str, told: &ToldVersion, ours: &Choice) {
    let what = format!("{case}: {}", told.version);
    assert_eq!(told.version, ours.version, "{what}");
    assert_eq!(told.reason.is_none(), ours.recommended, "{what}: recommended");
    assert_eq!(told.reason.as_deref().unwrap_or_default(), ours.reason, "{what}: reason");
    for (field, told, ours) in [("image", &told.image, Some(&ours.image)), ("url", &told.url, ours.url.as_ref())] {
        if let Some(told) = told {
            assert_eq!(Some(told), ours, "{what}: {field}");
        }
    }
    if let Some(message) = &told.message {
        // `oc` indents lines, blank ones too.
        let flat = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
        assert_eq!(flat(message), flat(&ours.message), "{what}: message");
    }
}

#[test]
fn the_newest_two_of_each_minor_are_those_of_oc() {
    for case in cases().unwrap_or_default() {
        let (told, ours) = (answer(&case, "output"), ours(&case));
        let shown = newest_two(&ours);
        let minors: Vec<&str> = shown.iter().map(|minor| minor.name.as_str()).collect();
        assert_eq!(minors, told.minors.iter().map(|(minor, _)| minor.as_str()).collect::<Vec<_>>(), "{case}");
        for (minor, (_, versions)) in shown.iter().zip(&told.minors) {
            assert_eq!(minor.choices.len(), versions.len(), "{case}: {}", minor.name);
            for (choice, version) in minor.choices.iter().zip(versions) {
                same(&case, version, choice);
            }
            assert_eq!(minor.older, told.older.get(&minor.name).copied().unwrap_or(0), "{case}: older {}", minor.name);
        }
    }
}

#[test]
fn all_versions_are_those_of_oc_with_their_reasons() {
    for case in cases().unwrap_or_default() {
        let (told, ours) = (answer(&case, "show-outdated-releases-output"), ours(&case));
        let listed: Vec<&ToldVersion> = told.minors.iter().flat_map(|(_, versions)| versions).collect();
        assert!(!listed.is_empty(), "{case}: the parser finds versions");
        assert_eq!(ours.choices.len(), listed.len(), "{case}");
        for (choice, version) in ours.choices.iter().zip(listed) {
            same(&case, version, choice);
        }
    }
}

#[test]
fn the_head_says_what_oc_says() {
    for case in cases().unwrap_or_default() {
        let (told, ours) = (answer(&case, "output"), ours(&case));
        assert_eq!(ours.channel, told.channel, "{case}");
        assert_eq!(ours.channels, told.channels, "{case}");
        assert_eq!(ours.upstream, told.upstream, "{case}");
        let issue = |name: &str| ours.issues.iter().any(|issue| issue.name == name);
        assert_eq!(issue("Progressing"), told.progressing, "{case}");
        assert_eq!(issue("Failing"), told.failing.is_some(), "{case}");
        let alerts = ours.issues.iter().filter(|issue| issue.reason.starts_with("Alert:"));
        assert_eq!(alerts.map(|issue| issue.name.as_str()).collect::<Vec<_>>(), told.alerts, "{case}");
    }
}

#[test]
fn a_version_in_detail_has_the_issues_of_oc() {
    for case in cases().unwrap_or_default() {
        let ours = ours(&case);
        let prefix = format!("{case}.version-");
        let names =
            fs::read_dir(RECORDED).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        let asked: Vec<String> =
            names.filter_map(|name| Some(name.strip_prefix(&prefix)?.strip_suffix("-output")?.to_owned())).collect();
        for version in asked {
            let told = answer(&case, &format!("version-{version}-output"));
            let options = Options { version: Some(version.clone()), ..Options::default() };
            let (document, exit) = (report::json(&ours, &options), report::exit_code(&ours, &options));
            let detail = document.asked.expect("a version was asked about");
            assert_eq!(detail.on_offer, !told.not_on_offer, "{case}: {version}");
            assert_eq!(ours.choice(&version).is_some(), told.asked.is_some(), "{case}: {version}");
            if let (Some(told), Some(choice)) = (&told.asked, ours.choice(&version)) {
                same(&case, told, choice);
            }
            if told.not_on_offer {
                assert_eq!(exit, report::UNKNOWN, "{case}: {version}");
                continue;
            }
            let named = |name: &String| {
                if name == WITHOUT_ALERTS { FAILED_TO_COMPLETE_PRECHECK.to_owned() } else { name.clone() }
            };
            let expected: BTreeSet<String> = told.unaccepted.iter().map(named).collect();
            assert_eq!(detail.unaccepted.into_iter().collect::<BTreeSet<_>>(), expected, "{case}: {version}");
            assert_eq!(
                exit,
                if expected.is_empty() { report::FINE } else { report::NEEDS_PERSON },
                "{case}: {version}"
            );
            let accepting = Options { accept: expected.into_iter().collect(), ..options };
            assert_eq!(report::exit_code(&ours, &accepting), report::FINE, "{case}: {version}, all accepted");
        }
    }
}

#[test]
fn the_text_names_every_version_and_every_issue_at_any_width() {
    for case in cases().unwrap_or_default() {
        let ours = ours(&case);
        for width in [40, 80, 200] {
            let look = oc_cockpit::report::Look { width, ..oc_cockpit::report::Look::default() };
            let text = report::text(&ours, &Options { all: true, look, ..Options::default() });
            for choice in &ours.choices {
                assert!(text.lines().any(|line| line.starts_with(&choice.version)), "{case}: {}", choice.version);
            }
            for issue in &ours.issues {
                assert!(text.contains(&issue.name), "{case}: {}", issue.name);
            }
        }
    }
}

#[test]
fn the_parser_reads_both_forms_of_a_minor() {
    let told = parse(
        "Channel: stable-4.13 (available channels: a, b)\n\nUpdates to 4.13:\n\n  Version: 4.13.5\n  Image: quay.io/x@sha256:1\n  \
         Reason: R\n  Message: one\n  \n  two\n\n  Version: 4.13.4\n  Image: i\n  Reason: S\n  Message: m\n\nAnd 3 older 4.13 updates you can see with x.\n\n\
         Updates to 4.12:\n  VERSION     ISSUES\n  4.12.9      no known issues relevant to this cluster\n",
    );
    assert_eq!((told.channel.as_str(), told.channels.len(), told.older["4.13"]), ("stable-4.13", 2, 3));
    let (_, versions) = &told.minors[0];
    assert_eq!(versions.len(), 2);
    assert_eq!(versions[0].message.as_deref(), Some("one\n\ntwo"));
    assert_eq!((versions[0].reason.as_deref(), told.minors[1].1[0].reason.as_deref()), (Some("R"), None));
}
