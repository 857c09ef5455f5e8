//! What a key can mean.

use std::fmt;

use crate::actions::ActionId;

/// The tabs, by digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tab {
    /// 1: everything at a glance.
    Overview,
    /// 2: cluster operators by run level.
    Operators,
    /// 3: pools, their nodes, and why.
    Pools,
    /// 4: nodes with their phases.
    Nodes,
    /// 5: what a person should know.
    Findings,
    /// 6: what happened.
    Timeline,
    /// 8: the image-based upgrade of a single-node cluster; only where the cluster has that kind.
    ImageBased,
}

impl Tab {
    /// All of them, in the order of their digits.
    pub const ALL: [Self; 7] =
        [Self::Overview, Self::Operators, Self::Pools, Self::Nodes, Self::Findings, Self::Timeline, Self::ImageBased];

    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Operators => "Operators",
            Self::Pools => "Pools",
            Self::Nodes => "Nodes",
            Self::Findings => "Findings",
            Self::Timeline => "Timeline",
            Self::ImageBased => "Image-based",
        }
    }

    /// Its digit.
    pub fn digit(self) -> char {
        match self {
            Self::Overview => '1',
            Self::Operators => '2',
            Self::Pools => '3',
            Self::Nodes => '4',
            Self::Findings => '5',
            Self::Timeline => '6',
            Self::ImageBased => '8',
        }
    }
}

/// Where help lists a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// What changes the cluster.
    Actions,
    /// Looking at the selected thing.
    Look,
    /// Lists: filter, sort, marks.
    Lists,
    /// Moving about.
    Move,
    /// Tabs and panes.
    Tabs,
    /// The line at the bottom and text fields.
    Text,
    /// The program itself.
    Program,
}

impl Group {
    /// All of them, in the order of help.
    pub const ALL: [Self; 7] =
        [Self::Actions, Self::Look, Self::Lists, Self::Move, Self::Tabs, Self::Text, Self::Program];

    /// Its heading in help.
    pub fn title(self) -> &'static str {
        match self {
            Self::Actions => "Change the cluster",
            Self::Look => "Look closer",
            Self::Lists => "Lists",
            Self::Move => "Move",
            Self::Tabs => "Tabs and panes",
            Self::Text => "Text fields",
            Self::Program => "Program",
        }
    }
}

/// What a key means. A closed set: everything that the keyboard can do is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// One up.
    Up,
    /// One down.
    Down,
    /// One left: scroll columns, close a branch, previous cell.
    Left,
    /// One right.
    Right,
    /// The first.
    First,
    /// The last.
    Last,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// Half a page up.
    HalfUp,
    /// Half a page down. Never a deletion, whatever other tools do with that key.
    HalfDown,
    /// Go to a tab.
    Go(Tab),
    /// The view that was shown before this one.
    LastView,
    /// Next pane.
    NextPane,
    /// Previous pane.
    PreviousPane,
    /// Down to the obvious child, or press the focused button.
    Enter,
    /// Press the focused button, take the selected choice.
    Press,
    /// Search in a text.
    Search,
    /// One step up: popup, filter, marks, view; never out.
    Back,
    /// Back, and out when pressed twice at the root.
    Leave,
    /// Out.
    Quit,
    /// Open the filter line.
    Filter,
    /// Open the command line.
    CommandLine,
    /// Help.
    Help,
    /// Mark or unmark the selected row.
    Mark,
    /// Mark everything from the last marked row to this one.
    MarkRange,
    /// Forget the marks.
    ClearMarks,
    /// Describe the selected object.
    Describe,
    /// The selected object as YAML.
    Yaml,
    /// The actions for the selected object.
    Menu,
    /// The actions for the cluster as a whole, and those that need something to be named.
    ClusterActions,
    /// The form of an action: its target and its values.
    Values,
    /// What this program asked of the cluster, as `oc` lines.
    CommandLog,
    /// Save the view to a file.
    Save,
    /// Copy a name, a finding or an `oc` line.
    Copy,
    /// Show or hide the header.
    Header,
    /// Hand the terminal back to the shell for a while.
    Suspend,
    /// Ask the cluster again now.
    Refresh,
    /// Choose the column to the left for sorting.
    ColumnLeft,
    /// Choose the column to the right for sorting.
    ColumnRight,
    /// Sort by the chosen column; again to reverse.
    Sort,
    /// Sort by name; again to reverse.
    SortName,
    /// Sort by age; again to reverse.
    SortAge,
    /// Sort by state; again to reverse.
    SortState,
    /// All columns, or those that matter.
    Wide,
    /// Choose the columns of a table, and their order.
    Columns,
    /// Next match of the search.
    NextMatch,
    /// Previous match of the search.
    PreviousMatch,
    /// Wrap long lines, or not.
    Wrap,
    /// Use the whole screen for a text, or not.
    Fullscreen,
    /// Show or hide `managedFields`.
    ManagedFields,
    /// How long it still takes, with the working shown.
    Estimates,
    /// The logs that explain the selected thing.
    Logs,
    /// The log of the container's previous run, or that of the present one.
    PreviousLog,
    /// Follow the log to its end, or stay.
    Follow,
    /// Show or hide the times of log lines.
    Timestamps,
    /// Go to what a finding is about.
    GoTo,
    /// Do the chosen remedy, where an action of this program does it.
    DoRemedy,
    /// The next of several: remedy, log.
    NextChoice,
    /// The previous of several: remedy, log.
    PreviousChoice,
    /// The phases of the procedure, with what they wait for.
    Phases,
    /// The next step of the procedure, as the rail says it.
    NextStep,
    /// An action: something that changes the cluster.
    Act(ActionId),
    /// Stop the selected action of this program that is still under way.
    CancelJob,
    /// The newest drain of this program, as it goes.
    Drains,
    /// Accept the text.
    Accept,
    /// Drop the text.
    Cancel,
    /// Complete the word.
    Complete,
    /// Older entry of the history.
    Older,
    /// Newer entry of the history.
    Newer,
    /// Erase a word.
    EraseWord,
    /// Erase the line.
    EraseLine,
    /// Next field or button.
    NextField,
    /// Previous field or button.
    PreviousField,
    /// The simulated cluster faster.
    Faster,
    /// The simulated cluster slower.
    Slower,
}

/// Name, footer word, help text and group of every command but the actions, which the catalogue words, in the order of help.
const TABLE: &[(Command, &str, &str, &str, Group)] = &[
    (Command::DoRemedy, "do-remedy", "do it", "do the chosen remedy of a finding", Group::Actions),
    (Command::NextStep, "next-step", "next step", "the next step, as the rail names it", Group::Actions),
    (Command::Menu, "menu", "actions", "all actions for the selected object, and why not", Group::Actions),
    (
        Command::ClusterActions,
        "cluster-actions",
        "cluster-wide",
        "the actions for the cluster as a whole; in the menu, there and back",
        Group::Actions,
    ),
    (
        Command::Values,
        "values",
        "with values",
        "in the menu: fill in what the action takes before it is planned",
        Group::Actions,
    ),
    (
        Command::CancelJob,
        "cancel-job",
        "stop it",
        "stop the newest action of this program that is under way",
        Group::Actions,
    ),
    (Command::Drains, "drains", "drain", "the newest drain of this program, as it goes", Group::Look),
    (Command::Enter, "enter", "open", "down: open, go to", Group::Look),
    (Command::Press, "press", "choose", "take the choice, press the button", Group::Look),
    (Command::Describe, "describe", "describe", "describe: conditions, fields, ages, evidence", Group::Look),
    (Command::Yaml, "yaml", "yaml", "the object as YAML", Group::Look),
    (Command::Logs, "logs", "logs", "the logs that explain the operator, the pool or the node", Group::Look),
    (
        Command::Phases,
        "phases",
        "phases",
        "the phases of the update, what they wait for, and the next step",
        Group::Look,
    ),
    (Command::Estimates, "estimates", "how long", "how long it still takes, with the working shown", Group::Look),
    (Command::GoTo, "go-to", "go to it", "go to what the finding is about", Group::Look),
    (Command::NextChoice, "next-choice", "next one", "the next remedy, the next log", Group::Look),
    (Command::PreviousChoice, "previous-choice", "previous one", "the previous remedy, the previous log", Group::Look),
    (
        Command::PreviousLog,
        "previous-log",
        "previous run",
        "the log of the container's previous run, or not",
        Group::Look,
    ),
    (Command::Follow, "follow", "follow", "follow the log to its end, or stay", Group::Look),
    (Command::Timestamps, "timestamps", "times", "show or hide the times of log lines", Group::Look),
    (Command::Search, "search", "search", "search in a text: regex; narrow help", Group::Look),
    (Command::NextMatch, "next-match", "next match", "next match of the search", Group::Look),
    (Command::PreviousMatch, "previous-match", "previous match", "previous match of the search", Group::Look),
    (Command::Wrap, "wrap", "wrap", "wrap long lines, or not", Group::Look),
    (Command::Fullscreen, "fullscreen", "full screen", "use the whole screen, or not", Group::Look),
    (Command::ManagedFields, "managed-fields", "managedFields", "show or hide managedFields", Group::Look),
    (Command::Copy, "copy", "copy", "copy the name, the finding, the oc line or the text", Group::Look),
    (Command::Save, "save", "save", "save this view to a file", Group::Look),
    (Command::Filter, "filter", "filter", "filter: regex, !inverse, -l key=value, -f fuzzy", Group::Lists),
    (Command::Mark, "mark", "mark", "mark or unmark", Group::Lists),
    (Command::MarkRange, "mark-range", "mark range", "mark from the last marked row to here", Group::Lists),
    (Command::ClearMarks, "clear-marks", "clear marks", "forget the marks", Group::Lists),
    (Command::ColumnLeft, "column-left", "column", "choose the column to the left; move a column up", Group::Lists),
    (
        Command::ColumnRight,
        "column-right",
        "column",
        "choose the column to the right; move a column down",
        Group::Lists,
    ),
    (Command::Sort, "sort", "sort", "sort by the chosen column; again to reverse", Group::Lists),
    (Command::SortName, "sort-name", "by name", "sort by name; again to reverse", Group::Lists),
    (Command::SortAge, "sort-age", "by age", "sort by age; again to reverse", Group::Lists),
    (Command::SortState, "sort-state", "by state", "sort by state; again to reverse", Group::Lists),
    (Command::Columns, "columns", "columns", "choose the columns and their order", Group::Lists),
    (Command::Wide, "wide", "wide", "all columns, or those that matter", Group::Lists),
    (Command::Up, "up", "up", "up", Group::Move),
    (Command::Down, "down", "down", "down", Group::Move),
    (Command::Left, "left", "left", "left: close a branch, scroll", Group::Move),
    (Command::Right, "right", "right", "right: open a branch, scroll", Group::Move),
    (Command::First, "first", "first", "first", Group::Move),
    (Command::Last, "last", "last", "last", Group::Move),
    (Command::PageUp, "page-up", "page up", "page up", Group::Move),
    (Command::PageDown, "page-down", "page down", "page down", Group::Move),
    (Command::HalfUp, "half-up", "half page up", "half a page up", Group::Move),
    (Command::HalfDown, "half-down", "half page down", "half a page down (it never deletes anything)", Group::Move),
    (Command::Go(Tab::Overview), "overview", "overview", "tab 1: everything at a glance", Group::Tabs),
    (Command::Go(Tab::Operators), "operators", "operators", "tab 2: cluster operators by run level", Group::Tabs),
    (Command::Go(Tab::Pools), "pools", "pools", "tab 3: pools, their nodes, and why", Group::Tabs),
    (Command::Go(Tab::Nodes), "nodes", "nodes", "tab 4: nodes with their phases", Group::Tabs),
    (Command::Go(Tab::Findings), "findings", "findings", "tab 5: what a person should know", Group::Tabs),
    (Command::Go(Tab::Timeline), "timeline", "timeline", "tab 6: what happened", Group::Tabs),
    (Command::Go(Tab::ImageBased), "image-based", "image-based", "tab 8: the image-based upgrade", Group::Tabs),
    (Command::NextPane, "next-pane", "next pane", "next pane", Group::Tabs),
    (Command::PreviousPane, "previous-pane", "previous pane", "previous pane", Group::Tabs),
    (Command::LastView, "last-view", "last view", "the view before this one", Group::Tabs),
    (Command::Accept, "accept", "accept", "accept the text", Group::Text),
    (Command::Cancel, "cancel", "cancel", "drop the text", Group::Text),
    (Command::Complete, "complete", "complete", "complete the word", Group::Text),
    (Command::Older, "older", "older", "older entry of the history", Group::Text),
    (Command::Newer, "newer", "newer", "newer entry of the history", Group::Text),
    (Command::EraseWord, "erase-word", "erase word", "erase a word", Group::Text),
    (Command::EraseLine, "erase-line", "erase line", "erase the line", Group::Text),
    (Command::NextField, "next-field", "next field", "next field or button", Group::Text),
    (Command::PreviousField, "previous-field", "previous field", "previous field or button", Group::Text),
    (Command::CommandLine, "command-line", "command", "command line, with completion and history", Group::Program),
    (Command::Help, "help", "help", "this help, from the real bindings", Group::Program),
    (Command::CommandLog, "command-log", "command log", "what was sent to the cluster, as oc lines", Group::Program),
    (Command::Header, "header", "header", "show or hide the header", Group::Program),
    (Command::Refresh, "refresh", "refresh", "ask the cluster again now", Group::Program),
    (Command::Faster, "faster", "faster", "the simulated cluster faster", Group::Program),
    (Command::Slower, "slower", "slower", "the simulated cluster slower", Group::Program),
    (Command::Back, "back", "back", "one step up: popup, filter, marks, view; never out", Group::Program),
    (
        Command::Leave,
        "leave",
        "quit",
        "one step up, as back; where nothing is left to go back from (the overview): twice to quit. :q quits at once",
        Group::Program,
    ),
    (Command::Suspend, "suspend", "suspend", "back to the shell for a while (fg returns)", Group::Program),
    (Command::Quit, "quit", "quit", "quit; again to force it", Group::Program),
];

/// What actions were called in configurations of before.
const FORMER: &[(&str, &str)] = &[("cordon-nodes", "cordon"), ("uncordon-nodes", "uncordon")];

impl Command {
    /// Every command, in the order of help.
    pub fn all() -> impl Iterator<Item = Self> {
        ActionId::ALL.iter().copied().map(Self::Act).chain(TABLE.iter().map(|row| row.0))
    }

    fn row(self) -> (&'static str, &'static str, &'static str, Group) {
        if let Self::Act(action) = self {
            let entry = action.entry();
            return (entry.name, entry.word, entry.summary, Group::Actions);
        }
        let (_, name, word, help, group) = TABLE.iter().find(|row| row.0 == self).unwrap_or(&TABLE[0]);
        (name, word, help, *group)
    }

    /// Its name in the configuration, kebab-case.
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// Its word in the footer.
    pub fn word(self) -> &'static str {
        self.row().1
    }

    /// What help says of it.
    pub fn help(self) -> &'static str {
        self.row().2
    }

    /// Where help lists it.
    pub fn group(self) -> Group {
        self.row().3
    }

    /// Does it lead to a change of the cluster? Such commands do not exist while read-only.
    pub fn writes(self) -> bool {
        matches!(
            self,
            Self::Act(_)
                | Self::NextStep
                | Self::Menu
                | Self::ClusterActions
                | Self::Values
                | Self::CancelJob
                | Self::DoRemedy
        )
    }

    /// The command of a name. Names of before still hold.
    pub fn named(name: &str) -> Option<Self> {
        let known = || TABLE.iter().find(|row| row.1 == name).map(|row| row.0);
        let before = || FORMER.iter().find(|(former, _)| *former == name).and_then(|(_, now)| ActionId::named(now));
        ActionId::named(name).or_else(before).map(Self::Act).or_else(known)
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_command_has_its_own_name_and_finds_itself() {
        let names: BTreeSet<&str> = Command::all().map(Command::name).collect();
        assert_eq!(names.len(), Command::all().count());
        for command in Command::all() {
            assert_eq!(Command::named(command.name()), Some(command));
        }
        assert_eq!(
            Command::named("cordon-nodes"),
            Some(Command::Act(ActionId::CordonNodes)),
            "as it was called before"
        );
        assert!(FORMER.iter().all(|(former, now)| ActionId::named(former).is_none() && ActionId::named(now).is_some()));
    }
}
