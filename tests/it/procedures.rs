//! What docs/procedures.md says is true: every step is gone through by its keys and by its line, in its situation.

mod files;
mod person;
mod prepared;
mod shell;
mod steps;
mod table;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::path::Path;

use futures::FutureExt as _;
use oc_cockpit::actions::outcome::Rehearsal;
use oc_cockpit::actions::{ActionId, Refusal};

use person::{Person, flat};
use shell::Told;
use steps::{Leads, PREPARATIONS};
use table::{Step, codes, rows};
use world::World;

const NEVER: &str = include_str!("../../docs/never.md");

/// The names of all tests of this project.
fn tests() -> BTreeSet<String> {
    fn read(folder: &Path, names: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, names);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let mut marked = false;
                for line in text.lines().map(str::trim) {
                    if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                        marked = true;
                    } else if let Some((before, rest)) = line.split_once("fn ")
                        && std::mem::take(&mut marked)
                        && (before.is_empty() || before == "async ")
                    {
                        names.extend(rest.split('(').next().map(str::to_owned));
                    }
                }
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = BTreeSet::new();
    read(&root.join("src"), &mut names);
    read(&root.join("tests"), &mut names);
    names
}

#[test]
fn all_procedures_are_there() {
    let headings: BTreeSet<&str> = table::steps().iter().map(|step| step.procedure).collect();
    let wanted: Vec<String> = (1..=15).map(|number| format!("P{number}")).collect();
    let missing: Vec<&String> = wanted.iter().filter(|name| !headings.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_test_that_is_named_for_what_is_never_offered_exists() {
    let tests = tests();
    for row in rows(NEVER) {
        let [name] = codes(row.cells[2])[..] else { panic!("{row:?}: one test") };
        assert!(row.cells.len() == 3 && tests.contains(name), "{}: there is no test {name}", row.cells[0]);
    }
}

#[test]
fn every_action_has_its_place_in_a_procedure() {
    let lines: Vec<&str> = table::steps().iter().flat_map(|step| codes(step.line)).collect();
    let missing: Vec<&str> = ActionId::ALL
        .iter()
        .map(|id| id.name())
        .filter(|name| !lines.iter().any(|line| line.split_whitespace().nth(2) == Some(name)))
        .collect();
    assert!(missing.is_empty(), "no procedure uses {missing:?}");
}

#[test]
fn every_step_is_prepared_and_nothing_else() {
    let written: Vec<(&str, &str)> =
        table::steps().iter().filter(|step| !step.waits()).map(|step| (step.procedure, step.words)).collect();
    let prepared: Vec<(&str, &str)> = PREPARATIONS.iter().map(|(procedure, words, ..)| (*procedure, *words)).collect();
    assert_eq!(written, prepared, "the table and the preparations differ");
}

/// A plan, as far as two people who asked for it in different ways have to agree.
fn told(rehearsal: &Rehearsal) -> (String, Vec<String>) {
    let plan = &rehearsal.plan;
    let mut writes: Vec<String> =
        plan.writes.iter().map(|write| format!("{:?} {} {}", write.verb, write.path, write.body)).collect();
    writes.extend(plan.drain.iter().map(|drain| format!("{drain:?}")));
    writes.extend(plan.questions.iter().map(|question| format!("{question:?}")));
    writes.push(format!("{:?} {:?}", plan.danger, plan.confirm));
    (plan.title.clone(), writes)
}

/// A plan that the server would accept, with this title.
fn accepted(by: &str, rehearsal: &Rehearsal, title: &str) -> Result<(), String> {
    if rehearsal.plan.title != title {
        return Err(format!("{by} lead to {:?} in place of {title:?}", rehearsal.plan.title));
    }
    if !rehearsal.ok() || rehearsal.plan.writes.is_empty() && rehearsal.plan.drain.is_none() {
        return Err(format!("{by} lead to a plan that is not whole or not accepted: {:?}", rehearsal.steps));
    }
    Ok(())
}

/// One step by its line and by its keys.
async fn taken(world: &World, step: &Step, leads: Leads) -> Result<(), String> {
    let line = shell::run(world, step.written_line()).await;
    let mut person = Person::at(world).await;
    for press in step.presses() {
        person.press(&press).await.map_err(|why| format!("at {press:?}: {why}\n{}", person.screen()))?;
    }
    match (leads, line) {
        (Leads::Plan(title, fact), Told::Plan(by_line, page)) => {
            let by_keys = match person.plan.take() {
                Some(Ok(rehearsal)) => rehearsal,
                Some(Err(Refusal(why))) => return Err(format!("the keys are refused: {why}")),
                None => return Err(format!("the keys lead to no plan; the line to\n{page}\n{}", person.screen())),
            };
            let (keys, line) = (told(&by_keys), told(&by_line));
            if keys != line {
                return Err(format!("the keys lead to\n{keys:#?}\nand the line to\n{line:#?}"));
            }
            accepted("keys and line", &by_line, title).map_err(|why| format!("{why}\n{page}"))?;
            if !flat(&page).contains(fact) {
                return Err(format!("the plan does not tell {fact:?}:\n{page}"));
            }
            if !person.sees(title).await {
                return Err(format!("the plan is not on the screen:\n{}", person.screen()));
            }
            Ok(())
        }
        (Leads::Refusal(words), Told::Refused(why)) => {
            let screen = person.screen();
            let shown = format!("{} {}", flat(&screen), flat(&person.copied().await));
            match (why.contains(words), shown.contains(words)) {
                (true, true) if person.plan.as_ref().is_none_or(Result::is_err) => Ok(()),
                (false, _) => Err(format!("the line is refused: {why}\nand not: {words}")),
                _ => Err(format!("the keys lead to no refusal with {words:?}; the line: {why}\n{screen}\n{shown}")),
            }
        }
        (Leads::Sight(screen, page), Told::Page(text)) => {
            for fact in page {
                if !flat(&text).contains(fact) {
                    return Err(format!("the line does not tell {fact:?}:\n{text}"));
                }
            }
            for fact in screen {
                let before = person.screen();
                if !person.sees(fact).await {
                    return Err(format!("the screen does not show {fact:?}:\n{before}"));
                }
            }
            Ok(())
        }
        (_, Told::Refused(why)) => Err(format!("the line is refused: {why}\n{}", person.screen())),
        (_, Told::Plan(_, page)) => Err(format!("the line leads to a plan:\n{page}\n{}", person.screen())),
        (_, Told::Page(page)) => Err(format!("the line looks:\n{page}")),
    }
}

/// All steps of a procedure that are inside the cluster, in their order; steps in the same situation share it, since none
/// of them changes anything.
async fn go_through(procedure: &str) {
    let mut worlds: BTreeMap<&str, World> = BTreeMap::new();
    let mut failed = Vec::new();
    let steps: Vec<Step> = table::steps().into_iter().filter(|step| step.procedure == procedure).collect();
    assert!(!steps.is_empty());
    for step in steps.iter().filter(|step| !step.waits()) {
        let preparation = PREPARATIONS.iter().find(|(of, words, ..)| (*of, *words) == (step.procedure, step.words));
        let Some((_, _, situation, leads)) = preparation else {
            failed.push(format!("{}: nothing is prepared for it", step.words));
            continue;
        };
        let went = async {
            if !worlds.contains_key(situation) {
                let before = prepared::grown_from(situation).map(|name| worlds.remove(name).expect(name));
                let world = match before {
                    Some(world) => prepared::grown(situation, world).await,
                    None => Box::pin(prepared::prepared_for(situation)).await,
                };
                worlds.insert(situation, world);
            }
            let world = &worlds[situation];
            let before = world.store.resource_version();
            let taken = Box::pin(taken(world, step, *leads)).await;
            assert_eq!(world.store.resource_version(), before, "looking and rehearsing change nothing");
            taken
        };
        let went = Box::pin(AssertUnwindSafe(went).catch_unwind()).await;
        let why = match went {
            Ok(Ok(())) => continue,
            Ok(Err(why)) => why,
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
            }
        };
        failed.push(format!("{procedure}: {}\n({situation}) {} | {}\n{why}", step.words, step.keys, step.line));
    }
    assert!(failed.is_empty(), "{} steps fail:\n\n{}", failed.len(), failed.join("\n\n========\n\n"));
}

macro_rules! gone_through {
    ($($name:ident = $procedure:literal,)*) => {$(
        #[tokio::test]
        async fn $name() {
            go_through($procedure).await;
        }
    )*};
}

gone_through! {
    before_any_update = "P1",
    machine_health_checks = "P2",
    update_through_a_channel = "P3",
    how_long_it_takes = "P4",
    two_minors_with_one_reboot_of_the_workers = "P5",
    canary_by_custom_pools = "P6",
    disconnected_without_an_update_service = "P7",
    disconnected_with_a_local_update_service = "P8",
    manually_maintained_cloud_credentials = "P9",
    rhel_workers = "P10",
    hardware_of_virtual_machines = "P11",
    single_node = "P12",
    image_based_upgrade_of_a_single_node = "P13",
    what_went_wrong_in_the_field = "P14",
    machine_configuration = "P15",
}
