//! Under which circumstances a key means what it means: conditions on a pure snapshot of the screen.

use super::action_set::ActionSet;

/// Who has the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layer {
    /// The panes.
    Panes,
    /// A text popup: describe, YAML, a finding, a log, the command log, help.
    Text,
    /// A popup with a list: action menu, contexts, versions, simulation.
    List,
    /// A plan that waits for confirmation.
    Plan,
    /// The form of an action.
    Form,
}

/// The pane that has the focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pane {
    /// Operators.
    Operators,
    /// Pools as a tree.
    Pools,
    /// Nodes as a map, one cell each.
    Map,
    /// Nodes as a table.
    Nodes,
    /// Findings.
    Findings,
    /// Timeline.
    Timeline,
    /// The image-based upgrade.
    ImageBased,
}

/// What kind of thing is selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Row {
    /// Nothing.
    #[default]
    None,
    /// An operator.
    Operator,
    /// A pool that rolls freely.
    Pool,
    /// A paused pool.
    PausedPool,
    /// A node that takes pods.
    Node,
    /// A node that is cordoned.
    CordonedNode,
    /// The ClusterVersion.
    Version,
    /// Another object.
    Object,
    /// Something else.
    Other,
}

/// What the conditions look at. Pure data: a test writes it by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    /// Who has the keyboard.
    pub layer: Layer,
    /// The pane that has the focus.
    pub pane: Pane,
    /// A text field has the keyboard: the filter line, the command line, a search, a field of a plan.
    pub text_entry: bool,
    /// That field is the command line.
    pub command_line: bool,
    /// Writes are off.
    pub read_only: bool,
    /// What is selected.
    pub row: Row,
    /// Rows are marked.
    pub marked: bool,
    /// The text popup has a search.
    pub searching: bool,
    /// The popup about the simulated cluster is on top.
    pub sim: bool,
    /// The versions on offer are on top.
    pub versions: bool,
    /// The action menu is on top.
    pub menu: bool,
    /// A message is on top that is only to be read.
    pub message: bool,
    /// Actions that the server does not let this user do: no key of theirs is shown.
    pub barred: ActionSet,
    /// A finding is on top.
    pub finding: bool,
    /// An action of this program does the chosen remedy of that finding.
    pub covered: bool,
    /// A log is on top.
    pub log: bool,
    /// The cluster has image-based upgrades.
    pub image_based: bool,
    /// A drain of this program is on top.
    pub drain: bool,
    /// This program drains nodes, or did.
    pub drains: bool,
    /// Something can be started: the rail names a next step.
    pub next_step: bool,
    /// The phases are on top.
    pub phases: bool,
    /// An action of this program is under way.
    pub running: bool,
    /// A text about the versions on offer is on top, and one of them is chosen.
    pub updates: bool,
    /// The columns of a table are on top.
    pub columns: bool,
    /// Nothing is left to go back from: the overview, without filter, marks and popup.
    pub root: bool,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            layer: Layer::Panes,
            pane: Pane::Pools,
            text_entry: false,
            command_line: false,
            read_only: false,
            row: Row::None,
            marked: false,
            searching: false,
            sim: false,
            versions: false,
            menu: false,
            message: false,
            barred: ActionSet::default(),
            finding: false,
            covered: false,
            log: false,
            image_based: false,
            drain: false,
            drains: false,
            next_step: false,
            phases: false,
            running: false,
            updates: false,
            columns: false,
            root: false,
        }
    }
}

/// A condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Wherever no text is being typed.
    Anywhere,
    /// Also while text is being typed.
    Always,
    /// A text field has the keyboard.
    Typing,
    /// The command line has the keyboard.
    CommandLine,
    /// The panes have the keyboard.
    Panes,
    /// A pane that lists nodes has the keyboard.
    Nodes,
    /// A pool is selected that is not paused.
    Pool,
    /// A paused pool is selected.
    PausedPool,
    /// A node (or nodes) is selected.
    Node,
    /// A node is selected, or a pool in the pane of pools.
    Markable,
    /// Rows are marked in the focused pane.
    Marked,
    /// Something is selected that has an object behind it.
    Selected,
    /// A table has the focus: sorting and columns make sense.
    Table,
    /// A text popup is on top.
    Text,
    /// A text popup is on top and has a search.
    Searching,
    /// A list popup is on top.
    List,
    /// A plan is on top.
    Plan,
    /// The popup about the simulated cluster is on top.
    Sim,
    /// The form of an action is on top.
    Form,
    /// The versions on offer are on top.
    Versions,
    /// The action menu is on top.
    Menu,
    /// A message is on top.
    Message,
    /// A finding is on top.
    Finding,
    /// A finding is on top, and an action of this program does its chosen remedy.
    Covered,
    /// A log is on top.
    Log,
    /// A drain of this program is on top.
    Drain,
    /// This program drains nodes, or did.
    Drains,
    /// Something is selected whose logs can be read.
    Explained,
    /// The same, and the focus is not on the map, which is walked in four directions.
    Logged,
    /// The cluster has image-based upgrades.
    ImageBased,
    /// The rail names a next step, and the panes or the phases have the keyboard.
    NextStep,
    /// An action of this program is under way.
    Running,
    /// A text about the versions on offer is on top, and one of them is chosen.
    Updates,
    /// The columns of a table are on top.
    Columns,
}

/// Are there logs that explain such a thing?
fn explained(at: &Snapshot) -> bool {
    match at.row {
        Row::None | Row::Other => false,
        Row::Object => at.pane == Pane::ImageBased,
        _ => true,
    }
}

impl When {
    /// Does the condition hold?
    pub fn holds(self, at: &Snapshot) -> bool {
        let quiet = !at.text_entry;
        let panes = quiet && at.layer == Layer::Panes;
        match self {
            Self::Always => true,
            Self::Anywhere => quiet,
            Self::Typing => at.text_entry,
            Self::CommandLine => at.text_entry && at.command_line,
            Self::Panes => panes,
            Self::Nodes => panes && matches!(at.pane, Pane::Nodes | Pane::Map),
            Self::Pool => panes && at.row == Row::Pool,
            Self::PausedPool => panes && at.row == Row::PausedPool,
            Self::Node => panes && matches!(at.row, Row::Node | Row::CordonedNode),
            Self::Markable => match at.row {
                Row::Node | Row::CordonedNode => panes,
                Row::Pool | Row::PausedPool => panes && at.pane == Pane::Pools,
                _ => false,
            },
            Self::Marked => panes && at.marked,
            Self::Selected => panes && !matches!(at.row, Row::None | Row::Other),
            Self::Table => panes && matches!(at.pane, Pane::Operators | Pane::Nodes | Pane::Findings | Pane::Timeline),
            Self::Text => quiet && at.layer == Layer::Text,
            Self::Searching => quiet && at.layer == Layer::Text && at.searching,
            Self::List => quiet && at.layer == Layer::List,
            Self::Plan => at.layer == Layer::Plan,
            Self::Sim => quiet && at.sim,
            Self::Form => at.layer == Layer::Form,
            Self::Versions => quiet && at.versions,
            Self::Menu => quiet && at.menu,
            Self::Message => quiet && at.message,
            Self::Finding => quiet && at.finding,
            Self::Covered => quiet && at.finding && at.covered,
            Self::Log => quiet && at.log,
            Self::Drain => quiet && at.drain,
            Self::Drains => quiet && at.drains && !at.drain,
            Self::Explained => panes && explained(at),
            Self::Logged => panes && explained(at) && at.pane != Pane::Map,
            Self::ImageBased => panes && at.image_based,
            Self::NextStep => (panes || (quiet && at.phases && !at.searching)) && at.next_step,
            Self::Running => quiet && at.running,
            Self::Updates => quiet && at.updates,
            Self::Columns => quiet && at.columns,
        }
    }

    /// Is it about the panes, rather than about a popup or a line that is typed?
    pub fn about_panes(self) -> bool {
        matches!(
            self,
            Self::Panes
                | Self::Nodes
                | Self::Pool
                | Self::PausedPool
                | Self::Node
                | Self::Markable
                | Self::Marked
                | Self::Selected
                | Self::Table
                | Self::Explained
                | Self::Logged
                | Self::ImageBased
                | Self::NextStep
                | Self::Running
        )
    }

    /// What is missing where it does not hold, for a person who pressed the key all the same.
    pub fn missing(self) -> &'static str {
        match self {
            Self::Pool => "select a pool that is not paused",
            Self::PausedPool => "select a paused pool",
            Self::Node => "select a node",
            Self::Markable => "select a node, or a pool in the pane of pools",
            Self::Marked => "nothing is marked",
            Self::Selected => "nothing is selected that has an object behind it",
            Self::Nodes => "only where nodes are listed",
            Self::Table => "only in a table",
            Self::Text => "only in a text, such as describe or YAML",
            Self::Searching => "only after a search with /",
            Self::List => "only in a list of choices",
            Self::Plan => "only in a plan",
            Self::Sim => "only in :sim",
            Self::Form => "only in the form of an action",
            Self::Versions => "only among the versions on offer",
            Self::Menu => "only in the action menu",
            Self::Message => "only in a message",
            Self::Finding => "only in a finding",
            Self::Covered => "no action of this program does that",
            Self::Log => "only in a log",
            Self::Drain => "only in a drain",
            Self::Drains => "this program drains nothing",
            Self::Explained | Self::Logged => "select an operator, a pool or a node",
            Self::ImageBased => "this cluster has no image-based upgrades",
            Self::NextStep => "there is no next step now",
            Self::Running => "no action is under way",
            Self::Columns => "only among the columns of a table",
            Self::Updates => "only in :updates, on a version",
            Self::Typing | Self::CommandLine => "only while text is typed",
            Self::Panes => "close what lies over the panes first",
            Self::Anywhere | Self::Always => "not here",
        }
    }

    /// The names in the configuration.
    pub const NAMES: &[(&str, Self)] = &[
        ("anywhere", Self::Anywhere),
        ("always", Self::Always),
        ("typing", Self::Typing),
        ("command-line", Self::CommandLine),
        ("panes", Self::Panes),
        ("nodes", Self::Nodes),
        ("pool", Self::Pool),
        ("paused-pool", Self::PausedPool),
        ("node", Self::Node),
        ("markable", Self::Markable),
        ("marked", Self::Marked),
        ("selected", Self::Selected),
        ("table", Self::Table),
        ("text", Self::Text),
        ("searching", Self::Searching),
        ("list", Self::List),
        ("plan", Self::Plan),
        ("form", Self::Form),
        ("menu", Self::Menu),
        ("sim", Self::Sim),
        ("finding", Self::Finding),
        ("log", Self::Log),
        ("drain", Self::Drain),
        ("explained", Self::Explained),
        ("image-based", Self::ImageBased),
        ("updates", Self::Updates),
        ("columns", Self::Columns),
    ];

    /// The circumstance of a name in the configuration.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, when)| *when)
    }
}
