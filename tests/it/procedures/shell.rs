//! A person at a shell: lines as they are written, by the same code as the program, without its output.

use std::ffi::OsString;

use oc_cockpit::actions::outcome::Rehearsal;
use oc_cockpit::actions::{Material, Refusal, plan, split};
use oc_cockpit::cli::{self, Act, Command, Wish};
use oc_cockpit::report::plan::Page;
use oc_cockpit::report::status::Status;
use oc_cockpit::report::{self, Format, Look};
use oc_cockpit::runtime::logs::{self, Piece};
use oc_cockpit::upgrade::needs::{Purpose, Wanted};
use oc_cockpit::upgrade::{preflight, updates};

use super::world::World;

/// What a line came to.
pub enum Told {
    /// It told this.
    Page(String),
    /// An action, rehearsed, and its page.
    Plan(Box<Rehearsal>, String),
    /// It was refused.
    Refused(String),
}

fn command(line: &str) -> Command {
    let words = split(line).unwrap();
    assert_eq!(words[0], "oc-cockpit", "{line}");
    let parsed = cli::parse(words.iter().map(OsString::from));
    parsed.unwrap_or_else(|error| panic!("{line}: {error}")).command.unwrap_or_else(|| panic!("{line}: no command"))
}

/// Runs a line; an action ends with its dry run.
pub async fn run(world: &World, line: &str) -> Told {
    let look = Look { width: 120, ..Look::default() };
    let seen = |purpose: Purpose| async move { world.look(&Wanted::from(purpose)).await };
    match command(line) {
        Command::Status(args) => {
            let status = Status::of(&*seen(args.purpose()).await, args.details, Vec::new());
            Told::Page(report::render(&status, args.output, &look).unwrap())
        }
        Command::Updates(args) => {
            assert_eq!(args.answer.output, Format::Text);
            let options = report::updates::Options {
                version: args.version,
                all: args.all,
                accept: args.accept,
                look,
                problems: Vec::new(),
            };
            Told::Page(report::updates::text(&updates::updates(&*seen(Purpose::Updates).await), &options))
        }
        Command::Preflight(args) => {
            assert_eq!(args.answer.output, Format::Text);
            let answer = preflight::preflight(&*seen(Purpose::Preflight).await, args.to.as_deref());
            Told::Page(report::preflight::text(&answer, &report::preflight::Options { look, problems: Vec::new() }))
        }
        Command::Logs(args) => {
            let (seen, mut page) = (seen(Purpose::Watch).await, String::new());
            let told = logs::tell(&world.desk().requests, &seen, &args, |piece| {
                let (Piece::Line(text) | Piece::Aside(text)) = piece;
                page += &format!("{text}\n");
                true
            });
            match told.await {
                Ok(()) => Told::Page(page),
                Err(why) => Told::Refused(why),
            }
        }
        Command::Do(args) => match args.wish {
            Wish::Act(act) => acted(world, &act, &look).await,
            Wish::List { .. } => panic!("{line}: a list is no step"),
        },
        _ => panic!("{line}: neither an answer nor an action"),
    }
}

async fn rehearsed(world: &World, act: &Act) -> Result<Rehearsal, Refusal> {
    let kinds = act.ask.action.entry().needs.iter().copied().collect();
    let seen = world.look(&Wanted { kinds, ..Wanted::default() }).await;
    let session = World::session();
    let plan = plan(&seen, &session, &act.ask, &Material::default())?;
    world.rehearse(&seen, &session, plan).await
}

async fn acted(world: &World, act: &Act, look: &Look) -> Told {
    match rehearsed(world, act).await {
        Err(Refusal(words)) => Told::Refused(words),
        Ok(rehearsal) => {
            let asked: Vec<&str> = rehearsal.plan.questions.iter().map(|question| question.name.as_str()).collect();
            let strangers = act.answers.iter().find(|answer| !asked.contains(&answer.name.as_str()));
            assert_eq!(strangers, None, "an answer to no question of {asked:?}");
            let page = report::render(&Page(&rehearsal), Format::Text, look).unwrap();
            Told::Plan(Box::new(rehearsal), page)
        }
    }
}

/// Carries a line out, for what comes after it.
pub async fn really(world: &mut World, line: &str) {
    let Command::Do(args) = command(&format!("oc-cockpit do {line}")) else { panic!("{line}") };
    let Wish::Act(act) = args.wish else { panic!("{line}") };
    let rehearsal = rehearsed(world, &act).await.unwrap_or_else(|Refusal(words)| panic!("{line}: {words}"));
    assert!(rehearsal.ok(), "{line}: {:?}", rehearsal.steps);
    let kinds = act.ask.action.entry().needs.iter().copied().collect();
    let seen = world.look(&Wanted { kinds, ..Wanted::default() }).await;
    world.carry_out(&seen, rehearsal).await;
}
