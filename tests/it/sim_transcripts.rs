//! Recorded exchanges of a real API server agree with the simulated one.
//!
//! The recordings lie beside the project and are not part of it; where they are absent, every test says so and passes.

use std::path::PathBuf;

use http::Method;
use oc_cockpit::sim::kinds::Res;
use oc_cockpit::sim::server::{Options, Simulation};
use serde_json::{Value, json};

use crate::support::sim::{Answer, ask, simulation, small_cluster};

/// A recorded exchange.
struct Recorded {
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
    answer: Answer,
}

/// Reads a recording; `None`, with a word, where the recordings are absent.
fn recorded(name: &str) -> Option<Recorded> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/fixtures/apiserver-transcripts"));
    let Ok(text) = std::fs::read_to_string(folder.join(name)) else {
        println!("skipped: {name} is not there");
        return None;
    };
    let (request, answer) = text.split_once('\n').unwrap();
    let (head, answer_body) = answer.split_once("\n\n").unwrap();
    let request = request.trim_start_matches('#').trim();
    let (options, path) = request.rsplit_once(' ').unwrap_or(("", request));
    let (options, body) = options.split_once("-d ").unwrap_or((options, ""));
    let after = |flag: &str| options.split_once(flag).map(|(_, rest)| rest.trim());
    let method = after("-X ").and_then(|rest| rest.split_whitespace().next()).unwrap_or("GET");
    let headers = after("-H ").and_then(|header| header.split_once(": "));
    let mut lines = head.lines();
    let status = lines.next().unwrap().split_whitespace().nth(1).unwrap().parse().unwrap();
    let mut answered = http::HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        answered.insert(http::HeaderName::try_from(name).unwrap(), value.trim().parse().unwrap());
    }
    Some(Recorded {
        method: method.parse().unwrap(),
        path: path.to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).into_iter().collect(),
        body: body.trim().to_owned(),
        answer: Answer { status, headers: answered, text: answer_body.trim_end().to_owned() },
    })
}

impl Recorded {
    async fn replay(&self, simulation: &Simulation) -> Answer {
        self.replay_as(simulation, &[]).await
    }

    /// Sends the recorded request and compares what every answer has: status and headers.
    async fn replay_as(&self, simulation: &Simulation, more: &[(&str, &str)]) -> Answer {
        let own = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let headers: Vec<(&str, &str)> = own.chain(more.iter().copied()).collect();
        let answer = ask(simulation, self.method.clone(), &self.path, &headers, self.body.clone()).await;
        assert_eq!(answer.status, self.answer.status, "{}: {}", self.path, answer.text);
        for name in ["content-type", "cache-control", "retry-after", "x-content-type-options"] {
            assert_eq!(answer.headers.get(name), self.answer.headers.get(name), "{name} of {}", self.path);
        }
        answer
    }
}

/// Numbers in messages belong to the moment.
fn without_numbers(mut status: Value) -> Value {
    let message = status["message"].as_str().unwrap_or_default();
    let masked: String = message.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).collect();
    let mut parts: Vec<&str> = masked.split('#').collect();
    parts.dedup_by(|one, other| one.is_empty() && other.is_empty());
    status["message"] = json!(parts.join("#"));
    status
}

fn holding(objects: Vec<Value>) -> Simulation {
    Simulation::new(&Options { objects, ..Options::default() }).unwrap()
}

/// A recorded object without what the simulated server fills with its own time.
fn comparable(mut object: Value) -> Value {
    for entry in object["metadata"]["managedFields"].as_array_mut().into_iter().flatten() {
        entry["time"] = Value::Null;
    }
    object
}

#[tokio::test(start_paused = true)]
async fn refusals_are_worded_alike() {
    for name in [
        "get-404.http",
        "patch-conflict-409.http",
        "patch-invalid-422.http",
        "patch-unsupported-415.http",
        "unauthorized-401.http",
        "evict-blocked-429.http",
    ] {
        let Some(recorded) = recorded(name) else { return };
        let answer = recorded.replay(&simulation()).await;
        assert_eq!(answer.json(), recorded.answer.json(), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_with_versions_are_worded_alike() {
    for name in ["list-future-rv-504.http", "watch-gone-410.http"] {
        let Some(recorded) = recorded(name) else { return };
        let answer = recorded.replay(&simulation()).await;
        let status = |answer: &Answer| {
            let json = answer.json();
            without_numbers(if json["type"] == "ERROR" { json["object"].clone() } else { json })
        };
        assert_eq!(status(&answer), status(&recorded.answer), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_forbidden_kind_and_an_unknown_path_are_refused_alike() {
    let Some(forbidden) = recorded("forbidden-403.http") else { return };
    let simulation = simulation();
    simulation.faults().throw("viewer-forbidden=nodes".parse().unwrap());
    let answer = forbidden.replay_as(&simulation, &[("impersonate-user", "viewer")]).await;
    assert_eq!(answer.json(), forbidden.answer.json());
    let Some(unknown) = recorded("path-404.http") else { return };
    assert_eq!(unknown.replay(&simulation).await.text.trim_end(), unknown.answer.text);
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_has_just_appeared_is_initializing() {
    let Some(recorded) = recorded("crd-initializing-429.http") else { return };
    let simulation = simulation();
    simulation.store().set_served(Res::CLUSTER_OPERATORS, false);
    simulation.store().set_served(Res::CLUSTER_OPERATORS, true);
    assert_eq!(recorded.replay(&simulation).await.json(), recorded.answer.json());
}

#[tokio::test(start_paused = true)]
async fn an_eviction_that_is_allowed_is_created() {
    let Some(recorded) = recorded("evict-dryrun-201.http") else { return };
    let simulation = simulation();
    simulation.store().update(Res::PDBS, Some("shop"), "cart", |pdb| pdb["status"]["disruptionsAllowed"] = json!(1));
    assert_eq!(recorded.replay(&simulation).await.json(), recorded.answer.json());
}

#[tokio::test(start_paused = true)]
async fn lists_hold_the_same_objects_in_the_same_form() {
    let Some(pools) = recorded("list-pools.http") else { return };
    let mut expected = pools.answer.json();
    let simulation = holding(vec![expected.clone()]);
    let mut list = pools.replay(&simulation).await.json();
    for list in [&mut list, &mut expected] {
        assert!(list["metadata"]["resourceVersion"].take().is_string());
    }
    assert!(list == expected, "{list}\n\n{expected}");

    let Some(page) = recorded("list-limit2.http") else { return };
    let expected = page.answer.json();
    let mut third = expected["items"][1].clone();
    third["metadata"]["name"] = json!("zzz");
    third["kind"] = json!("Node");
    third["apiVersion"] = json!("v1");
    let list = page.replay(&holding(vec![expected.clone(), third])).await.json();
    assert_eq!(list["items"], expected["items"]);
    let keys = |list: &Value| list["metadata"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&list), keys(&expected));
}

#[tokio::test(start_paused = true)]
async fn tables_have_the_same_columns_and_cells() {
    let (Some(table), Some(pools)) = (recorded("list-table.http"), recorded("list-pools.http")) else { return };
    let (answer, expected) = (table.replay(&holding(vec![pools.answer.json()])).await.json(), table.answer.json());
    let columns = |table: &Value| {
        let columns = table["columnDefinitions"].as_array().unwrap();
        let part = |column: &Value| json!([column["name"], column["type"], column["format"], column["priority"]]);
        columns.iter().map(part).collect::<Vec<_>>()
    };
    assert_eq!(columns(&answer), columns(&expected));
    let cells = |table: &Value| {
        let rows = table["rows"].as_array().unwrap().iter();
        let but_age = |row: &Value| row["cells"].as_array().unwrap().split_last().unwrap().1.to_vec();
        rows.map(but_age).collect::<Vec<_>>()
    };
    assert_eq!(cells(&answer), cells(&expected));
    assert_eq!(answer["rows"][0]["object"]["kind"], "PartialObjectMetadata");
}

#[tokio::test(start_paused = true)]
async fn a_rehearsed_pause_shows_the_same_object() {
    let Some(patch) = recorded("patch-dryrun.http") else { return };
    let expected = patch.answer.json();
    let mut before = expected.clone();
    before["spec"]["paused"] = json!(false);
    before["metadata"]["generation"] = json!(1);
    let entries = before["metadata"]["managedFields"].as_array_mut().unwrap();
    assert_eq!(entries.pop().unwrap()["manager"], "oc-cockpit");
    // Before the patch the field belonged to whoever made the pool.
    entries[0]["fieldsV1"]["f:spec"]["f:paused"] = json!({});
    let answer = patch.replay(&holding(vec![before])).await.json();
    let entries = answer["metadata"]["managedFields"].as_array().unwrap();
    assert!(entries[0]["fieldsV1"]["f:spec"].get("f:paused").is_none(), "the field has a new owner");
    let strip = |object: &Value| {
        let mut object = comparable(object.clone());
        // The depth to which the first entry is told differs once it has lost a field.
        object["metadata"]["managedFields"][0]["fieldsV1"] = Value::Null;
        object
    };
    assert_eq!(strip(&answer), strip(&expected));
}

#[tokio::test(start_paused = true)]
async fn a_rehearsed_cordon_shows_the_same_node() {
    let Some(patch) = recorded("cordon-strategic.http") else { return };
    let mut expected = patch.answer.json();
    let mut before = expected.clone();
    before["spec"].as_object_mut().unwrap().remove("unschedulable");
    let mut answer = patch.replay(&holding(vec![before])).await.json();
    for node in [&mut answer, &mut expected] {
        node["metadata"]["managedFields"].take();
    }
    assert_eq!(answer, expected);
}

#[tokio::test(start_paused = true)]
async fn the_stage_of_an_image_based_upgrade_is_guarded_alike() {
    let (Some(accepted), Some(refused)) = (recorded("ibu-prep-accepted.http"), recorded("ibu-stage-refused-422.http"))
    else {
        return;
    };
    let mut expected = accepted.answer.json();
    let mut before = expected.clone();
    before["spec"] = json!({"stage": "Idle"});
    before["metadata"]["generation"] = json!(1);
    let simulation = holding(vec![before]);
    assert_eq!(refused.replay(&simulation).await.json(), refused.answer.json());
    let mut answer = accepted.replay(&simulation).await.json();
    for upgrade in [&mut answer, &mut expected] {
        upgrade["metadata"]["managedFields"].take();
    }
    assert_eq!(answer, expected);
}

#[tokio::test(start_paused = true)]
async fn initial_events_come_in_the_same_order_and_form() {
    let Some(watch) = recorded("watch-initial-events.http") else { return };
    let expected = watch.answer.events();
    let objects = expected.iter().filter(|(event, _)| event == "ADDED").map(|(_, object)| object.clone()).collect();
    let mut events = watch.replay(&holding(objects)).await.events();
    // The simulated server sends a last bookmark before it ends a watch; that is its own.
    events.truncate(expected.len());
    for ((event, object), (expected_event, expected_object)) in events.iter().zip(&expected) {
        assert_eq!(event, expected_event);
        if event == "ADDED" {
            assert_eq!(object, expected_object);
        } else {
            assert_eq!(object["metadata"]["annotations"], expected_object["metadata"]["annotations"]);
            assert_eq!(object["kind"], expected_object["kind"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn changes_come_in_the_same_order() {
    let Some(watch) = recorded("watch-stream.http") else { return };
    let expected = watch.answer.events();
    let (first, changes) = expected.split_first().unwrap();
    let simulation = holding(vec![first.1.clone()]);
    let store = simulation.store();
    let play = async {
        // The watch has to be open before anything changes; virtual time makes that sure.
        for (event, object) in changes {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            match event.as_str() {
                "MODIFIED" => drop(store.update(Res::MACHINE_CONFIG_POOLS, None, "worker", |pool| {
                    pool["spec"] = object["spec"].clone();
                    pool["status"] = object["status"].clone();
                })),
                "DELETED" => drop(store.delete(Res::MACHINE_CONFIG_POOLS, None, "worker")),
                _ => {}
            }
        }
    };
    let (answer, ()) = tokio::join!(watch.replay(&simulation), play);
    let but_plain_bookmarks = |events: Vec<(String, Value)>| {
        let kept = events
            .into_iter()
            .filter(|(event, object)| event != "BOOKMARK" || object["metadata"]["annotations"].is_object());
        kept.map(|(event, object)| (event, object["spec"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(but_plain_bookmarks(answer.events()), but_plain_bookmarks(expected));
}

#[tokio::test(start_paused = true)]
async fn a_watch_from_the_future_is_silent() {
    let Some(watch) = recorded("watch-future-rv-silent.http") else { return };
    assert_eq!(watch.replay(&simulation()).await.text, "");
}

#[tokio::test(start_paused = true)]
async fn discovery_tells_the_same_of_every_kind_that_both_serve() {
    for name in ["discovery-mco.http", "discovery-api-v1.http"] {
        let Some(recorded) = recorded(name) else { return };
        let answer = recorded.replay(&simulation()).await.json();
        let expected = recorded.answer.json();
        let mut compared = 0;
        for resource in answer["resources"].as_array().unwrap() {
            let same = |other: &&Value| other["name"] == resource["name"];
            let Some(real) = expected["resources"].as_array().unwrap().iter().find(same) else { continue };
            for field in ["singularName", "namespaced", "kind", "shortNames", "categories", "group", "version"] {
                assert_eq!(resource[field], real[field], "{field} of {}", resource["name"]);
            }
            let verbs = |resource: &Value| {
                let mut verbs: Vec<String> = serde_json::from_value(resource["verbs"].clone()).unwrap();
                verbs.sort();
                verbs
            };
            assert_eq!(verbs(resource), verbs(real), "verbs of {}", resource["name"]);
            compared += 1;
        }
        assert!(compared > 5, "{compared}");
    }
}

#[tokio::test(start_paused = true)]
async fn aggregated_discovery_tells_the_same_of_every_kind_that_both_serve() {
    let Some(recorded) = recorded("discovery-aggregated-apis.http") else { return };
    let answer = ask(&simulation(), Method::GET, "/apis", &[("accept", accept_of(&recorded))], "").await;
    assert_eq!(answer.headers["content-type"], recorded.answer.headers["content-type"]);
    let flat = |list: &Value| {
        let mut found = std::collections::BTreeMap::new();
        for group in list["items"].as_array().unwrap() {
            for version in group["versions"].as_array().unwrap() {
                for resource in version["resources"].as_array().unwrap() {
                    let key = format!("{}/{}/{}", group["metadata"]["name"], version["version"], resource["resource"]);
                    found.insert(key, resource.clone());
                }
            }
        }
        found
    };
    let real = flat(&recorded.answer.json());
    let mut compared = 0;
    for (key, resource) in flat(&answer.json()) {
        let Some(real) = real.get(&key) else { continue };
        for field in ["scope", "singularResource", "shortNames", "categories"] {
            assert_eq!(resource[field], real[field], "{field} of {key}");
        }
        // Recorded response kinds of built-in kinds leave out group and version.
        assert_eq!(resource["responseKind"]["kind"], real["responseKind"]["kind"], "{key}");
        compared += 1;
    }
    assert!(compared > 15, "{compared}");
}

fn accept_of(recorded: &Recorded) -> &str {
    let accept = recorded.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("accept"));
    accept.map_or("*/*", |(_, value)| value.as_str())
}

#[tokio::test(start_paused = true)]
async fn reviews_answer_alike() {
    let (Some(who), Some(may)) = (recorded("selfsubjectreview.http"), recorded("ssar.http")) else { return };
    let simulation = holding(small_cluster());
    assert_eq!(who.replay(&simulation).await.json()["status"], who.answer.json()["status"]);
    let (answer, expected) = (may.replay(&simulation).await.json(), may.answer.json());
    assert_eq!((&answer["spec"], &answer["status"]), (&expected["spec"], &expected["status"]));
}

#[tokio::test(start_paused = true)]
async fn the_version_has_the_fields_that_clients_read() {
    let Some(recorded) = recorded("version.http") else { return };
    let answer = recorded.replay(&simulation()).await.json();
    let real = recorded.answer.json();
    for (name, value) in answer.as_object().unwrap() {
        assert_eq!(value.is_string(), real[name].is_string(), "{name}");
    }
    assert_eq!(answer["gitVersion"], "v1.31.0", "the cluster last completed 4.18");
}
