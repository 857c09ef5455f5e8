//! `config-drift`: files, modes or units on a node are not what its configuration says: somebody changed them by hand.

use super::degraded::{Cause, because_of, between, force_file, on_host, plain};
use super::{Finding, Look, Remedy, reading};

pub(super) fn check(look: &Look, found: &mut Vec<Finding>) {
    let file = |reason: &str| {
        between(reason, "file \"", "\"").or_else(|| between(reason, "file: \"", "\"")).map(str::to_owned)
    };
    let title = |node: &crate::upgrade::assessment::Node, reason: &str| match file(reason) {
        Some(file) => format!("{}: {file} is not what the configuration says", node.name),
        None => format!("{}: the node is not what its configuration says", node.name),
    };
    for about in because_of(look, Cause::Drift, title) {
        let super::Subject::Node(name) = &about.subject else { continue };
        let file = about.evidence.first().and_then(|told| file(&told.value)).filter(|file| plain(file));
        let look_at = file.as_ref().map_or_else(|| "rpm-ostree status".to_owned(), |file| format!("ls -l {file}"));
        let remedies = vec![
            Remedy::look("Look at it on the node, and at the MachineConfig that says what it should be.")
                .oc(on_host(name, &look_at)),
            Remedy::change(
                crate::upgrade::danger::Danger::L,
                "Restore its content and mode on the node: the daemon goes on by itself. Bring wanted changes into a \
                 MachineConfig.",
            ),
            force_file(name),
        ];
        found.push(Finding {
            meaning: "Before it updates a node the daemon checks that the node is what its present configuration says. It was \
                      changed by hand, so the update is refused until that is put right."
                .to_owned(),
            remedies,
            link: Some(reading::NODES.to_owned()),
            ..about
        });
    }
}
