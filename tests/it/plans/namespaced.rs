//! A role in one namespace permits there what is refused elsewhere: pods, install plans.

use std::sync::{Arc, Mutex};

use oc_cockpit::actions::outcome::Rehearsal;
use oc_cockpit::actions::{
    ActionId, Ask, Found, Material, Read, Refusal, Session, Target, namespaces, offered, permissions, plan,
};
use oc_cockpit::cluster::execute::{Transport, rehearse};
use oc_cockpit::cluster::{Cluster, Reply, Request};
use oc_cockpit::sim::server::{Options, serve};
use oc_cockpit::upgrade::access::{Access, Answer, Permission};
use oc_cockpit::upgrade::assess::assess;
use oc_cockpit::upgrade::assessment::{Assessment, Resource};
use oc_cockpit::upgrade::facts::Facts;
use oc_cockpit::upgrade::link::Trouble;
use oc_cockpit::upgrade::memory::Memory;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::in_process::InProcess;
use super::lab::{Lab, resource};
use super::sample::Sample;
use super::simulated::{replanner, session};
use crate::support::sim::namespace;

const HOME: &str = "shop";
const ELSEWHERE: &str = "bank";

fn pod(place: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": format!("cart-{place}"), "namespace": place, "uid": format!("pod-{place}"), "ownerReferences": [
            { "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "cart", "uid": "rs", "controller": true }] },
        "spec": { "nodeName": "worker-3", "containers": [{ "name": "cart", "image": "quay.io/shop/cart:1" }] },
        "status": { "phase": "Running" },
    })
}

fn install_plan(place: &str) -> Value {
    json!({
        "apiVersion": "operators.coreos.com/v1alpha1", "kind": "InstallPlan",
        "metadata": { "name": format!("install-{place}"), "namespace": place },
        "spec": { "approval": "Manual", "approved": false, "clusterServiceVersionNames": ["cart.v2"] },
        "status": { "phase": "RequiresApproval" },
    })
}

/// The same in both namespaces.
fn sample() -> Sample {
    let mut sample = Sample::idle();
    for place in [HOME, ELSEWHERE] {
        sample.add(pod(place));
        sample.add(install_plan(place));
    }
    sample
}

fn wishes(place: &str) -> [Ask; 3] {
    let pod = || Target::Objects(vec![Resource::pod(place, &format!("cart-{place}"))]);
    let plan = resource("installplans.operators.coreos.com", place, &format!("install-{place}"));
    [
        Ask::new(ActionId::DeletePod, pod()),
        Ask::new(ActionId::EvictPod, pod()),
        Ask::new(ActionId::ApproveInstallPlan, Target::Objects(vec![plan])),
    ]
}

/// The rehearsal by somebody of whom the server was not asked yet what is permitted.
async fn rehearsed(lab: &Lab, client: &InProcess, wish: &Ask) -> Result<Rehearsal, Refusal> {
    let mut facts = (*lab.look().facts).clone();
    facts.access = Arc::default();
    let seen = assess(Arc::new(facts), &Memory::default(), lab.look().now);
    let plan = plan(&seen, &session(), wish, &Material::default())?;
    rehearse(client, plan.clone(), replanner(seen, plan)).await
}

#[tokio::test]
async fn what_one_namespace_permits_is_done_there_and_refused_elsewhere() {
    let sample = sample();
    let lab = Lab::new(&sample);
    let mut objects = sample.objects();
    objects.extend([HOME, ELSEWHERE].map(namespace));
    let server = serve(Options { objects, ..Options::default() }, None).await.unwrap();
    server.grant_viewer_in(HOME);
    let viewer = InProcess::new(server.service()).with_token(server.viewer_token());
    for wish in wishes(HOME) {
        let name = wish.action.name();
        let rehearsal = rehearsed(&lab, &viewer, &wish).await.unwrap_or_else(|Refusal(why)| panic!("{name}: {why}"));
        assert!(rehearsal.ok(), "{name}: {rehearsal:?}");
        let permitted = rehearsal.plan.preconditions.iter().find(|one| one.words.ends_with("in shop is permitted"));
        let evidence = permitted.map(|one| one.evidence.as_str()).unwrap_or_default();
        assert!(evidence.contains("-n shop: allowed by access review"), "{name}: {evidence}");
    }
    for wish in wishes(ELSEWHERE) {
        let name = wish.action.name();
        let Err(Refusal(why)) = rehearsed(&lab, &viewer, &wish).await else { panic!("{name} is planned") };
        assert!(why.contains("may not") && why.contains("in bank (oc auth can-i"), "{name}: {why}");
    }
    // Nobody asked for more than what the plans need.
    let asked = viewer.sent().into_iter().filter(|request| request.path.ends_with("selfsubjectaccessreviews")).count();
    assert!(asked > 0, "the server was asked");
}

/// Somebody who may drain nodes, but evict pods only where a role says so.
fn drainer(sample: &Sample, reviewed: bool) -> Assessment {
    let assessment = sample.assessment();
    let mut facts = (*assessment.facts).clone();
    let mut access = Access { user: Some("kim".into()), ..Access::default() };
    for permission in permissions() {
        if permission != EVICT {
            access.answers.insert(permission, Answer::Allowed);
        } else if reviewed {
            access.answers.insert(permission.clone(), Answer::Denied(String::new()));
            access.answers_in.insert((permission, HOME.to_owned()), Answer::Allowed);
        }
    }
    facts.access = Arc::new(access);
    assess(Arc::new(facts), &Memory::default(), assessment.now)
}

const EVICT: Permission = Permission { subresource: "eviction", ..Permission::cluster("create", "", "pods") };

/// The rehearsal of a drain by somebody who may evict in these namespaces; none: in all of them.
async fn drained(sample: &Sample, reviewed: bool, may: Option<&'static [&'static str]>) -> (String, Vec<String>) {
    let lab = Lab::new(sample);
    let seen = drainer(sample, reviewed);
    let ask = Ask::new(ActionId::DrainNodes, Target::Nodes(vec!["worker-3".into()]));
    let plan = plan(&seen, &session(), &ask, &Material::default()).unwrap();
    let client = Reviewed { inner: InProcess::new(lab.simulation.service()), may, asked: Mutex::default() };
    let words = match rehearse(&client, plan.clone(), replanner(seen, plan)).await {
        Err(Refusal(why)) => why,
        Ok(rehearsal) => {
            assert!(rehearsal.ok(), "{rehearsal:?}");
            let found = rehearsal.plan.preconditions.iter().filter(|one| one.words.starts_with("create "));
            found.map(|one| one.words.clone()).collect::<Vec<_>>().join("; ")
        }
    };
    (words, client.asked.into_inner().unwrap())
}

/// A server whose reviews of evictions say where they are permitted; it notes where it was asked.
struct Reviewed {
    inner: InProcess,
    may: Option<&'static [&'static str]>,
    asked: Mutex<Vec<String>>,
}

impl Transport for Reviewed {
    async fn send(&self, request: Request) -> Result<Reply, Trouble> {
        self.inner.send(request).await
    }

    async fn read(&self, read: &Read) -> Result<Found, Trouble> {
        let Read::Access { permission, namespace } = read else { return self.inner.read(read).await };
        assert_eq!(*permission, EVICT);
        self.asked.lock().unwrap().push(namespace.clone());
        let allowed = self.may.is_none_or(|may| may.contains(&namespace.as_str()));
        Ok(Found::Access(if allowed { Answer::Allowed } else { Answer::Denied(String::new()) }))
    }
}

#[tokio::test]
async fn a_drain_needs_evictions_only_where_pods_go() {
    let sample = sample();
    // In all namespaces: it is asked once, and nothing else.
    let (words, asked) = drained(&sample, false, None).await;
    assert_eq!((words.as_str(), asked), ("create pods/eviction is permitted", vec![String::new()]));
    // In those of its pods.
    let (words, asked) = drained(&sample, false, Some(&[HOME, ELSEWHERE])).await;
    let both = "create pods/eviction in bank is permitted; create pods/eviction in shop is permitted";
    assert_eq!((words.as_str(), asked), (both, vec![String::new(), ELSEWHERE.to_owned(), HOME.to_owned()]));
    // What the cockpit's own reviews have answered is not asked again.
    let (words, asked) = drained(&sample, true, Some(&[ELSEWHERE])).await;
    assert_eq!((words.as_str(), asked), (both, vec![ELSEWHERE.to_owned()]));
    // What is missing is named, all of it.
    let missing = |words: &str| {
        format!(
            "kim may not create pods/eviction in {words}, where pods of worker-3 have to go (oc auth can-i create pods --subresource=eviction -n {})",
            words.split(", ").next().unwrap()
        )
    };
    assert_eq!(drained(&sample, true, Some(&[HOME])).await.0, missing("bank"));
    assert_eq!(drained(&sample, false, Some(&[])).await.0, missing("bank, shop"));
    // Nothing to be evicted: nothing has to be permitted.
    let (words, asked) = drained(&Sample::idle(), true, Some(&[])).await;
    assert_eq!((words.as_str(), asked), ("", Vec::new()));
    // The menu does not refuse what may be permitted; what is refused everywhere it does.
    let offer = |assessment: &Assessment| {
        let offers = offered(assessment, &Session::default(), &Target::Nodes(vec!["worker-3".into()]));
        offers.into_iter().find(|offer| offer.action == ActionId::DrainNodes).unwrap().refusal
    };
    let mut assessment = drainer(&sample, true);
    assert_eq!(offer(&assessment), None);
    let mut facts = (*assessment.facts).clone();
    Arc::make_mut(&mut facts.access).answers_in.clear();
    assessment = assess(Arc::new(facts), &Memory::default(), assessment.now);
    assert!(offer(&assessment).unwrap().0.contains("kim may not create pods/eviction"));
}

/// What the reviews of a viewer with a role at home say.
fn seen() -> Assessment {
    let mut facts = (*sample().assessment().facts).clone();
    let mut access = Access { user: Some("kim".into()), ..Access::default() };
    for permission in permissions() {
        let looks = !permission.writes();
        let answer = if looks { Answer::Allowed } else { Answer::Denied(String::new()) };
        if permission.is_by_namespace() && !looks {
            access.answers_in.insert((permission.clone(), HOME.to_owned()), Answer::Allowed);
            access.answers_in.insert((permission.clone(), ELSEWHERE.to_owned()), Answer::Denied(String::new()));
        }
        access.answers.insert(permission, answer);
    }
    facts.access = Arc::new(access);
    let now = sample().assessment().now;
    assess(Arc::new(facts), &Memory::default(), now)
}

#[test]
fn the_menu_offers_at_home_what_it_does_not_elsewhere() {
    let assessment = seen();
    for (place, open) in [(HOME, true), (ELSEWHERE, false)] {
        for wish in wishes(place) {
            let offers = offered(&assessment, &Session::default(), &wish.target);
            let offer = offers.iter().find(|offer| offer.action == wish.action).unwrap();
            assert_eq!(offer.refusal.is_none(), open, "{} in {place}: {:?}", wish.action.name(), offer.refusal);
        }
    }
    let nothing = Access::default();
    let all = permissions();
    assert!(!nothing.refuses_all(&all), "nothing was asked yet");
    assert!(!assessment.facts.access.refuses_all(all.iter().filter(|one| one.writes())), "something can be written");
}

#[test]
fn a_namespace_that_was_not_asked_for_is_asked_for_by_the_plan() {
    let assessment = seen();
    let [delete, ..] = wishes("other");
    let material = Material::default();
    let plan = plan(&assessment, &Session::default(), &delete, &material).unwrap();
    let asks = |read: &Read| matches!(read, Read::Access { namespace, .. } if namespace == "other");
    assert!(plan.reads.iter().any(asks) && plan.writes.is_empty(), "{:?}", plan.reads);
}

#[test]
fn namespaces_that_matter_are_those_of_install_plans() {
    assert_eq!(namespaces(&seen().facts), [ELSEWHERE, HOME]);
}

#[tokio::test]
async fn the_cockpits_own_client_asks_in_the_namespaces_that_there_are() {
    let mut objects = sample().objects();
    objects.extend([HOME, ELSEWHERE].map(namespace));
    let server = serve(Options { objects, ..Options::default() }, None).await.unwrap();
    server.grant_viewer_in(HOME);
    let token: http::HeaderValue = format!("Bearer {}", server.viewer_token()).parse().unwrap();
    let service = server.service().map_request(move |mut request: http::Request<kube::client::Body>| {
        request.headers_mut().insert(http::header::AUTHORIZATION, token.clone());
        request
    });
    let cluster = Cluster::start_in_process(kube::Client::new(service, "default"));
    let mut facts = cluster.facts();
    let reviewed = |facts: &Facts| permissions().iter().all(|one| facts.access.answer(one).is_some());
    let limit = std::time::Duration::from_secs(30);
    let seen = tokio::time::timeout(limit, facts.wait_for(|facts| reviewed(facts))).await.unwrap().unwrap().clone();
    let all = permissions();
    for permission in all.iter().filter(|one| one.is_by_namespace() && one.writes()) {
        assert!(matches!(seen.access.answer(permission), Some(Answer::Denied(_))), "{permission:?}");
        assert_eq!(seen.access.answer_in(permission, HOME), Some(&Answer::Allowed), "{permission:?}");
        assert!(matches!(seen.access.answer_in(permission, ELSEWHERE), Some(Answer::Denied(_))), "{permission:?}");
    }
    assert!(!seen.access.refuses_all(all.iter().filter(|one| one.writes())), "it is not read-only");
}
