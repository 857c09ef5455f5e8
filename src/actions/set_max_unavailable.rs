//! Set how many nodes of a pool may be unavailable at once.

use serde_json::{Value, json};

use super::pool::{self, KINDS, PATCH, find};
use super::words::{count, order};
use super::{
    ActionId, Arg, ArgKind, Ask, Danger, Effect, Entry, Material, Offered, Plan, PoolEffect, Precondition, Refusal,
    Session, Takes, Target, capacity, gate, what_if,
};
use crate::upgrade::assessment::{Assessment, Pool};

/// How many nodes the drain controller works on at once, in the whole cluster (machine-config-operator: workers of
/// pkg/controller/drain).
const DRAINS: usize = 5;

/// The value.
pub(super) const NUMBER: &str = "number";

/// Set `maxUnavailable`.
pub(super) const ENTRY: Entry = Entry {
    id: ActionId::SetMaxUnavailable,
    name: "set-max-unavailable",
    word: "max unavailable",
    summary: "set how many nodes of the pool may be unavailable at once",
    gerund: "setting maxUnavailable",
    dangers: &[Danger::L, Danger::M],
    takes: Takes::Pool,
    args: &[Arg::word(NUMBER, ArgKind::Number, "a number of nodes or a percentage of the pool, for example 3 or 10%")],
    permissions: &[PATCH],
    needs: &[],
    inverse: Some(ActionId::SetMaxUnavailable),
    offered,
    plan: make,
};

fn offered(assessment: &Assessment, session: &Session, target: &Target) -> Option<Offered> {
    // More nodes at once is what it is mostly used for.
    let title = |name: &str| format!("Set maxUnavailable of pool {name}");
    pool::offered(&ENTRY, assessment, target, title, Danger::M, |name| available(assessment, session, name))
}

/// Can it be set now, whatever the value?
fn available(assessment: &Assessment, session: &Session, name: &str) -> Result<(), Refusal> {
    gate::session(assessment, session, KINDS)?;
    let (pool, seen) = find(assessment, name)?;
    if pool::required(pool, seen) {
        return Err(Refusal(format!(
            "maxUnavailable of pool {name} is never changed: two control plane nodes away at once cost etcd its quorum"
        )));
    }
    gate::permitted(assessment, &PATCH)
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Amount {
    Nodes(usize),
    Percent(usize),
}

impl Amount {
    fn parse(text: &str) -> Result<Self, Refusal> {
        let unreadable = || Refusal(format!("maxUnavailable is a whole number or a percentage, not `{text}`"));
        let (digits, percent) = text.strip_suffix('%').map_or((text, false), |digits| (digits, true));
        if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_digit()) {
            return Err(unreadable());
        }
        let number: u32 = digits.parse().map_err(|_| unreadable())?;
        let number = usize::try_from(number).map_err(|_| unreadable())?;
        match (number, percent) {
            // machine-config-operator, `maxUnavailable` in pkg/controller/node/node_controller.go.
            (0, _) => Err(Refusal(
                "maxUnavailable 0 does not hold a pool back: the controller takes it for 1; pause the pool instead"
                    .to_owned(),
            )),
            (101.., true) => Err(Refusal(format!("{text} is more than the whole pool"))),
            (number, true) => Ok(Self::Percent(number)),
            (number, false) => Ok(Self::Nodes(number)),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Nodes(number) => json!(number),
            Self::Percent(_) => json!(self.written()),
        }
    }

    fn written(&self) -> String {
        match self {
            Self::Nodes(number) => number.to_string(),
            Self::Percent(number) => format!("{number}%"),
        }
    }
}

fn make(assessment: &Assessment, session: &Session, ask: &Ask, _: &Material) -> Result<Plan, Refusal> {
    let [name] = ask.target.pools() else { return Err(Refusal("one pool at a time".to_owned())) };
    available(assessment, session, name)?;
    let (pool, seen) = find(assessment, name)?;
    let amount = Amount::parse(ask.args.get(NUMBER).unwrap_or_default())?;
    let written = amount.written();
    if seen.spec.max_unavailable.is_some() && pool.capacity.max_unavailable_spec == written {
        return Err(Refusal(format!("maxUnavailable of pool {name} is {written} already")));
    }
    let after = what_if::with_max_unavailable(assessment, name, &amount.json());
    let Some(then) = after.pool(name) else { return Err(Refusal(format!("there is no pool {name}"))) };
    let more = then.capacity.max_unavailable > pool.capacity.max_unavailable;
    let back = Ask::new(ActionId::SetMaxUnavailable, ask.target.clone())
        .with(NUMBER, pool.capacity.max_unavailable_spec.clone());
    Ok(Plan {
        back: vec![back],
        danger: if more { Danger::M } else { Danger::L },
        preconditions: vec![
            Precondition {
                words: format!("pool {name} is no pool of the control plane"),
                evidence: format!(
                    "mcp/{name} has no label operator.machineconfiguration.openshift.io/required-for-upgrade"
                ),
            },
            Precondition {
                words: format!("maxUnavailable of pool {name} is {}", pool.capacity.max_unavailable_spec),
                evidence: match &seen.spec.max_unavailable {
                    Some(_) => format!("mcp/{name} spec.maxUnavailable = {}", pool.capacity.max_unavailable_spec),
                    None => format!("mcp/{name} spec.maxUnavailable is not set, which stands for 1"),
                },
            },
            gate::permission_found(assessment, &PATCH),
        ],
        consequences: consequences(assessment, pool, then, &amount, &after),
        writes: vec![pool::write(session, seen, "maxUnavailable", &amount.json())?],
        effect: Effect::Pool(PoolEffect::MaxUnavailable { pool: name.clone(), value: written.clone() }),
        ..Plan::draft(&ENTRY, ask, format!("Set maxUnavailable of pool {name} to {written}"))
    })
}

fn consequences(assessment: &Assessment, pool: &Pool, then: &Pool, amount: &Amount, after: &Assessment) -> Vec<String> {
    let (was, is) = (&pool.capacity, &then.capacity);
    let name = &pool.name;
    let mut lines = vec![format!(
        "of {} at most {} unavailable at once before, {} afterwards",
        count(pool.total, "node"),
        was.max_unavailable,
        is.max_unavailable
    )];
    if let Amount::Percent(percent) = amount
        && pool.total * percent / 100 == 0
    {
        lines.push(format!("{percent}% of {} is less than one: the controller takes 1", count(pool.total, "node")));
    }
    let failing = if was.failing == 0 { String::new() } else { format!(", {} failing", was.failing) };
    lines.push(format!(
        "{} unavailable now{failing}: effective capacity {} before, {} afterwards",
        was.unavailable,
        capacity::free(pool, was.unavailable),
        capacity::free(then, is.unavailable),
    ));
    if is.max_unavailable >= pool.total && pool.total > 0 {
        lines.push(
            "all nodes of the pool may be away at once: only disruption budgets protect what runs there".to_owned(),
        );
    }
    if is.max_unavailable > DRAINS {
        lines.push(format!(
            "the drain controller works on {DRAINS} nodes at once in the whole cluster: where pods resist, more nodes \
             are cordoned than drain"
        ));
    }
    if is.max_unavailable < was.unavailable {
        lines.push(format!(
            "{} are unavailable already: none of them comes back sooner",
            count(was.unavailable, "node")
        ));
    }
    if pool.paused {
        lines.push("the pool is paused: it counts from the moment at which it is unpaused".to_owned());
    }
    let before = capacity::candidates(pool, assessment);
    let taken = |pool: &Pool, line: &[String]| line.iter().take(pool.capacity.free).cloned().collect::<Vec<_>>();
    let (old, new) = (taken(pool, &before), taken(then, &capacity::candidates(then, after)));
    let at_once: Vec<String> = new.into_iter().filter(|node| !old.contains(node)).collect();
    if !at_once.is_empty() && !pool.paused {
        lines.push(format!("taken at once, cordoned, drained and rebooted: {}", order(&at_once)));
    }
    if !pool.paused {
        lines.extend(capacity::next(pool, after));
    }
    lines.push(format!("to undo it: set-max-unavailable {name} {}", was.max_unavailable_spec));
    lines
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn numbers_and_percentages_are_read_and_nothing_else() {
        assert_eq!(Amount::parse("3").unwrap(), Amount::Nodes(3));
        assert_eq!(Amount::parse("10%").unwrap().json(), json!("10%"));
        assert_eq!(Amount::parse("3").unwrap().json(), json!(3));
        for (text, part) in [
            ("0", "does not hold a pool back"),
            ("0%", "does not hold a pool back"),
            ("-1", "a whole number or a percentage"),
            ("+1", "a whole number or a percentage"),
            ("101%", "more than the whole pool"),
            ("half", "a whole number or a percentage"),
            ("", "a whole number or a percentage"),
            ("99999999999", "a whole number or a percentage"),
        ] {
            let Err(Refusal(words)) = Amount::parse(text) else { panic!("{text} was taken") };
            assert!(words.contains(part), "{text}: {words}");
        }
    }
}
