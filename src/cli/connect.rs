//! kubectl's connection flags.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

/// How to reach the cluster: the flags that kubectl and oc know, with their meaning there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Connection")]
pub struct Connect {
    /// Path of the kubeconfig, in place of KUBECONFIG and ~/.kube/config
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig to use
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Cluster of the kubeconfig to use
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<String>,
    /// User of the kubeconfig to use
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// User to impersonate
    #[arg(long = "as", value_name = "USER")]
    pub as_user: Option<String>,
    /// Group to impersonate; may be given several times
    #[arg(long, value_name = "GROUP")]
    pub as_group: Vec<String>,
    /// Bearer token to authenticate with
    #[arg(long, value_name = "TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Address of the API server
    #[arg(long, short = 's', value_name = "URL")]
    pub server: Option<String>,
    /// Do not check the server's certificate: anybody in between can read and change everything
    #[arg(long)]
    pub insecure_skip_tls_verify: bool,
    /// File with the certificates of the authorities that may have signed the server's
    #[arg(long, value_name = "FILE")]
    pub certificate_authority: Option<PathBuf>,
    /// Longest time for one request that is no watch: 5s, 2m, 1h, or seconds; 0 for no limit
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub request_timeout: Option<Duration>,
}

impl Connect {
    /// These flags, and those of `other` where they say nothing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let either = |mine: Vec<String>, theirs: Vec<String>| if mine.is_empty() { theirs } else { mine };
        Self {
            kubeconfig: self.kubeconfig.or(other.kubeconfig),
            context: self.context.or(other.context),
            cluster: self.cluster.or(other.cluster),
            user: self.user.or(other.user),
            as_user: self.as_user.or(other.as_user),
            as_group: either(self.as_group, other.as_group),
            token: self.token.or(other.token),
            server: self.server.or(other.server),
            insecure_skip_tls_verify: self.insecure_skip_tls_verify || other.insecure_skip_tls_verify,
            certificate_authority: self.certificate_authority.or(other.certificate_authority),
            request_timeout: self.request_timeout.or(other.request_timeout),
        }
    }

    /// The first flag that was given, as typed.
    pub fn first_given(&self) -> Option<&'static str> {
        let given = [
            ("--kubeconfig", self.kubeconfig.is_some()),
            ("--context", self.context.is_some()),
            ("--cluster", self.cluster.is_some()),
            ("--user", self.user.is_some()),
            ("--as", self.as_user.is_some()),
            ("--as-group", !self.as_group.is_empty()),
            ("--token", self.token.is_some()),
            ("--server", self.server.is_some()),
            ("--insecure-skip-tls-verify", self.insecure_skip_tls_verify),
            ("--certificate-authority", self.certificate_authority.is_some()),
            ("--request-timeout", self.request_timeout.is_some()),
        ];
        given.into_iter().find_map(|(flag, given)| given.then_some(flag))
    }
}

/// A duration as kubectl takes it: a number with `ms`, `s`, `m` or `h`, several of these in a row (`1m30s`), or a plain
/// number of seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no duration: write 30s, 2m, 1h30m, or a number of seconds");
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let number: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let seconds = match &rest[..unit] {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            _ => return Err(wrong()),
        };
        total += Duration::try_from_secs_f64(number * seconds).map_err(|_| wrong())?;
        rest = &rest[unit..];
    }
    if text.is_empty() { Err(wrong()) } else { Ok(total) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_kubectl_reads_them() {
        for (text, seconds) in
            [("0", 0.0), ("30", 30.0), ("5s", 5.0), ("1m30s", 90.0), ("1.5h", 5_400.0), ("250ms", 0.25)]
        {
            assert_eq!(duration(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "s", "5x", "5 s", "-5s", "1m30"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
