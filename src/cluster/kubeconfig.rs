//! The kubeconfig, read as every Kubernetes tool reads it, and refused in words that name the file and what was
//! expected.
//!
//! `--kubeconfig` names the only file; else `KUBECONFIG` lists files that are merged (the first to name a thing wins,
//! missing files are passed over); else `~/.kube/config`; else the service account of the pod we run in. Relative paths
//! are resolved against the file that names them. Every file that is referred to is read here once and carried inline:
//! whatever cannot be read is told with its name, and one list of files says what to look at for changes.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kube::config::{AuthInfo, Cluster, Kubeconfig, KubeconfigError};
use secrecy::SecretString;

use super::connection::{Connection, Context};
use super::options::Options;
use super::trouble::short;

/// Where a pod finds its service account (Kubernetes: `serviceaccount` admission, `rest.InClusterConfig`).
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// Name of the context that stands for the pod's service account.
const IN_CLUSTER: &str = "in-cluster";

/// What the process' environment says; taken apart from it so that tests need not change theirs.
#[derive(Debug, Clone, Default)]
pub(super) struct Environment {
    /// `KUBECONFIG`, split.
    pub kubeconfig: Vec<PathBuf>,
    /// `~`.
    pub home: Option<PathBuf>,
    /// `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`.
    pub service: Option<(String, String)>,
    /// Where the pod's service account lies.
    pub service_account: PathBuf,
}

impl Environment {
    /// The one of this process.
    pub fn of_process() -> Self {
        let kubeconfig = std::env::var_os("KUBECONFIG")
            .map(|value| std::env::split_paths(&value).filter(|path| !path.as_os_str().is_empty()).collect())
            .unwrap_or_default();
        let service = std::env::var("KUBERNETES_SERVICE_HOST").ok().zip(std::env::var("KUBERNETES_SERVICE_PORT").ok());
        let home = directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned());
        Self { kubeconfig, home, service, service_account: PathBuf::from(SERVICE_ACCOUNT) }
    }
}

/// One context, ready to make a client of.
#[derive(Debug, Clone, Default)]
pub(super) struct Chosen {
    /// What to show.
    pub connection: Connection,
    /// Server, CA (inline), proxy.
    pub cluster: Cluster,
    /// Credentials (inline), or the plugin that has them.
    pub user: AuthInfo,
    /// Files whose change means that all this has to be read again.
    pub watched: Vec<PathBuf>,
    /// Equal when nothing changed that a client depends on. A hash: no secret is kept for the comparison.
    pub fingerprint: u64,
}

/// Why there is no choice: `error` of the connection is set, the rest is filled as far as it is known.
pub(super) type Refused = Box<Connection>;

/// Reads what `options` and `environment` name, and chooses `context` (none: that of `options`, else the file's current
/// one).
pub(super) fn read(options: &Options, environment: &Environment, context: Option<&str>) -> Result<Chosen, Refused> {
    let mut connection = Connection::default();
    match choose(options, environment, context, &mut connection) {
        Ok((cluster, user, referred)) => {
            // Those that do not exist yet, too: the first of a list wins as soon as it does.
            let mut watched = candidates(options, environment);
            watched.extend(referred);
            let fingerprint = fingerprint(&cluster, &user);
            Ok(Chosen { connection, cluster, user, watched, fingerprint })
        }
        Err(words) => {
            connection.error = Some(words);
            Err(Box::new(connection))
        }
    }
}

type Parts = (Cluster, AuthInfo, Vec<PathBuf>);

fn choose(
    options: &Options,
    environment: &Environment,
    context: Option<&str>,
    connection: &mut Connection,
) -> Result<Parts, String> {
    let kubeconfig = load(options, environment, &mut connection.files)?;
    connection.contexts = contexts(&kubeconfig);
    let asked = context.or(options.context.as_deref()).filter(|name| !name.is_empty());
    let wanted = asked.map(ToOwned::to_owned).or_else(|| kubeconfig.current_context.clone());
    let Some(wanted) = wanted else {
        return without_context(options, environment, connection);
    };
    if wanted == IN_CLUSTER && environment.service.is_some() && !connection.contexts.iter().any(|c| c.name == wanted) {
        return in_cluster(options, environment, connection);
    }
    connection.context.clone_from(&wanted);
    let files = files_in_words(&connection.files);
    let named = kubeconfig.contexts.iter().find(|named| named.name == wanted).ok_or_else(|| {
        let all: Vec<&str> = connection.contexts.iter().map(|context| context.name.as_str()).collect();
        format!("no context is named \"{wanted}\" in {files}; it has: {}", list_in_words(&all))
    })?;
    let inner = named.context.clone().unwrap_or_default();
    connection.cluster = options.cluster.clone().unwrap_or(inner.cluster);
    connection.user = options.user.clone().or(inner.user).unwrap_or_default();

    let mut cluster = kubeconfig
        .clusters
        .iter()
        .find(|named| named.name == connection.cluster)
        .and_then(|named| named.cluster.clone())
        .ok_or_else(|| {
            format!("context \"{wanted}\" names the cluster \"{}\", which {files} does not have", connection.cluster)
        })?;
    let user = kubeconfig.auth_infos.iter().find(|named| named.name == connection.user);
    if user.is_none() && !connection.user.is_empty() && options.token.is_none() {
        return Err(format!(
            "context \"{wanted}\" names the user \"{}\", which {files} does not have",
            connection.user
        ));
    }
    let mut user = user.and_then(|named| named.auth_info.clone()).unwrap_or_default();
    override_with(options, &mut cluster, &mut user);
    finish(cluster, user, connection)
}

/// The files that may hold the kubeconfig, whether they exist or not.
pub(super) fn candidates(options: &Options, environment: &Environment) -> Vec<PathBuf> {
    if let Some(path) = &options.kubeconfig {
        return vec![path.clone()];
    }
    if !environment.kubeconfig.is_empty() {
        return environment.kubeconfig.clone();
    }
    environment.home.iter().map(|home| home.join(".kube").join("config")).collect()
}

/// The files, merged.
fn load(options: &Options, environment: &Environment, files: &mut Vec<PathBuf>) -> Result<Kubeconfig, String> {
    if let Some(path) = &options.kubeconfig {
        files.push(path.clone());
        return one(path);
    }
    let mut merged = Kubeconfig::default();
    for path in candidates(options, environment) {
        if !path.exists() {
            continue;
        }
        let next = one(&path)?;
        merged = merged
            .merge(next)
            .map_err(|error| format!("{} does not fit the files before it in KUBECONFIG: {error}", path.display()))?;
        files.push(path);
    }
    Ok(merged)
}

fn one(path: &Path) -> Result<Kubeconfig, String> {
    let shown = path.display();
    let mut kubeconfig = Kubeconfig::read_from(path).map_err(|error| match error {
        KubeconfigError::ReadConfig(error, _) if error.kind() == std::io::ErrorKind::NotFound => {
            format!("the kubeconfig {shown} does not exist")
        }
        KubeconfigError::ReadConfig(error, _) => format!("the kubeconfig {shown} cannot be read: {error}"),
        // Without the snippet: it would show a piece of the file, and tokens are in there.
        KubeconfigError::Parse(error) => {
            format!(
                "the kubeconfig {shown} is not the YAML of a kubeconfig: {}",
                short(&error.without_snippet().to_string())
            )
        }
        other => format!("the kubeconfig {shown} is not valid: {other}"),
    })?;
    if let Some(kind) = &kubeconfig.kind
        && kind != "Config"
    {
        return Err(format!("{shown} is not a kubeconfig: its kind is {}, expected Config", short(kind)));
    }
    kubeconfig.current_context = kubeconfig.current_context.filter(|name| !name.is_empty());
    Ok(kubeconfig)
}

fn contexts(kubeconfig: &Kubeconfig) -> Vec<Context> {
    let server_of = |name: &str| {
        let found = kubeconfig.clusters.iter().find(|named| named.name == name);
        found.and_then(|named| named.cluster.as_ref()?.server.clone()).unwrap_or_default()
    };
    let one = |named: &kube::config::NamedContext| {
        let inner = named.context.clone().unwrap_or_default();
        let server = server_of(&inner.cluster);
        Context { name: named.name.clone(), cluster: inner.cluster, user: inner.user.unwrap_or_default(), server }
    };
    kubeconfig.contexts.iter().map(one).collect()
}

/// No context was asked for and none is current: a server on the command line, the pod's service account, or words.
fn without_context(options: &Options, environment: &Environment, connection: &mut Connection) -> Result<Parts, String> {
    if options.server.is_some() {
        let (mut cluster, mut user) = (Cluster::default(), AuthInfo::default());
        override_with(options, &mut cluster, &mut user);
        return finish(cluster, user, connection);
    }
    if environment.service.is_some() && options.kubeconfig.is_none() {
        return in_cluster(options, environment, connection);
    }
    if !connection.contexts.is_empty() {
        let all: Vec<&str> = connection.contexts.iter().map(|context| context.name.as_str()).collect();
        let files = files_in_words(&connection.files);
        return Err(format!("{files} has no current-context; pass --context with one of: {}", list_in_words(&all)));
    }
    let found = if connection.files.is_empty() {
        let looked = if environment.kubeconfig.is_empty() {
            "~/.kube/config does not exist and KUBECONFIG is not set".to_owned()
        } else {
            format!("KUBECONFIG names {}, which does not exist", files_in_words(&environment.kubeconfig))
        };
        format!("no kubeconfig was found: {looked}")
    } else {
        format!("{} has no contexts", files_in_words(&connection.files))
    };
    Err(format!("{found}. Log in with `oc login`, pass --kubeconfig FILE, or look around with `oc-cockpit demo`"))
}

fn in_cluster(options: &Options, environment: &Environment, connection: &mut Connection) -> Result<Parts, String> {
    let (host, port) = environment.service.clone().unwrap_or_default();
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let directory = &environment.service_account;
    let path = |name: &str| directory.join(name).to_string_lossy().into_owned();
    let mut cluster = Cluster {
        server: Some(format!("https://{host}:{port}")),
        certificate_authority: Some(path("ca.crt")),
        ..Cluster::default()
    };
    let mut user = AuthInfo { token_file: Some(path("token")), ..AuthInfo::default() };
    IN_CLUSTER.clone_into(&mut connection.context);
    IN_CLUSTER.clone_into(&mut connection.cluster);
    "service account".clone_into(&mut connection.user);
    override_with(options, &mut cluster, &mut user);
    finish(cluster, user, connection)
}

fn override_with(options: &Options, cluster: &mut Cluster, user: &mut AuthInfo) {
    if let Some(server) = &options.server {
        cluster.server = Some(server.clone());
    }
    if options.insecure_skip_tls_verify {
        cluster.insecure_skip_tls_verify = Some(true);
        cluster.certificate_authority = None;
        cluster.certificate_authority_data = None;
    }
    if let Some(path) = &options.certificate_authority {
        cluster.certificate_authority = Some(path.to_string_lossy().into_owned());
        cluster.certificate_authority_data = None;
    }
    if let Some(token) = &options.token {
        // Instead of whatever the kubeconfig names, as kubectl does.
        *user = AuthInfo {
            token: Some(SecretString::from(token.0.clone())),
            impersonate: user.impersonate.take(),
            impersonate_groups: user.impersonate_groups.take(),
            ..AuthInfo::default()
        };
    }
    if let Some(name) = &options.impersonate {
        user.impersonate = Some(name.clone());
        user.impersonate_groups = None;
    }
    if !options.impersonate_groups.is_empty() {
        user.impersonate_groups = Some(options.impersonate_groups.clone());
    }
}

/// Checks the server and reads every file that is referred to.
fn finish(mut cluster: Cluster, mut user: AuthInfo, connection: &mut Connection) -> Result<Parts, String> {
    let server = cluster.server.clone().filter(|server| !server.is_empty()).ok_or_else(|| {
        format!(
            "the cluster \"{}\" has no server; expected a URL such as https://api.example.com:6443",
            connection.cluster
        )
    })?;
    let valid = server.parse::<http::Uri>().is_ok_and(|uri| {
        uri.host().is_some_and(|host| !host.is_empty()) && matches!(uri.scheme_str(), Some("https" | "http"))
    });
    if !valid {
        let shown = short(&server);
        return Err(format!("the server \"{shown}\" is not a URL such as https://api.example.com:6443"));
    }
    connection.server = server;

    let mut referred = Vec::new();
    let cluster_name = format!("cluster \"{}\"", connection.cluster);
    let user_name = format!("user \"{}\"", connection.user);
    inline(
        &mut cluster.certificate_authority_data,
        cluster.certificate_authority.take(),
        &mut referred,
        (&cluster_name, "certificate-authority"),
    )?;
    inline(
        &mut user.client_certificate_data,
        user.client_certificate.take(),
        &mut referred,
        (&user_name, "client-certificate"),
    )?;
    let mut key = user.client_key_data.take().map(|key| secrecy::ExposeSecret::expose_secret(&key).to_owned());
    inline(&mut key, user.client_key.take(), &mut referred, (&user_name, "client-key"))?;
    user.client_key_data = key.map(SecretString::from);
    if let Some(path) = user.token_file.take() {
        let token = contents(&path, (&user_name, "tokenFile"))?;
        let token = String::from_utf8(token).map_err(|_| format!("{path} ({user_name}, tokenFile) is not text"))?;
        // A token in a file ends with a newline more often than not; in a header that would be refused.
        user.token = Some(SecretString::from(token.trim().to_owned()));
        referred.push(PathBuf::from(path));
    }
    if let Some(exec) = &mut user.exec
        && exec.provide_cluster_info
    {
        let info = kube::config::ExecAuthCluster::try_from(&cluster);
        exec.cluster = Some(info.map_err(|error| format!("{cluster_name} cannot be told to the plugin: {error}"))?);
    }
    Ok((cluster, user, referred))
}

/// Puts the content of the file at `path` into `data`, unless there are data already (they win, as in client-go).
fn inline(
    data: &mut Option<String>,
    path: Option<String>,
    referred: &mut Vec<PathBuf>,
    what: (&str, &str),
) -> Result<(), String> {
    *data = data.take().filter(|data| !data.is_empty());
    if let Some(data) = data {
        let (of, field) = what;
        if BASE64.decode(data.trim()).is_err() {
            return Err(format!("{field}-data of {of} is not base64"));
        }
        return Ok(());
    }
    if let Some(path) = path.filter(|path| !path.is_empty()) {
        *data = Some(BASE64.encode(contents(&path, what)?));
        referred.push(PathBuf::from(path));
    }
    Ok(())
}

fn contents(path: &str, (of, field): (&str, &str)) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("{path}, which {of} names as {field}, does not exist"),
        _ => format!("{path}, which {of} names as {field}, cannot be read: {error}"),
    })
}

fn fingerprint(cluster: &Cluster, user: &AuthInfo) -> u64 {
    let mut hasher = DefaultHasher::new();
    // Maps inside are small and made anew by each reading: their order may differ, so they are compared as values.
    let value = serde_json::json!([cluster, user]);
    value.to_string().hash(&mut hasher);
    hasher.finish()
}

fn files_in_words(files: &[PathBuf]) -> String {
    if files.is_empty() {
        return "the kubeconfig".to_owned();
    }
    files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(" and ")
}

fn list_in_words(all: &[&str]) -> String {
    const SHOWN: usize = 12;
    let mut words = all.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if all.len() > SHOWN {
        words.push_str(", …");
    }
    if words.is_empty() { "none".to_owned() } else { words }
}

#[cfg(test)]
mod tests;
