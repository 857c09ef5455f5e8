//! `apps/v1 Deployment`: the image that a component of the platform runs.

use super::lens::{kind, part};
use super::metadata::Keeps;

kind! {
    /// A Deployment.
    pub struct Deployment in "apps" / "v1" as "deployments", NamespaceResourceScope {
        metadata: Keeps::NOTHING,
        /// What was asked for.
        "spec" => pub spec: DeploymentSpec,
        /// What is.
        "status" => pub status: DeploymentStatus,
    }
}

impl Deployment {
    /// The image of a container.
    pub fn image(&self, container: &str) -> Option<&str> {
        let containers = &self.spec.template.spec.containers;
        containers.iter().find(|one| one.name == container).map(|one| one.image.as_str())
    }
}

part! {
    /// What was asked for.
    pub struct DeploymentSpec {
        /// The pods.
        "template" => pub template: PodTemplate,
    }
}

part! {
    /// The pods of a Deployment.
    pub struct PodTemplate {
        /// What is asked of them.
        "spec" => pub spec: PodTemplateSpec,
    }
}

part! {
    /// What is asked of the pods.
    pub struct PodTemplateSpec {
        /// Containers.
        "containers" => pub containers: Vec<ContainerSpec>,
    }
}

part! {
    /// A container.
    pub struct ContainerSpec {
        /// Name.
        "name" => pub name: String,
        /// Image.
        "image" => pub image: String,
    }
}

part! {
    /// What is.
    pub struct DeploymentStatus {
        /// Pods that are available.
        "availableReplicas" => pub available: i64,
    }
}
