//! The phases of a node as a strip of seven cells: done, here, to come.

use crate::ui::symbols::Symbols;
use crate::upgrade::assessment::{Node, NodePhase};

/// The phases that a node goes through, in order.
const WAY: [NodePhase; 7] = [
    NodePhase::Preparing,
    NodePhase::Cordoned,
    NodePhase::Draining,
    NodePhase::Applying,
    NodePhase::Rebooting,
    NodePhase::Back,
    NodePhase::Uncordoning,
];

/// Columns of a strip.
pub const COLUMNS: usize = WAY.len();

/// The strip of a node.
pub fn strip(node: &Node, signs: &Symbols) -> String {
    let at = WAY.iter().position(|phase| *phase == node.reached.unwrap_or(node.phase));
    match (node.phase, at) {
        (NodePhase::Done, _) => signs.cell_done.repeat(COLUMNS),
        (NodePhase::Paused, _) => signs.paused.repeat(COLUMNS),
        (NodePhase::Degraded, None) => signs.fail.repeat(COLUMNS),
        (NodePhase::Unmanaged, _) => signs.cell_unmanaged.repeat(COLUMNS),
        (_, None) => signs.cell_waiting.repeat(COLUMNS),
        (_, Some(at)) => {
            let here = if stuck(node) { signs.fail } else { signs.cell_moving };
            format!("{}{here}{}", signs.cell_done.repeat(at), signs.cell_waiting.repeat(COLUMNS - 1 - at))
        }
    }
}

/// Does the node need a look: degraded, or a drain that does not come to an end?
pub fn stuck(node: &Node) -> bool {
    node.phase == NodePhase::Degraded || node.drain_trouble.is_some()
}

/// How much a node matters, smaller first: stuck, moving, next, waiting, paused, unmanaged, done.
pub fn rank(node: &Node) -> (u8, usize) {
    match node.phase {
        _ if stuck(node) => (0, 0),
        phase if phase.moving() => (1, 0),
        _ if !node.ready => (2, 0),
        NodePhase::Waiting => (3, node.next.unwrap_or(usize::MAX)),
        NodePhase::Paused => (4, 0),
        NodePhase::Unmanaged => (5, 0),
        _ => (6, 0),
    }
}
