//! Requests without the cockpit: the yardstick, and the hand that changes something.

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use http::Request;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use oc_cockpit::clock::instant;
use tokio::runtime::{Builder, Runtime};

/// The lists that the cockpit reads, plain and unpaged.
const LISTS: [&str; 6] = [
    "/apis/config.openshift.io/v1/clusterversions",
    "/apis/config.openshift.io/v1/clusteroperators",
    "/apis/machineconfiguration.openshift.io/v1/machineconfigpools",
    "/apis/machineconfiguration.openshift.io/v1/machineconfignodes",
    "/api/v1/nodes",
    "/apis/machineconfiguration.openshift.io/v1/machineconfigs",
];

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

async fn client(kubeconfig: &Path) -> Client {
    let file = Kubeconfig::read_from(kubeconfig).unwrap();
    let options = KubeConfigOptions { context: Some("admin".to_owned()), ..KubeConfigOptions::default() };
    Client::try_from(Config::from_custom_kubeconfig(file, &options).await.unwrap()).unwrap()
}

/// How long concurrent GETs of all lists take, connections included.
pub fn lists(kubeconfig: &Path) -> Duration {
    runtime().block_on(async {
        let client = client(kubeconfig).await;
        let began = instant();
        let gets = LISTS.map(|path| {
            let mut request = Request::get(path);
            if path.ends_with("machineconfigs") {
                let partial = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
                request = request.header("Accept", partial);
            }
            client.request_text(request.body(Vec::new()).unwrap())
        });
        for answer in futures::future::join_all(gets).await {
            assert!(!answer.unwrap().is_empty());
        }
        instant() - began
    })
}

/// Writes the lists into files of a folder.
pub fn dump(kubeconfig: &Path, folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    runtime().block_on(async {
        let client = client(kubeconfig).await;
        for path in LISTS {
            let text = client.request_text(Request::get(path).body(Vec::new()).unwrap()).await.unwrap();
            let name = path.rsplit('/').next().unwrap();
            std::fs::write(folder.join(name).with_extension("json"), text).unwrap();
        }
    });
}

/// Somebody who changes the cluster.
pub struct Admin {
    runtime: Runtime,
    client: Client,
    requests: RefCell<Vec<Duration>>,
}

impl Admin {
    pub fn new(kubeconfig: &Path) -> Self {
        let runtime = runtime();
        let client = runtime.block_on(client(kubeconfig));
        Self { runtime, client, requests: RefCell::default() }
    }

    pub fn set_kubelet_version(&self, node: &str, version: &str) {
        let body = serde_json::json!({"status": {"nodeInfo": {"kubeletVersion": version}}});
        let request = Request::patch(format!("/api/v1/nodes/{node}/status"))
            .header("Content-Type", "application/merge-patch+json")
            .body(body.to_string().into_bytes())
            .unwrap();
        let began = instant();
        self.runtime.block_on(self.client.request_text(request)).unwrap();
        self.requests.borrow_mut().push(instant() - began);
    }

    pub fn median_request(&self) -> Duration {
        let mut requests = self.requests.borrow().clone();
        requests.sort_unstable();
        requests[requests.len() / 2]
    }
}
