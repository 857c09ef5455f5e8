//! The link to the API server: its states, its ages, its troubles in words.
//!
//! The states are data here, so that the screen and the tests know them; what drives them (probes, watches) lives in
//! `cluster`.

use chrono::{DateTime, TimeDelta, Utc};

/// How the cockpit stands to the API server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// Nothing has answered yet.
    Connecting {
        /// When the first attempt was made.
        since: DateTime<Utc>,
    },
    /// The server answers; data is as fresh as each kind says.
    Live,
    /// Two probes failed in a row: the picture is the last good one.
    Stale {
        /// The last moment at which anything was heard.
        since: DateTime<Utc>,
    },
    /// Stale, and new attempts are being made.
    Reconnecting {
        /// The last moment at which anything was heard.
        since: DateTime<Utc>,
        /// Attempts made since then.
        attempts: u32,
    },
    /// The server answers again; its identity and its resource versions are being compared with what was known.
    Verifying {
        /// The last moment at which anything was heard before the outage.
        since: DateTime<Utc>,
    },
    /// These objects come from files: nothing moves and nothing can be written.
    Recording,
}

impl LinkState {
    /// May a write be sent? Only while the picture that it was decided on is live.
    pub fn writable(self) -> bool {
        matches!(self, Self::Live)
    }

    /// Is the picture older than the cluster, as far as is known?
    pub fn stale(self) -> bool {
        matches!(self, Self::Stale { .. } | Self::Reconnecting { .. } | Self::Verifying { .. })
    }

    /// Since when the picture is not live, if it is not.
    pub fn since(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Connecting { since }
            | Self::Stale { since }
            | Self::Reconnecting { since, .. }
            | Self::Verifying { since } => Some(since),
            Self::Live | Self::Recording => None,
        }
    }
}

/// What kind of failure keeps us from the server. Told apart because the next thing to try differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TroubleKind {
    /// Nobody listens at the address.
    Refused,
    /// No answer within the limit.
    Timeout,
    /// The name does not resolve.
    Dns,
    /// The certificate is signed by an authority that the kubeconfig does not name.
    TlsUnknownAuthority,
    /// The certificate is for another name.
    TlsName,
    /// The certificate has expired or is not valid yet.
    TlsExpired,
    /// A CA certificate is used as the server's own.
    TlsCaAsServer,
    /// Any other failure of the TLS handshake.
    TlsOther,
    /// 401: the credentials are not (or no longer) accepted.
    Unauthorized,
    /// 403: the user may not do that.
    Forbidden,
    /// 404 of a kind: the server does not serve it.
    AbsentKind,
    /// 410: the watch fell too far behind.
    Gone,
    /// 429: the server asks to slow down.
    TooManyRequests,
    /// 5xx: the server (or something in front of it) failed.
    Server,
    /// The connection broke in the middle.
    Broken,
    /// An answer that could not be read.
    Undecodable,
    /// The kubeconfig or the credential plugin is at fault.
    Credentials,
    /// None of the above.
    Other,
}

/// A failure in words, with the next thing to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Which failure.
    pub kind: TroubleKind,
    /// What happened, in one sentence without internals.
    pub words: String,
    /// The next thing to try; empty when there is nothing to do but wait.
    pub hint: String,
    /// Since when it happens.
    pub since: DateTime<Utc>,
}

impl Trouble {
    /// The same, its moment told by a clock that is ahead by so much.
    #[must_use]
    pub fn ahead_by(mut self, ahead: TimeDelta) -> Self {
        self.since += ahead;
        self
    }
}

/// The link as facts.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// The state.
    pub state: LinkState,
    /// When a byte was last heard on any connection.
    pub heard: Option<DateTime<Utc>>,
    /// How long the last good probe took.
    pub latency: Option<TimeDelta>,
    /// What is wrong at present, if anything.
    pub trouble: Option<Trouble>,
    /// Is an outage expected now (a control plane node is rebooting)? Says which.
    pub expected_outage: Option<String>,
    /// How far the server's clock is ahead of this machine's (negative: behind), when that is more than a few seconds:
    /// then all moments here are the server's. Zero otherwise, and while it is not known.
    pub clock_ahead: TimeDelta,
}

impl Link {
    /// A link on which nothing was heard yet.
    pub fn connecting(now: DateTime<Utc>) -> Self {
        Self {
            state: LinkState::Connecting { since: now },
            heard: None,
            latency: None,
            trouble: None,
            expected_outage: None,
            clock_ahead: TimeDelta::zero(),
        }
    }

    /// The link of objects that come from files.
    pub fn recording() -> Self {
        Self { state: LinkState::Recording, ..Self::connecting(DateTime::UNIX_EPOCH) }
    }

    /// How this machine's clock differs from the server's, if it does by more than a few seconds.
    pub fn clock_words(&self) -> Option<String> {
        let (ahead, zero) = (self.clock_ahead, TimeDelta::zero());
        let way = if ahead > zero { "behind" } else { "ahead of" };
        (ahead != zero).then(|| {
            let by = super::words::span(ahead.abs());
            format!("this machine's clock is {by} {way} the API server's")
        })
    }

    /// The same, its moments told by a clock that is ahead by so much.
    #[must_use]
    pub fn ahead_by(mut self, ahead: TimeDelta) -> Self {
        self.state = match self.state {
            LinkState::Connecting { since } => LinkState::Connecting { since: since + ahead },
            LinkState::Stale { since } => LinkState::Stale { since: since + ahead },
            LinkState::Reconnecting { since, attempts } => LinkState::Reconnecting { since: since + ahead, attempts },
            LinkState::Verifying { since } => LinkState::Verifying { since: since + ahead },
            same @ (LinkState::Live | LinkState::Recording) => same,
        };
        self.heard = self.heard.map(|heard| heard + ahead);
        self.trouble = self.trouble.map(|trouble| trouble.ahead_by(ahead));
        self.clock_ahead = ahead;
        self
    }
}
