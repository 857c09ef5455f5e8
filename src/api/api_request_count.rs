//! `apiserver.openshift.io/v1 APIRequestCount`: who still uses an API that goes away.

use super::lens::{kind, part};
use super::metadata::Keeps;

kind! {
    /// The requests for one resource in one version, named `RESOURCE.VERSION.GROUP`.
    pub struct APIRequestCount in "apiserver.openshift.io" / "v1" as "apirequestcounts", ClusterResourceScope {
        metadata: Keeps::NOTHING,
        /// The counts.
        "status" => pub status: APIRequestCountStatus,
    }
}

part! {
    /// The counts.
    pub struct APIRequestCountStatus {
        /// Kubernetes release (`1.27`) in which the API goes away; empty: it stays.
        "removedInRelease" => pub removed_in: String,
        /// Requests of the last day.
        "requestCount" => pub requests: i64,
        /// By hour.
        "last24h" => pub hours: Vec<HourCount>,
    }
}

part! {
    /// The requests of an hour.
    pub struct HourCount {
        /// By node.
        "byNode" => pub nodes: Vec<NodeCount>,
    }
}

part! {
    /// The requests that one API server answered.
    pub struct NodeCount {
        /// Its node.
        "nodeName" => pub node: String,
        /// By user.
        "byUser" => pub users: Vec<UserCount>,
    }
}

part! {
    /// The requests of a user.
    pub struct UserCount {
        /// User name.
        "username" => pub user: String,
        /// Its program.
        "userAgent" => pub agent: String,
        /// Requests.
        "requestCount" => pub requests: i64,
    }
}
