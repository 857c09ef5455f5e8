//! Which logs explain what: plain data, so that a screen can ask for them and a test can read the question.

/// The log of one container.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogSource {
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub pod: String,
    /// Container; none: the pod's only one.
    pub container: Option<String>,
    /// The log of the container that ran before the present one.
    pub previous: bool,
    /// Go on with what will be said; otherwise it ends with what was said.
    pub follow: bool,
    /// At most so many of the lines that were said already; none: all that are kept.
    pub tail_lines: Option<u32>,
}

/// The pods whose logs explain something.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodQuery {
    /// In this namespace; empty: in all.
    pub namespace: String,
    /// With these labels, as `oc get -l` takes them; empty: whatever their labels.
    pub labels: String,
    /// On this node; none: wherever they run.
    pub node: Option<String>,
}
