//! What has to be remembered between assessments because the API does not: phase clocks, what was there before, the
//! timeline.

use std::sync::Arc;

use super::assessment::Assessment;
use super::timeline::Timeline;

/// The memory of one session with one cluster. `assess` reads it; [`Memory::observe`] lets it learn.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// The newest assessment that was observed.
    pub last: Option<Arc<Assessment>>,
    /// What happened.
    pub timeline: Arc<Timeline>,
}
