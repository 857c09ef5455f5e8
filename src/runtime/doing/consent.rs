//! The person's consent: given beforehand by flags, or asked for on a terminal.

use std::io::{self, IsTerminal, Write};

use super::complain;
use crate::actions::audit::Given;
use crate::actions::{Confirm, Plan, Question};
use crate::cli::Act;
use crate::upgrade::neutral::neutral_lines;

/// Is somebody there to be asked, and nothing said beforehand?
pub fn asks(act: &Act) -> bool {
    act.yes.is_none() && !act.dry_run && io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// The answers to the questions of the plan, once it is confirmed.
///
/// # Errors
/// Why it is not, in words.
pub async fn consent(plan: &Plan, act: &Act) -> Result<Vec<Given>, String> {
    let asked = |given: &&Given| plan.questions.iter().any(|question| question.name == given.name);
    for idle in act.answers.iter().filter(|given| !asked(given)) {
        complain(&format!("the plan asks nothing that is called `{}`", idle.name), "");
    }
    if asks(act) { ask(plan, act).await } else { given(plan, act) }
}

/// By the flags alone.
fn given(plan: &Plan, act: &Act) -> Result<Vec<Given>, String> {
    let answer = |question: &Question| {
        let given = act.answers.iter().find(|given| given.name == question.name);
        given.filter(|given| question.unanswered_by(&given.answer).is_none())
    };
    let mut missing = Vec::new();
    match (&plan.confirm, &act.yes) {
        (Confirm::Button, Some(_)) => {}
        (Confirm::Button, None) => missing.push("--yes".to_owned()),
        (Confirm::Type(text), Some(Some(typed))) if typed == text => {}
        (Confirm::Type(text), _) => missing.push(format!("--yes={text}")),
    }
    let open = plan.questions.iter().filter(|question| answer(question).is_none());
    missing.extend(open.map(|question| {
        let text = question.exactly.as_deref().unwrap_or("TEXT");
        format!("--answer {}={text} ({})", question.name, question.words)
    }));
    if missing.is_empty() {
        return Ok(plan.questions.iter().filter_map(answer).cloned().collect());
    }
    Err(format!("not confirmed, nothing was sent: it needs {}", missing.join(" and ")))
}

/// On the terminal.
async fn ask(plan: &Plan, act: &Act) -> Result<Vec<Given>, String> {
    let mut answers = Vec::new();
    for question in &plan.questions {
        let fits = |given: &&Given| given.name == question.name && question.unanswered_by(&given.answer).is_none();
        if let Some(known) = act.answers.iter().find(fits) {
            answers.push(known.clone());
            continue;
        }
        let exactly = question.exactly.as_ref().map(|text| format!("(type {text}) ")).unwrap_or_default();
        let answer = line(&format!("{} {exactly}", question.words)).await?;
        if let Some(why) = question.unanswered_by(&answer) {
            return Err(format!("nothing was sent: not answered: {why}"));
        }
        answers.push(Given { name: question.name.clone(), answer });
    }
    let agreed = match &plan.confirm {
        Confirm::Button => {
            let answer = line(&format!("{}? [y/N] ", plan.title)).await?.to_lowercase();
            matches!(answer.as_str(), "y" | "yes")
        }
        Confirm::Type(text) => line(&format!("{}: type {text} to confirm: ", plan.title)).await? == *text,
    };
    if agreed { Ok(answers) } else { Err("not confirmed, nothing was sent".to_owned()) }
}

/// Writes to stderr what has to be read before an answer is given.
pub fn say(text: &str) {
    let mut out = io::stderr().lock();
    // Nobody is left to tell.
    let _ = writeln!(out, "{text}");
}

/// A line that the person types.
async fn line(prompt: &str) -> Result<String, String> {
    let prompt = neutral_lines(prompt).join(" ");
    {
        let mut out = io::stderr().lock();
        let _ = write!(out, "{prompt}").and_then(|()| out.flush());
    }
    let read = tokio::task::spawn_blocking(|| {
        let mut text = String::new();
        io::stdin().read_line(&mut text).map(|_| text.trim().to_owned())
    });
    match read.await {
        Ok(Ok(text)) => Ok(text),
        Ok(Err(error)) => Err(format!("nothing was sent: the terminal cannot be read: {error}")),
        Err(_) => Err("nothing was sent: the terminal cannot be read".to_owned()),
    }
}
