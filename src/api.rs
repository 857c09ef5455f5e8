//! Lenses on API objects: only the fields that are read.
//!
//! Belongs here: one file per kind; every field tolerates absence and `null`, one bad field never fails an object.
//! Does not: judgement (that is `upgrade`), and no lens is ever written back.
//! May import: nothing of ours.

/// Placeholder lens.
macro_rules! lens { ($($n:ident),*) => { $(
    /// A lens.
    #[derive(Debug, Clone, Default, PartialEq)]
    pub struct $n;
)* } }
lens!(ClusterVersion, ClusterOperator, MachineConfigPool, MachineConfigNode, Node, MachineConfig, Event);
