//! What may come between a rehearsal and a write, for every action of the catalogue: how it ends, in which words, what the
//! audit log has of it, and what the server holds afterwards.
//!
//! Where something cannot come between for an action the table says why.

use oc_cockpit::actions::outcome::Outcome;
use oc_cockpit::actions::{ActionId, Effect, Refusal, Verb};
use oc_cockpit::sim::kinds::Res;
use serde_json::{Value, json};

use super::cases::Theirs;
use super::hurdle::{Hurdle, RULES, Way};
use super::stand::{Because, Stand, Watch, Went, cannot, each, everything, found_again};

/// An answer that refuses each write: told as `part`, asked once, written down, and nothing is changed.
async fn refuses(way: Way, answer: &str, parts: &[&str]) -> String {
    each(async |stand: Stand| {
        let went = stand.meets(way.clone()).await;
        let row = stand.row(&went);
        for part in parts {
            assert!(row.contains(part), "{}\n  expected: {part}\n  said:     {row}", stand.id.name());
        }
        assert!(matches!(went.done.outcome, Outcome::Failed { .. }), "{row}");
        assert_eq!(Stand::answers(&went), [answer], "{}: it is asked once", stand.id.name());
        stand.unchanged(&went);
        Ok(row)
    })
    .await
}

// --- 401, 403 ---

#[tokio::test(start_paused = true)]
async fn a_viewer_is_told_by_the_rehearsal_which_permission_is_missing_and_by_the_write_no_less() {
    let rows = each(async |stand: Stand| {
        let lab = &stand.lab;
        let rehearsal = match lab.rehearse_by(&stand.viewer(), &stand.case.ask).await {
            Ok((_, rehearsal)) => rehearsal,
            // What is asked for in the namespace of the target is known before the dry run.
            Err(Refusal(words)) => {
                assert!(words.contains("may not") && words.contains("(oc auth can-i"), "{words}");
                assert_eq!(Stand::changed(&stand.before, &everything(lab)), Vec::<String>::new());
                let went = stand.goes_by(&stand.viewer(), Watch::Live).await;
                assert_eq!(Stand::answers(&went), ["refused 403"], "{}", stand.id.name());
                stand.unchanged(&went);
                return Ok(format!("refused: {words}"));
            }
        };
        assert!(!rehearsal.ok(), "{}", stand.id.name());
        let refused = rehearsal.steps.iter().filter(|step| !step.ok && step.words.contains("oc auth can-i"));
        assert_eq!(refused.count(), stand.writes().len(), "{}: {:?}", stand.id.name(), rehearsal.steps);
        assert_eq!(Stand::changed(&stand.before, &everything(lab)), Vec::<String>::new());
        // It was permitted when it was rehearsed, and is not any more.
        let went = stand.goes_by(&stand.viewer(), Watch::Live).await;
        let words = rehearsal.steps[0].words.trim_start_matches("dry run: ");
        let row = stand.row(&went);
        assert!(row.starts_with(&format!("failed: {}: {words}", stand.first().object)), "{row}");
        assert_eq!(Stand::answers(&went), ["refused 403"], "{}", stand.id.name());
        stand.unchanged(&went);
        Ok(words.to_owned())
    })
    .await;
    insta::assert_snapshot!(rows);
}

#[tokio::test(start_paused = true)]
async fn credentials_that_are_not_good_any_more_are_told() {
    let words = ["the server does not accept the credentials (any more): Unauthorized"];
    assert_eq!(cannot(&refuses(Way::Expired, "refused 401", &words).await), "");
}

// --- 409 ---

/// Somebody has done something to its object that matters.
async fn theirs_stays(watch: Watch) -> String {
    each(async |stand: Stand| {
        match stand.case.theirs {
            Theirs::Edit(change) => stand.edit(change),
            Theirs::Create => stand.put(stand.first().body.clone(), "uid-theirs"),
            Theirs::Identity => return Err(Because::OnlyIdentity),
        }
        let theirs = everything(&stand.lab);
        let went = stand.goes(watch).await;
        let row = stand.row(&went);
        assert!(went.done.outcome.done().is_empty(), "{}: {row}", stand.id.name());
        let ended =
            matches!(went.done.outcome, Outcome::Refused { .. } | Outcome::Changed { .. } | Outcome::Failed { .. });
        assert!(ended, "{}: {row}", stand.id.name());
        assert!(went.sent.len() <= 1, "{}: it is not sent again over theirs: {row}", stand.id.name());
        assert_eq!(Stand::changed(&theirs, &went.after), Vec::<String>::new(), "{}: theirs stays", stand.id.name());
        Ok(row)
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_did_is_not_written_over_when_the_watch_shows_it() {
    insta::assert_snapshot!(theirs_stays(Watch::Live).await);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_did_is_not_written_over_when_only_the_server_knows_it() {
    insta::assert_snapshot!(theirs_stays(Watch::Behind).await);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_does_not_matter_is_kept_and_holds_up_only_the_strict_ones() {
    let rows = each(async |stand: Stand| {
        if stand.creates() {
            return Err(Because::NothingThereYet);
        }
        stand.edit(|object| object["metadata"]["annotations"]["example.com/touched"] = json!("yes"));
        let theirs = everything(&stand.lab);
        let went = stand.goes(Watch::Live).await;
        let row = stand.row(&went);
        let locked = stand.first().resource_version.is_some();
        // The whole object is sent where the server takes no patch, and written down as the way back of a deletion.
        let whole = stand.first().verb == Verb::Replace || stand.id == ActionId::DeleteObject;
        if stand.rehearsal.plan.strict_lock || whole {
            assert!(matches!(went.done.outcome, Outcome::Changed { .. }), "{row}");
            assert_eq!(Stand::answers(&went), ["refused 409"], "{}", stand.id.name());
            assert_eq!(Stand::changed(&theirs, &went.after), Vec::<String>::new(), "{}", stand.id.name());
            return Ok(row);
        }
        assert!(matches!(went.done.outcome, Outcome::Accepted { .. }), "{}: {row}", stand.id.name());
        let answers = Stand::answers(&went);
        let refused = answers.iter().filter(|answer| *answer == "refused 409").count();
        assert_eq!(refused, usize::from(locked), "{}: {answers:?}", stand.id.name());
        for write in stand.writes() {
            assert!(stand.stored(write), "{}: {}", stand.id.name(), write.object);
        }
        if !stand.removes() {
            let kept = &stand.held(stand.first()).unwrap()["metadata"]["annotations"]["example.com/touched"];
            assert_eq!(kept, "yes", "{}: their change is kept", stand.id.name());
        }
        Ok(format!("{row} ({})", answers.join(", ")))
    })
    .await;
    insta::assert_snapshot!(rows);
}

/// Somebody takes its object away, and the watch does not show it yet: told as `part`, asked once, and what they left stays.
async fn without_it(part: &str, status: &str, takes: impl Fn(&Stand)) {
    let rows = each(async |stand: Stand| {
        if stand.creates() {
            return Err(Because::NothingThereYet);
        }
        takes(&stand);
        let theirs = everything(&stand.lab);
        let went = stand.goes(Watch::Behind).await;
        let row = stand.row(&went);
        assert!(row.starts_with("failed: ") && row.contains(part), "{}: {row}", stand.id.name());
        assert!(went.done.outcome.done().is_empty(), "{row}");
        let answers = Stand::answers(&went);
        assert!(matches!(answers.as_slice(), [one] if one.starts_with(status)), "{}: {answers:?}", stand.id.name());
        assert_eq!(Stand::changed(&theirs, &went.after), Vec::<String>::new(), "{}", stand.id.name());
        Ok(row)
    })
    .await;
    assert_eq!(
        cannot(&rows),
        "-- its object does not exist yet: create-pool, pin-images, apply-signature, add-mirror-set"
    );
}

#[tokio::test(start_paused = true)]
async fn another_object_of_the_name_is_not_touched() {
    without_it("another object now", "refused 4", |stand| {
        let former = stand.take_away();
        stand.put(former, "uid-of-another");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_gone_is_told_as_gone() {
    without_it("it is gone", "refused 404", |stand| drop(stand.take_away())).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_always_says_conflict_is_asked_four_times_at_most() {
    let rows = each(async |stand: Stand| {
        let went = stand.meets(Way::Conflict).await;
        let row = stand.row(&went);
        let (words, times) = match () {
            () if stand.creates() => ("it exists already: the object has been modified", 1),
            () if stand.rehearsal.plan.strict_lock => ("was modified since the plan was made", 1),
            () => ("it was modified since it was read; it was sent 4 times", 4),
        };
        assert!(row.contains(words), "{}: {row}", stand.id.name());
        assert_eq!(Stand::answers(&went), vec!["refused 409"; times], "{}", stand.id.name());
        stand.unchanged(&went);
        Ok(row)
    })
    .await;
    assert_eq!(cannot(&rows), "");
}

// --- 422 ---

#[tokio::test(start_paused = true)]
async fn what_breaks_the_servers_rules_is_told_in_its_own_words() {
    let words = RULES.map(|(_, sentence)| sentence);
    assert_eq!(cannot(&refuses(Way::Invalid, "refused 422", &words).await), "");
}

#[tokio::test(start_paused = true)]
async fn a_stage_that_the_definition_does_not_permit_is_told_in_its_own_words() {
    let transition = "the stage transition is not permitted. Please refer to status.validNextStages for valid \
                      transitions. If status.validNextStages is not present, it indicates that no transitions are \
                      currently allowed";
    let rows = each(async |stand: Stand| {
        let Theirs::Edit(change) = stand.case.theirs else { return Err(Because::NoStage) };
        if !matches!(stand.rehearsal.plan.effect, Effect::ImageStage { .. }) {
            return Err(Because::NoStage);
        }
        stand.edit(change);
        let theirs = everything(&stand.lab);
        // With its lock the request is refused before the definition's rules are asked.
        let hurdle = Hurdle::new(&stand.lab.client, Way::Unlocks);
        let went = stand.send(&hurdle, Watch::Behind, Hurdle::sent).await;
        let row = stand.row(&went);
        let sentence = match stand.id {
            // Somebody else's Prep is under way already: it is no transition.
            ActionId::IbuPrep => "can not change spec.seedImageRef while ibu is in progress",
            _ => transition,
        };
        assert!(row.starts_with("failed: ") && row.contains(sentence), "{row}");
        assert_eq!(Stand::answers(&went), ["refused 422"], "{}", stand.id.name());
        assert_eq!(Stand::changed(&theirs, &went.after), Vec::<String>::new(), "{}", stand.id.name());
        Ok(row)
    })
    .await;
    assert_eq!(rows.matches("failed: ").count(), 4, "Prep, Upgrade, Rollback and Idle:\n{rows}");
    insta::assert_snapshot!(rows);
}

// --- 429 ---

#[tokio::test(start_paused = true)]
async fn a_server_that_is_busy_is_not_asked_again_by_itself() {
    let words = ["the server asks to slow down, try again in 7 s: too many requests"];
    assert_eq!(cannot(&refuses(Way::TooMany, "refused 429", &words).await), "");
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_allows_nothing_any_more_is_told_by_its_name() {
    let rows = each(async |stand: Stand| {
        if stand.first().verb != Verb::Evict && !stand.drains() {
            return Err(Because::NoBudget);
        }
        let spent = |budget: &mut Value| {
            budget["status"]["disruptionsAllowed"] = json!(0);
            budget["status"]["currentHealthy"] = json!(1);
        };
        assert!(stand.lab.store.update(Res::PDBS, Some("shop"), "web", spent));
        let went = stand.goes(Watch::Live).await;
        let row = stand.row(&went);
        assert!(matches!(went.done.outcome, Outcome::Failed { .. }), "{row}");
        let evictions = Stand::answers(&went).into_iter().skip(usize::from(stand.drains())).collect::<Vec<_>>();
        assert!(evictions.iter().all(|answer| answer == "refused 429"), "{evictions:?}");
        assert!(stand.lab.store.get(Res::PODS, Some("shop"), super::cases::POD).is_some());
        Ok(format!("{row} (asked: {})", evictions.len()))
    })
    .await;
    insta::assert_snapshot!(rows);
}

// --- A field that the server does not know ---

#[tokio::test(start_paused = true)]
async fn a_field_that_is_dropped_is_an_error_that_names_it_in_the_rehearsal_and_in_the_write() {
    let rows = each(async |stand: Stand| {
        if stand.removes() {
            return Err(Because::NothingStored);
        }
        let (pointer, words) = stand.dropped().await;
        let name = pointer.rsplit('/').next().unwrap().replace("~1", "/");
        let named = |words: &str| words.contains("did not store it: ") && words.contains(&name);
        assert!(named(&words), "{}: {words}", stand.id.name());
        let went = stand.meets(Way::Prunes(pointer)).await;
        let row = stand.row(&went);
        assert!(row.starts_with("failed: ") && named(&row), "{}: {row}", stand.id.name());
        assert!(went.done.outcome.done().is_empty(), "it is no success");
        let answers = Stand::answers(&went);
        assert!(matches!(answers.as_slice(), [one] if one.starts_with("refused 20")), "{answers:?}");
        let changed = Stand::changed(&stand.before, &went.after);
        assert!(changed.iter().all(|name| *name == stand.place(stand.first()).key()), "{changed:?}");
        Ok(row)
    })
    .await;
    insta::assert_snapshot!(rows);
}

// --- Nobody answers ---

#[tokio::test(start_paused = true)]
async fn a_server_that_is_gone_was_sent_nothing() {
    let rows = refuses(Way::Refused, "refused 0", &["it was not sent: nobody listens"]).await;
    assert_eq!(cannot(&rows), "");
}

/// The write has no answer: nothing is claimed, and it is not sent again.
async fn has_no_answer(stand: &Stand, way: Way) -> (Went, String) {
    let went = stand.meets(way).await;
    let row = stand.row(&went);
    assert!(matches!(went.done.outcome, Outcome::Unknown { .. }), "{}: {row}", stand.id.name());
    assert_eq!(Stand::answers(&went), ["unknown"], "{}: it is sent once", stand.id.name());
    assert_eq!(went.done.outcome.unproved().len(), 1, "the watch will tell");
    for left in &stand.writes()[1..] {
        assert!(row.contains("; not sent: ") && row.contains(&left.object), "{row}");
    }
    (went, row)
}

#[tokio::test(start_paused = true)]
async fn what_got_lost_is_neither_success_nor_failure() {
    let rows = each(async |stand: Stand| {
        let (went, _) = has_no_answer(&stand, Way::Fails).await;
        stand.unchanged(&went);
        let (went, row) = has_no_answer(&stand, Way::Breaks).await;
        stand.unchanged(&went);
        let read = "; read again, it is as it was before: it was not applied so far";
        let absent = "; read again, it does not exist: it was not applied so far";
        assert!(row.contains(if stand.creates() { absent } else { read }), "{}: {row}", stand.id.name());
        // Nobody can be asked by then.
        let (went, deaf) = has_no_answer(&stand, Way::GoesSilent).await;
        stand.unchanged(&went);
        assert!(deaf.contains("; it is not known whether it was applied, the watch will tell"), "{deaf}");
        // Taken up by somebody else: that nothing is asked for shows already.
        let rests = matches!(stand.id, ActionId::IbuManualCleanupDone | ActionId::RebuildImage);
        assert!(rests || !found_again(&stand, &went).await, "{}: nothing was stored", stand.id.name());
        Ok(row)
    })
    .await;
    assert_eq!(cannot(&rows), "");
}

#[tokio::test(start_paused = true)]
async fn what_was_stored_although_its_answer_got_lost_is_found_again() {
    let rows = each(async |stand: Stand| {
        let (went, row) = has_no_answer(&stand, Way::LosesReply).await;
        stand.only(stand.first(), &went);
        assert!(stand.stored(stand.first()), "{}", stand.id.name());
        assert!(row.contains("; it was applied all the same, as reading it again shows"), "{}: {row}", stand.id.name());
        // These wait for the agent or the builder to take it up, and nobody plays them here.
        let taken_up = match stand.id {
            ActionId::IbuPrep | ActionId::IbuUpgrade | ActionId::IbuRollback | ActionId::IbuIdle => true,
            id => matches!(id, ActionId::IbuManualCleanupDone | ActionId::RebuildImage),
        };
        assert!(taken_up || found_again(&stand, &went).await, "{}: {row}", stand.id.name());
        Ok(if taken_up { "stored; whoever takes it up proves it" } else { "found again" }.to_owned())
    })
    .await;
    insta::assert_snapshot!(rows);
}

// --- The evictions of a drain ---

#[tokio::test(start_paused = true)]
async fn what_evictions_of_a_drain_meet_is_waited_out_or_told() {
    let mut rows = String::new();
    for way in [
        Way::Expired,
        Way::Conflict,
        Way::Invalid,
        Way::TooMany,
        Way::Refused,
        Way::Fails,
        Way::Breaks,
        Way::LosesReply,
    ] {
        let stand = Stand::new(ActionId::DrainNodes).await;
        let went = stand.meets_after(1, way.clone()).await;
        let row = stand.row(&went);
        let answers = Stand::answers(&went);
        let gone = stand.lab.store.get(Res::PODS, Some("shop"), super::cases::POD).is_none();
        assert_eq!(gone, matches!(way, Way::LosesReply), "{way:?}: {row}");
        assert_eq!(gone, matches!(went.done.outcome, Outcome::Accepted { .. }), "{way:?}: {row}");
        assert!(stand.stored(stand.first()), "{way:?}: the node stays cordoned");
        let tries = answers.len() - 1;
        assert_eq!(tries == 1, matches!(way, Way::Invalid | Way::LosesReply), "{way:?}: {answers:?}");
        rows += &format!("{:<10} {row} (asked: {tries}, {})\n", format!("{way:?}"), answers[1]);
    }
    insta::assert_snapshot!(rows);
}
