//! Kubeconfigs, right and wrong.

use std::sync::atomic::{AtomicU32, Ordering};

use secrecy::ExposeSecret as _;

use super::*;
use crate::cluster::Token;

/// A folder of its own, removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("oc-cockpit-kubeconfig-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

const PROD: &str = "
apiVersion: v1
kind: Config
current-context: prod
clusters:
- {name: prod, cluster: {server: 'https://api.prod:6443'}}
contexts:
- {name: prod, context: {cluster: prod, user: admin}}
users:
- {name: admin, user: {token: secret-of-prod}}
";

const TEST: &str = "
apiVersion: v1
kind: Config
current-context: test
clusters:
- {name: prod, cluster: {server: 'https://api.other:6443'}}
- {name: test, cluster: {server: 'https://api.test:6443'}}
contexts:
- {name: test, context: {cluster: test, user: tester}}
users:
- {name: tester, user: {}}
";

fn at(paths: &[&PathBuf]) -> Environment {
    Environment { kubeconfig: paths.iter().map(|path| (*path).clone()).collect(), ..Environment::default() }
}

fn chosen(options: &Options, environment: &Environment) -> Chosen {
    read(options, environment, None).unwrap_or_else(|connection| panic!("{:?}", connection.error))
}

/// Why there is no choice.
fn refused(options: &Options, environment: &Environment) -> String {
    read(options, environment, None).map(|_| ()).unwrap_err().error.unwrap()
}

fn refused_file(text: &str) -> (String, String) {
    let folder = Folder::new();
    let path = folder.file("config", text);
    let words = refused(&Options { kubeconfig: Some(path.clone()), ..Options::default() }, &Environment::default());
    (words, path.display().to_string())
}

fn token(chosen: &Chosen) -> &str {
    chosen.user.token.as_ref().map_or("", |token| token.expose_secret())
}

#[test]
fn files_are_merged_and_the_first_to_name_a_thing_wins() {
    let folder = Folder::new();
    let (prod, test) = (folder.file("prod", PROD), folder.file("test", TEST));
    let missing = folder.0.join("missing");
    let chosen = chosen(&Options::default(), &at(&[&missing, &prod, &test]));
    assert_eq!(chosen.connection.context, "prod");
    assert_eq!(chosen.connection.server, "https://api.prod:6443");
    assert_eq!(chosen.connection.user, "admin");
    let names: Vec<_> = chosen.connection.contexts.iter().map(|context| context.name.as_str()).collect();
    assert_eq!(names, ["prod", "test"]);
    assert_eq!(chosen.connection.files, [prod, test]);
    assert_eq!(token(&chosen), "secret-of-prod");
}

#[test]
fn flags_override_what_the_files_say() {
    let folder = Folder::new();
    let (prod, test) = (folder.file("prod", PROD), folder.file("test", TEST));
    let options = Options {
        context: Some("test".to_owned()),
        cluster: Some("prod".to_owned()),
        user: Some("admin".to_owned()),
        server: Some("https://127.0.0.1:1".to_owned()),
        impersonate: Some("eve".to_owned()),
        impersonate_groups: vec!["ops".to_owned()],
        insecure_skip_tls_verify: true,
        ..Options::default()
    };
    let chosen = chosen(&options, &at(&[&prod, &test]));
    assert_eq!((chosen.connection.cluster.as_str(), chosen.connection.user.as_str()), ("prod", "admin"));
    assert_eq!(chosen.connection.server, "https://127.0.0.1:1");
    assert_eq!(chosen.cluster.insecure_skip_tls_verify, Some(true));
    assert_eq!(chosen.user.impersonate.as_deref(), Some("eve"));
    assert_eq!(chosen.user.impersonate_groups, Some(vec!["ops".to_owned()]));
}

#[test]
fn a_token_on_the_command_line_replaces_other_credentials_and_is_not_shown() {
    let folder = Folder::new();
    let path = folder.file("prod", &PROD.replace("{token: secret-of-prod}", "{exec: {command: never-run}}"));
    let options = Options { token: Some(Token::from("mine")), ..Options::default() };
    let chosen = chosen(&options, &at(&[&path]));
    assert_eq!(token(&chosen), "mine");
    assert!(chosen.user.exec.is_none());
    assert!(!format!("{options:?}").contains("mine"));
}

#[test]
fn relative_paths_belong_to_the_file_that_names_them() {
    let folder = Folder::new();
    folder.file("deep/token", "from-a-file\n");
    let path = folder.file("deep/config", &PROD.replace("token: secret-of-prod", "tokenFile: token"));
    let chosen = chosen(&Options::default(), &at(&[&path]));
    assert_eq!(token(&chosen), "from-a-file", "without the newline that no header may hold");
    assert!(chosen.watched.contains(&folder.0.join("deep/token")), "{:?}", chosen.watched);
}

#[test]
fn only_what_a_client_depends_on_counts_as_a_change() {
    let folder = Folder::new();
    let path = folder.file("prod", PROD);
    let read =
        || chosen(&Options { context: Some("prod".to_owned()), ..Options::default() }, &at(&[&path])).fingerprint;
    let before = read();
    folder.file("prod", &PROD.replace("current-context: prod", "current-context: other"));
    assert_eq!(read(), before);
    folder.file("prod", &PROD.replace("secret-of-prod", "a-new-one"));
    assert_ne!(read(), before);
}

#[test]
fn a_pod_uses_its_service_account() {
    let folder = Folder::new();
    folder.file("ca.crt", "PEM");
    folder.file("token", "pods-token");
    let environment = Environment {
        service: Some(("fd00::1".to_owned(), "443".to_owned())),
        service_account: folder.0.clone(),
        ..Environment::default()
    };
    let chosen = chosen(&Options::default(), &environment);
    assert_eq!(
        (chosen.connection.context.as_str(), chosen.connection.server.as_str()),
        ("in-cluster", "https://[fd00::1]:443")
    );
    assert_eq!(token(&chosen), "pods-token");
}

#[test]
fn no_kubeconfig_at_all_points_to_the_demo() {
    let folder = Folder::new();
    let home = Environment { home: Some(folder.0.clone()), ..Environment::default() };
    let words = refused(&Options::default(), &home);
    assert!(words.contains("~/.kube/config does not exist and KUBECONFIG is not set"), "{words}");
    assert!(words.contains("oc-cockpit demo"), "{words}");
    let missing = folder.0.join("missing");
    let words = refused(&Options::default(), &at(&[&missing]));
    assert!(words.contains("missing, which does not exist") && words.contains("oc-cockpit demo"), "{words}");
}

#[test]
fn what_is_wrong_is_said_with_its_file_and_what_was_expected() {
    let missing = Options { kubeconfig: Some(PathBuf::from("/nowhere/config")), ..Options::default() };
    assert_eq!(refused(&missing, &Environment::default()), "the kubeconfig /nowhere/config does not exist");

    let (words, path) = refused_file("users: [{name: a, user: {token: very-secret, exec: 3");
    assert!(words.starts_with(&format!("the kubeconfig {path} is not the YAML of a kubeconfig: ")), "{words}");
    assert!(!words.contains("very-secret"), "{words}");

    let (words, path) = refused_file("{apiVersion: v1, kind: Pod}");
    assert_eq!(words, format!("{path} is not a kubeconfig: its kind is Pod, expected Config"));

    let (words, path) = refused_file("{apiVersion: v1, kind: Config}");
    assert!(words.starts_with(&format!("{path} has no contexts. ")), "{words}");

    let (words, path) = refused_file(&PROD.replace("current-context: prod", "current-context: ''"));
    assert_eq!(words, format!("{path} has no current-context; pass --context with one of: prod"));

    let (words, path) = refused_file(&PROD.replace("current-context: prod", "current-context: nope"));
    assert_eq!(words, format!("no context is named \"nope\" in {path}; it has: prod"));

    let (words, path) = refused_file(&PROD.replace("cluster: prod, user", "cluster: gone, user"));
    assert_eq!(words, format!("context \"prod\" names the cluster \"gone\", which {path} does not have"));

    let (words, path) = refused_file(&PROD.replace("user: admin", "user: nobody"));
    assert_eq!(words, format!("context \"prod\" names the user \"nobody\", which {path} does not have"));

    let (words, _) = refused_file(&PROD.replace("https://api.prod:6443", "api.prod:6443"));
    assert_eq!(words, "the server \"api.prod:6443\" is not a URL such as https://api.example.com:6443");

    let (words, path) = refused_file(&PROD.replace("{server:", "{certificate-authority: ca.pem, server:"));
    let ca = Path::new(&path).with_file_name("ca.pem");
    let expected = format!("{}, which cluster \"prod\" names as certificate-authority, does not exist", ca.display());
    assert_eq!(words, expected);

    let (words, _) = refused_file(&PROD.replace("{server:", "{certificate-authority-data: '%%', server:"));
    assert_eq!(words, "certificate-authority-data of cluster \"prod\" is not base64");
}
