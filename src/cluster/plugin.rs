//! Credential plugins of the kubeconfig (`exec`), run once per need, off every other thread, never interactive.
//!
//! kube runs a plugin three times while it builds one client, blocks a thread for as long as it takes, and lets it
//! write on the screen. Here it is a child process with closed input, collected output and a limit, killed when nobody
//! waits for it any more; what it answers is put inline into the credentials.
//! Protocol: `client.authentication.k8s.io/v1`, `ExecCredential`.

use std::process::Stdio;
use std::time::Duration;

use chrono::{DateTime, Utc};
use kube::config::{AuthInfo, ExecConfig};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use tokio::process::Command;

use super::trouble::short;

/// How long a plugin may think. Some wait for a browser; nobody looks at one here.
const LIMIT: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
struct Credential {
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<DateTime<Utc>>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// Replaces the plugin in `user` by what it answers. Returns when that expires, if it says so.
pub(super) async fn resolve(user: &mut AuthInfo) -> Result<Option<DateTime<Utc>>, String> {
    // A token, a certificate or a password beside a plugin wins, as in client-go.
    let inline = user.token.is_some() || (user.username.is_some() && user.password.is_some());
    let Some(exec) = user.exec.take().filter(|_| !inline) else { return Ok(None) };
    let status = run(&exec).await?;
    user.token = status.token.filter(|token| !token.is_empty()).map(SecretString::from);
    if let (Some(certificate), Some(key)) = (status.client_certificate_data, status.client_key_data) {
        use base64::Engine as _;
        let encode = |pem: String| base64::engine::general_purpose::STANDARD.encode(pem);
        user.client_certificate_data = Some(encode(certificate));
        user.client_key_data = Some(SecretString::from(encode(key)));
    } else if user.token.is_none() {
        return Err(format!("the credential plugin {} gave neither a token nor a certificate", name(&exec)));
    }
    Ok(status.expiration_timestamp)
}

async fn run(exec: &ExecConfig) -> Result<Status, String> {
    let shown = name(exec);
    let mut command = Command::new(exec.command.as_deref().ok_or("a credential plugin without a command")?);
    command.args(exec.args.iter().flatten());
    for pair in exec.env.iter().flatten() {
        if let (Some(name), Some(value)) = (pair.get("name"), pair.get("value")) {
            command.env(name, value);
        }
    }
    let mut spec = json!({ "interactive": false });
    if let Some(cluster) = exec.cluster.as_ref().filter(|_| exec.provide_cluster_info) {
        spec["cluster"] = json!(cluster);
    }
    let info = json!({ "apiVersion": exec.api_version, "kind": "ExecCredential", "spec": spec });
    command.env("KUBERNETES_EXEC_INFO", info.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);

    let child = command.spawn().map_err(|error| not_started(exec, &error))?;
    let output = tokio::time::timeout(LIMIT, child.wait_with_output())
        .await
        .map_err(|_| {
            format!("the credential plugin {shown} gave no answer within {} s; run it once in a shell", LIMIT.as_secs())
        })?
        .map_err(|error| format!("the credential plugin {shown} failed: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().map(str::trim).find(|line| !line.is_empty()).map(short).unwrap_or_default();
        let said = if said.is_empty() { output.status.to_string() } else { said };
        return Err(format!(
            "the credential plugin {shown} failed: {said}. Run it once in a shell: here it may not ask"
        ));
    }
    let credential: Credential = serde_json::from_slice(&output.stdout)
        .map_err(|_| format!("the credential plugin {shown} did not answer with an ExecCredential in JSON"))?;
    credential.status.ok_or_else(|| format!("the credential plugin {shown} answered without a status"))
}

fn not_started(exec: &ExecConfig, error: &std::io::Error) -> String {
    let shown = name(exec);
    let hint = exec.install_hint.as_deref().map(|hint| format!(": {}", short(hint))).unwrap_or_default();
    if error.kind() == std::io::ErrorKind::NotFound {
        format!("the credential plugin {shown} is not installed{hint}")
    } else {
        format!("the credential plugin {shown} cannot be started: {error}")
    }
}

fn name(exec: &ExecConfig) -> String {
    format!("`{}`", short(exec.command.as_deref().unwrap_or_default()))
}
