//! What may come between the first and the second request of an action that sends several: what was done stays done and is
//! told, what somebody else did is not written over, and nothing further is sent.

use std::sync::{Arc, Mutex};

use oc_cockpit::actions::outcome::Outcome;
use oc_cockpit::actions::{Verb, Write};
use oc_cockpit::sim::store::Store;
use serde_json::{Value, json};

use super::cases::{Case, Theirs, several};
use super::hurdle::{Hurdle, RULES, Way};
use super::in_process::InProcess;
use super::stand::{Because, Everything, Place, Stand, Watch, Went, cannot, each, found_again, held_by};

/// What somebody else does to the second object just before its request arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    /// They change it so that it matters.
    Changed,
    /// They create what was to be created.
    Created,
    /// They delete it.
    Gone,
    /// They delete it, and create another of its name.
    Replaced,
}

impl Blow {
    /// Those that may hit a write.
    fn on(write: &Write) -> &'static [Self] {
        match write.verb {
            Verb::Create => &[Self::Created],
            Verb::Delete => &[Self::Gone, Self::Replaced],
            _ => &[Self::Changed, Self::Gone, Self::Replaced],
        }
    }

    fn strike(self, store: &Store, place: &Place, case: &Theirs, body: &Value, now: chrono::DateTime<chrono::Utc>) {
        let namespace = place.namespace.as_deref();
        let put = |mut object: Value| {
            object["metadata"]["uid"] = json!("uid-of-another");
            object["metadata"]["labels"]["example.com/whose"] = json!("theirs");
            store.create(place.res, object, now);
        };
        match self {
            Self::Changed => {
                let Theirs::Edit(change) = case else { panic!("there is no change that matters") };
                assert!(store.update(place.res, namespace, &place.name, *change));
            }
            Self::Created => put(body.clone()),
            Self::Gone => drop(store.delete(place.res, namespace, &place.name).expect("it is there")),
            Self::Replaced => put((*store.delete(place.res, namespace, &place.name).expect("it is there")).clone()),
        }
    }
}

/// It is sent, and the blow falls before the second request arrives. With everything as the server held it then.
async fn struck(case: fn() -> Case, blow: Blow) -> (Stand, Went, Everything) {
    let (stand, theirs) = (Stand::of(case()).await, case().theirs);
    let (store, now) = (stand.lab.simulation.store(), stand.lab.simulation.clock().now());
    let (place, body) = (stand.place(&stand.writes()[1]), stand.writes()[1].body.clone());
    let then: Arc<Mutex<Everything>> = Arc::default();
    let (noted, mut writes) = (Arc::clone(&then), 0);
    let client = InProcess::new(stand.lab.simulation.service()).before_writes(move |_| {
        writes += 1;
        if writes == 2 {
            blow.strike(&store, &place, &theirs, &body, now);
            *noted.lock().unwrap() = held_by(&store);
        }
    });
    let went = stand.goes_by(&client, Watch::Live).await;
    let then = std::mem::take(&mut *then.lock().unwrap());
    (stand, went, then)
}

/// It ended at the second of three: the first is done and proved, the third was not sent.
async fn ended_at_the_second(what: &str, stand: &Stand, went: &Went) -> String {
    let [first, second, third] = stand.writes() else { panic!("{what} sends three requests") };
    let row = stand.row(went);
    let done: Vec<&str> = went.done.outcome.done().iter().map(|written| written.object.as_str()).collect();
    assert_eq!(done, [first.object.as_str()], "{what}: {row}");
    let told = format!("1 of 3 done ({}), then {}", first.object, second.object);
    assert!(row.contains(&told), "{what}\n  expected: {told}\n  said:     {row}");
    assert!(row.ends_with(&format!("; not sent: {}", third.object)), "{what}: {row}");
    assert!(stand.stored(first) && !stand.stored(third), "{what}: {row}");
    assert!(went.done.audit.iter().all(|line| line["object"] != third.object), "{what}: {row}");
    let effect = &stand.rehearsal.plan.effect;
    assert!(!went.done.outcome.is_whole(effect), "{what}: {row}");
    assert!(found_again(stand, went).await, "{what}: what was done shows");
    row
}

#[tokio::test(start_paused = true)]
async fn what_somebody_does_to_the_second_object_ends_it_there() {
    let mut rows = String::new();
    for (what, case) in several() {
        let second = Stand::of(case()).await.writes()[1].clone();
        for blow in Blow::on(&second) {
            let (stand, went, then) = struck(case, *blow).await;
            let what = format!("{what}, {}", format!("{blow:?}").to_lowercase());
            let row = ended_at_the_second(&what, &stand, &went).await;
            assert_eq!(Stand::changed(&then, &went.after), Vec::<String>::new(), "{what}: what they did stays");
            let answers = Stand::answers(&went);
            assert_eq!(answers.len(), 2, "{what}: the second is asked for once: {answers:?}");
            match blow {
                Blow::Gone => assert!(row.contains("it is gone"), "{what}: {row}"),
                Blow::Replaced => assert!(row.contains("another object now"), "{what}: {row}"),
                Blow::Created => assert!(row.contains("it exists already"), "{what}: {row}"),
                Blow::Changed => {}
            }
            rows += &format!("{what}\n  {row} ({})\n", answers.join(", "));
        }
    }
    insta::assert_snapshot!(rows);
}

#[tokio::test(start_paused = true)]
async fn an_endless_conflict_of_the_second_object_ends_it_there() {
    for (what, case) in several() {
        let stand = Stand::of(case()).await;
        let went = stand.meets_after(1, Way::Conflict).await;
        let row = ended_at_the_second(what, &stand, &went).await;
        let again = match stand.writes()[1].verb {
            // Of what is to be pruned others are the oldest by now.
            Verb::Create | Verb::Delete => 1,
            // The whole object would be sent, with what somebody else has made of it.
            Verb::Replace if row.starts_with("changed: ") => 1,
            _ => 4,
        };
        assert_eq!(Stand::answers(&went).len(), 1 + again, "{what}: {row}");
        stand.only(&stand.writes()[0], &went);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_the_second_request_meets_is_told_and_ends_it_there() {
    for (what, case) in several() {
        let stand = Stand::of(case()).await;
        let went = stand.meets_after(1, Way::Invalid).await;
        let row = ended_at_the_second(what, &stand, &went).await;
        for (_, rule) in RULES {
            assert!(row.contains(rule), "{what}: {row}");
        }
        assert_eq!(Stand::answers(&went)[1], "refused 422", "{what}");
        stand.only(&stand.writes()[0], &went);
    }
}

/// Somebody changes something else of the object, so that it is sent once more, and together with that it breaks a rule
/// of the definition. The rehearsal could not know.
#[tokio::test(start_paused = true)]
async fn a_rule_that_is_broken_only_after_a_conflict_is_told_in_its_own_words() {
    let rows = each(async |stand: Stand| {
        if stand.creates() {
            return Err(Because::NothingThereYet);
        }
        let write = stand.first();
        if write.resource_version.is_none() {
            return Err(Because::OnlyIdentity);
        }
        let whole = write.verb == Verb::Replace || stand.id == oc_cockpit::actions::ActionId::DeleteObject;
        if stand.rehearsal.plan.strict_lock || whole {
            return Err(Because::NeverAgain);
        }
        stand.edit(|object| object["metadata"]["annotations"]["example.com/touched"] = json!("yes"));
        let theirs = held_by(&stand.lab.store);
        let hurdle = Hurdle::new(&stand.lab.client, Way::Invalid).after(1);
        let went = stand.send(&hurdle, Watch::Live, Hurdle::sent).await;
        let row = stand.row(&went);
        assert_eq!(Stand::answers(&went), ["refused 409", "refused 422"], "{}: {row}", stand.id.name());
        assert!(matches!(went.done.outcome, Outcome::Failed { .. }), "{row}");
        assert!(RULES.iter().all(|(_, rule)| row.contains(rule)), "{row}");
        assert_eq!(Stand::changed(&theirs, &went.after), Vec::<String>::new(), "{}", stand.id.name());
        Ok(row)
    })
    .await;
    insta::assert_snapshot!(cannot(&rows));
}

#[tokio::test(start_paused = true)]
async fn what_comes_before_the_second_request_leaves_the_first_one_done_and_proved() {
    let rows = each(async |stand: Stand| {
        let [first, second, ..] = stand.writes() else { return Err(Because::OneRequest) };
        let mut told = String::new();
        for way in [Way::Refused, Way::Invalid, Way::TooMany, Way::Breaks] {
            let stand = Stand::new(stand.id).await;
            let went = stand.meets_after(1, way).await;
            told = stand.row(&went);
            let of = stand.writes().len();
            assert!(told.contains(&format!("1 of {of} done ({}), then {}: ", first.object, second.object)), "{told}");
            stand.only(first, &went);
            assert!(stand.stored(first) && !stand.stored(second), "{told}");
            let part = went.done.outcome.awaited(&stand.rehearsal.plan.effect).unwrap();
            if matches!(went.done.outcome, Outcome::Failed { .. }) {
                assert!(!went.done.outcome.is_whole(&stand.rehearsal.plan.effect), "only the first was done: {told}");
                assert!(found_again(&stand, &went).await, "{}: {}", stand.id.name(), part.words());
            }
        }
        Ok(told)
    })
    .await;
    insta::assert_snapshot!(rows);
}

#[tokio::test(start_paused = true)]
async fn a_change_of_the_second_object_is_judged_by_what_is_left() {
    let rows = each(async |stand: Stand| {
        let [first, second, ..] = stand.writes() else { return Err(Because::OneRequest) };
        if second.verb == Verb::Create {
            return Err(Because::NothingThereYet);
        }
        if second.resource_version.is_none() {
            return Err(Because::OnlyIdentity);
        }
        let (store, place) = (stand.lab.simulation.store(), stand.place(second));
        let mut writes = 0;
        let client = InProcess::new(stand.lab.simulation.service()).before_writes(move |_| {
            writes += 1;
            if writes == 2 {
                store.update(place.res, place.namespace.as_deref(), &place.name, |object| {
                    object["metadata"]["annotations"]["example.com/touched"] = json!("yes");
                });
            }
        });
        let went = stand.goes_by(&client, Watch::Live).await;
        let row = stand.row(&went);
        assert!(stand.stored(first), "{row}");
        if second.verb == Verb::Replace {
            assert!(matches!(&went.done.outcome, Outcome::Changed { done, .. } if done.len() == 1), "{row}");
        } else {
            assert!(matches!(went.done.outcome, Outcome::Accepted { .. }), "{}: {row}", stand.id.name());
            assert!(stand.stored(second), "{row}");
        }
        Ok(format!("{row} ({})", Stand::answers(&went).join(", ")))
    })
    .await;
    insta::assert_snapshot!(rows);
}
