//! The keys as they come, as data. The order matters: the first rule that fits wins.

use super::command::{Command as C, Tab};
use super::key::Key;
use super::keymap::Rule;
use super::when::When as W;
use crate::actions::ActionId as A;

/// `(key, when, command, place in the footer)`; places from 1, 0 means help only. What matters most now comes first, where
/// it is seen on a narrow terminal too: the next step, what `enter` does, help.
const RULES: &[(&str, W, C, u8)] = &[
    // While text is typed.
    ("ctrl-c", W::Always, C::Quit, 0),
    ("esc", W::Typing, C::Cancel, 2),
    ("enter", W::Typing, C::Accept, 1),
    ("tab", W::CommandLine, C::Complete, 3),
    ("ctrl-f", W::CommandLine, C::Complete, 0),
    ("tab", W::Plan, C::NextField, 3),
    ("shift-tab", W::Plan, C::PreviousField, 0),
    ("tab", W::Form, C::NextField, 3),
    ("shift-tab", W::Form, C::PreviousField, 0),
    ("ctrl-f", W::Form, C::Complete, 0),
    ("pgdn", W::Plan, C::PageDown, 0),
    ("pgup", W::Plan, C::PageUp, 0),
    ("up", W::Typing, C::Older, 0),
    ("down", W::Typing, C::Newer, 0),
    ("ctrl-p", W::Typing, C::Older, 0),
    ("ctrl-n", W::Typing, C::Newer, 0),
    ("ctrl-w", W::Typing, C::EraseWord, 0),
    ("ctrl-u", W::Typing, C::EraseLine, 0),
    // The simulated cluster.
    ("+", W::Sim, C::Faster, 10),
    ("=", W::Sim, C::Faster, 0),
    ("-", W::Sim, C::Slower, 11),
    // A log.
    ("p", W::Log, C::PreviousLog, 12),
    ("s", W::Log, C::Follow, 11),
    ("t", W::Log, C::Timestamps, 13),
    ("tab", W::Log, C::NextChoice, 10),
    ("shift-tab", W::Log, C::PreviousChoice, 0),
    // A drain.
    ("tab", W::Drain, C::NextChoice, 10),
    ("shift-tab", W::Drain, C::PreviousChoice, 0),
    ("D", W::Drains, C::Drains, 15),
    // A finding.
    ("enter", W::Finding, C::GoTo, 2),
    ("tab", W::Finding, C::NextChoice, 11),
    ("shift-tab", W::Finding, C::PreviousChoice, 0),
    ("x", W::Covered, C::DoRemedy, 1),
    ("x", W::Drain, C::Menu, 9),
    // Texts.
    ("n", W::Searching, C::NextMatch, 10),
    ("N", W::Searching, C::PreviousMatch, 11),
    ("w", W::Text, C::Wrap, 12),
    ("f", W::Text, C::Fullscreen, 13),
    ("m", W::Text, C::ManagedFields, 0),
    // What changes the cluster.
    ("p", W::Pool, C::Act(A::PausePool), 10),
    ("p", W::PausedPool, C::Act(A::UnpausePool), 10),
    ("c", W::Node, C::Act(A::CordonNodes), 11),
    ("u", W::Node, C::Act(A::UncordonNodes), 12),
    ("r", W::Node, C::Act(A::DrainNodes), 13),
    ("U", W::Panes, C::Act(A::StartUpdate), 13),
    ("enter", W::Updates, C::Act(A::StartUpdate), 2),
    ("U", W::Updates, C::Act(A::StartUpdate), 0),
    ("n", W::NextStep, C::NextStep, 1),
    ("x", W::Panes, C::Menu, 20),
    ("X", W::Panes, C::ClusterActions, 0),
    ("tab", W::Menu, C::ClusterActions, 12),
    ("X", W::Menu, C::ClusterActions, 0),
    ("e", W::Menu, C::Values, 11),
    ("ctrl-k", W::Running, C::CancelJob, 14),
    // Look closer.
    ("enter", W::Panes, C::Enter, 2),
    ("enter", W::List, C::Press, 2),
    ("enter", W::Plan, C::Press, 2),
    ("enter", W::Form, C::Press, 2),
    ("enter", W::Message, C::Back, 2),
    ("d", W::Selected, C::Describe, 22),
    ("d", W::Versions, C::Describe, 22),
    ("y", W::Selected, C::Yaml, 23),
    // On the map `l` is the cell to the right; everywhere else `right` opens branches and scrolls as well.
    ("l", W::Logged, C::Logs, 25),
    ("L", W::Explained, C::Logs, 25),
    ("e", W::Panes, C::Estimates, 26),
    ("P", W::Panes, C::Phases, 44),
    ("Y", W::Anywhere, C::Copy, 45),
    ("ctrl-o", W::Anywhere, C::Copy, 0),
    ("ctrl-s", W::Anywhere, C::Save, 46),
    // Lists.
    ("/", W::Panes, C::Filter, 30),
    ("/", W::Text, C::Search, 30),
    ("space", W::Columns, C::Mark, 10),
    ("shift-up", W::Columns, C::ColumnLeft, 11),
    ("K", W::Columns, C::ColumnLeft, 0),
    ("shift-down", W::Columns, C::ColumnRight, 12),
    ("J", W::Columns, C::ColumnRight, 0),
    ("C", W::Table, C::Columns, 0),
    ("space", W::Markable, C::Mark, 24),
    ("ctrl-space", W::Markable, C::MarkRange, 0),
    ("v", W::Markable, C::MarkRange, 0),
    ("ctrl-\\", W::Panes, C::ClearMarks, 0),
    ("shift-left", W::Table, C::ColumnLeft, 0),
    ("shift-right", W::Table, C::ColumnRight, 0),
    ("O", W::Table, C::Sort, 0),
    ("N", W::Table, C::SortName, 0),
    ("A", W::Table, C::SortAge, 0),
    ("S", W::Table, C::SortState, 0),
    ("ctrl-w", W::Panes, C::Wide, 0),
    // Move.
    ("j", W::Anywhere, C::Down, 0),
    ("down", W::Anywhere, C::Down, 0),
    ("k", W::Anywhere, C::Up, 0),
    ("up", W::Anywhere, C::Up, 0),
    ("h", W::Anywhere, C::Left, 0),
    ("left", W::Anywhere, C::Left, 0),
    ("l", W::Anywhere, C::Right, 0),
    ("right", W::Anywhere, C::Right, 0),
    ("g", W::Anywhere, C::First, 0),
    ("home", W::Anywhere, C::First, 0),
    ("G", W::Anywhere, C::Last, 0),
    ("end", W::Anywhere, C::Last, 0),
    ("ctrl-f", W::Anywhere, C::PageDown, 0),
    ("pgdn", W::Anywhere, C::PageDown, 0),
    ("ctrl-b", W::Anywhere, C::PageUp, 0),
    ("pgup", W::Anywhere, C::PageUp, 0),
    ("ctrl-d", W::Anywhere, C::HalfDown, 0),
    ("ctrl-u", W::Anywhere, C::HalfUp, 0),
    // Tabs and panes.
    ("1", W::Panes, C::Go(Tab::Overview), 0),
    ("2", W::Panes, C::Go(Tab::Operators), 0),
    ("3", W::Panes, C::Go(Tab::Pools), 0),
    ("4", W::Panes, C::Go(Tab::Nodes), 0),
    ("5", W::Panes, C::Go(Tab::Findings), 0),
    ("6", W::Panes, C::Go(Tab::Timeline), 0),
    ("8", W::ImageBased, C::Go(Tab::ImageBased), 0),
    ("tab", W::Panes, C::NextPane, 40),
    ("shift-tab", W::Panes, C::PreviousPane, 0),
    ("-", W::Panes, C::LastView, 0),
    ("[", W::Panes, C::LastView, 0),
    // The program.
    (":", W::Anywhere, C::CommandLine, 31),
    ("?", W::Anywhere, C::Help, 4),
    ("@", W::Anywhere, C::CommandLog, 47),
    ("ctrl-e", W::Anywhere, C::Header, 0),
    ("ctrl-r", W::Anywhere, C::Refresh, 0),
    ("R", W::Anywhere, C::Refresh, 0),
    ("esc", W::Anywhere, C::Back, 33),
    ("q", W::Anywhere, C::Leave, 34),
    ("ctrl-z", W::Always, C::Suspend, 0),
];

/// The rules as they come.
pub fn rules() -> Vec<Rule> {
    RULES
        .iter()
        .filter_map(|(key, when, command, place)| {
            let key: Key = key.parse().ok()?;
            Some(Rule { key, when: *when, command: *command, hint: (*place > 0).then_some(*place) })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_names_a_key() {
        assert_eq!(rules().len(), RULES.len());
    }

    #[test]
    fn every_command_has_a_key() {
        // Actions have the menu and the command line; only the most used have a key of their own.
        for command in C::all().filter(|command| !matches!(command, C::Act(_))) {
            assert!(RULES.iter().any(|rule| rule.2 == command), "{command} cannot be given");
        }
    }
}
