//! A set of actions that is as small as a number.

use crate::actions::ActionId;

/// Some of the actions of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ActionSet(u128);

// The bits have to do.
const _: () = assert!(ActionId::ALL.len() <= 128);

impl ActionSet {
    /// Is the action among them?
    pub fn contains(self, action: ActionId) -> bool {
        self.0 & bit(action) != 0
    }
}

fn bit(action: ActionId) -> u128 {
    1 << action as u32
}

impl FromIterator<ActionId> for ActionSet {
    fn from_iter<I: IntoIterator<Item = ActionId>>(actions: I) -> Self {
        Self(actions.into_iter().fold(0, |bits, action| bits | bit(action)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_a_place_of_its_own() {
        for one in ActionId::ALL {
            let set: ActionSet = [*one].into_iter().collect();
            assert!(ActionId::ALL.iter().all(|other| set.contains(*other) == (one == other)));
        }
    }
}
