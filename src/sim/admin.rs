//! The endpoint below `/sim` by which the simulation is driven while it runs. For the admin only.
//!
//! | Request | What it does |
//! |---|---|
//! | `GET /sim/status` | resourceVersion, speed, faults, number of objects per kind |
//! | `GET /sim/kubeconfig` | the kubeconfig as clients should have it now |
//! | `POST /sim/faults` | throws a fault: the text, or `{"fault": "cut=10s"}`; answers its number |
//! | `DELETE /sim/faults[/NUMBER]` | ends one fault or all |
//! | `POST /sim/speed` | `{"speed": 60}` |
//! | `POST /sim/time` | lets time pass at once: the text `10m`, or `{"pass": "10m"}`, at most 2 h; the controllers live through it as through real minutes, whatever the speed |
//! | `GET /sim/mishaps` | what goes wrong with the cluster: to come, on, over |
//! | `POST /sim/mishaps` | lets something go wrong: `{"kind": "node-lost", "object": "worker-1", "lasts": "5m"}`, the words of a scenario's `faults`; answers its number |
//! | `DELETE /sim/mishaps/NUMBER` | takes its cause away |

use std::time::Duration;

use axum::body::Bytes;
use axum::response::Response;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::sim::faults::Fault;
use crate::sim::routes::Api;
use crate::sim::scenario::{Mishap, Span};
use crate::sim::status::{Refusal, bytes_response, json_response, no_such_path};

/// The longest time that is let pass at once.
pub const LONGEST: Duration = Duration::from_secs(2 * 3_600);

/// Answers a request below `/sim`.
pub fn answer(api: &Api, method: &Method, path: &str, body: &Bytes) -> Result<Response, Refusal> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match (method, parts.as_slice()) {
        (&Method::GET, ["sim"] | ["sim", "status"]) => Ok(json_response(StatusCode::OK, &status(api))),
        (&Method::GET, ["sim", "kubeconfig"]) => {
            Ok(bytes_response(StatusCode::OK, "application/yaml", api.kubeconfig()))
        }
        (&Method::POST, ["sim", "faults"]) => {
            let fault = fault_of(body)?;
            let id = api.faults.throw(fault.clone());
            Ok(json_response(StatusCode::CREATED, &json!({"id": id, "fault": fault.to_string()})))
        }
        (&Method::DELETE, ["sim", "faults"]) => {
            api.faults.clear_all();
            Ok(json_response(StatusCode::OK, &status(api)))
        }
        (&Method::DELETE, ["sim", "faults", id]) => match id.parse() {
            Ok(id) if api.faults.clear(id) => Ok(json_response(StatusCode::OK, &status(api))),
            _ => Err(Refusal::new(StatusCode::NOT_FOUND, "NotFound", format!("there is no fault {id}"))),
        },
        (&Method::GET, ["sim", "mishaps"]) => Ok(json_response(StatusCode::OK, &mishaps(api))),
        (&Method::POST, ["sim", "mishaps"]) => {
            let mishap: Mishap = serde_json::from_slice(body)
                .map_err(|error| Refusal::bad_request(format!("this is no mishap: {error}")))?;
            let id = api.boards.mishaps.add(mishap.clone());
            Ok(json_response(StatusCode::CREATED, &json!({"id": id, "mishap": mishap.to_string()})))
        }
        (&Method::DELETE, ["sim", "mishaps", id]) => match id.parse() {
            Ok(id) if api.boards.mishaps.end(id) => Ok(json_response(StatusCode::OK, &mishaps(api))),
            _ => Err(Refusal::new(StatusCode::NOT_FOUND, "NotFound", format!("there is no mishap {id}"))),
        },
        (&Method::POST, ["sim", "speed"]) => {
            api.speed.send_replace(speed_of(body)?);
            Ok(json_response(StatusCode::OK, &status(api)))
        }
        (&Method::POST, ["sim", "time"]) => {
            api.clock.pass(span_of(body)?);
            Ok(json_response(StatusCode::OK, &status(api)))
        }
        _ => Ok(no_such_path()),
    }
}

fn status(api: &Api) -> Value {
    let faults: Vec<Value> =
        api.faults.active().iter().map(|(id, fault)| json!({"id": id, "fault": fault.to_string()})).collect();
    let mut status = api.about.clone();
    status["now"] = json!(api.clock.now().to_rfc3339());
    status["resourceVersion"] = json!(api.store.resource_version().to_string());
    status["speed"] = json!(*api.speed.borrow());
    status["faults"] = Value::Array(faults);
    for info in api.store.kinds() {
        let count = api.store.list(info.res()).len();
        if count > 0 {
            status["objects"][crate::sim::status::qualified(info.group, info.plural)] = json!(count);
        }
    }
    status
}

fn mishaps(api: &Api) -> Value {
    let cases: Vec<Value> = api
        .boards
        .mishaps
        .cases()
        .iter()
        .map(|case| {
            json!({
                "id": case.id, "kind": case.mishap.kind.word(), "object": case.mishap.object,
                "reference": case.reference(),
                "began": case.began.map(|at| at.to_rfc3339()), "ended": case.ended.map(|at| at.to_rfc3339()),
            })
        })
        .collect();
    json!({"mishaps": cases})
}

fn fault_of(body: &Bytes) -> Result<Fault, Refusal> {
    let text = std::str::from_utf8(body).map_err(|_| Refusal::bad_request("a fault is a text such as cut=10s"))?;
    let parsed = serde_json::from_str::<Value>(text).ok();
    let spec = parsed.as_ref().and_then(|value| value["fault"].as_str().or(value.as_str())).unwrap_or(text);
    spec.parse().map_err(|error: crate::sim::faults::FaultSyntax| Refusal::bad_request(error.to_string()))
}

fn span_of(body: &Bytes) -> Result<Duration, Refusal> {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let parsed = serde_json::from_slice::<Value>(body).ok();
    let span = parsed.as_ref().and_then(|value| value["pass"].as_str().or(value.as_str())).unwrap_or(text);
    let span = Span::parse(span).map_err(Refusal::bad_request)?.0;
    if span > LONGEST {
        return Err(Refusal::bad_request("at most 2h at once: nothing that happens meanwhile is to be skipped"));
    }
    Ok(span)
}

fn speed_of(body: &Bytes) -> Result<f64, Refusal> {
    let parsed = serde_json::from_slice::<Value>(body).ok();
    let speed = parsed.as_ref().and_then(|value| value["speed"].as_f64().or(value.as_f64()));
    let speed = speed.filter(|speed| speed.is_finite() && *speed > 0.0);
    speed.ok_or_else(|| Refusal::bad_request("a speed is a number above 0, as in {\"speed\": 60}"))
}
