//! The hook command: run by the shell, with the story in its environment.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::app::Story;
use crate::ui::neutral::neutral;

/// A hook that takes longer is ended.
const LIMIT: Duration = Duration::from_secs(90);

/// Runs `command`. It gets no terminal: its output goes nowhere, its errors into the words of the answer. What servers
/// said is made harmless first: hooks print it to terminals and logs, and a NUL would keep the command from starting.
pub async fn run(command: String, story: Story) -> Result<(), String> {
    let plain = |text: &str| neutral(text).into_owned();
    let mut child = Command::new("sh");
    child
        .args(["-c", &command])
        .env("COCKPIT_EVENT", story.news.word())
        .env("COCKPIT_VERDICT", story.verdict)
        .env("COCKPIT_WHY", plain(&story.why))
        .env("COCKPIT_CONTEXT", plain(&story.context))
        .env("COCKPIT_FROM", plain(&story.from))
        .env("COCKPIT_TO", plain(&story.to))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let output = tokio::time::timeout(LIMIT, child.output())
        .await
        .map_err(|_| format!("the hook command took longer than {} s and was ended", LIMIT.as_secs()))?
        .map_err(|error| format!("the hook command could not be started: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let last = errors.lines().last().unwrap_or_default();
    Err(format!("the hook command failed ({}): {last}", output.status))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::News;

    fn story() -> Story {
        Story {
            news: News::Done,
            verdict: "completed",
            why: "all done; `rm -rf`".into(),
            context: "lab".into(),
            from: "4.18.22".into(),
            to: "4.18.25".into(),
        }
    }

    #[tokio::test]
    async fn a_hook_finds_the_story_in_its_environment() {
        let check = r#"test "$COCKPIT_EVENT $COCKPIT_TO $COCKPIT_WHY" = 'done 4.18.25 all done; `rm -rf`'"#;
        assert_eq!(run(check.into(), story()).await, Ok(()));
    }

    #[tokio::test]
    async fn what_a_server_said_reaches_a_hook_harmless() {
        let why = "waits\u{0} on \u{1b}]0;owned\u{7}\nnothing".to_owned();
        let check = "test \"$COCKPIT_WHY\" = 'waits\u{fffd} on \u{fffd}]0;owned\u{fffd} nothing'".to_owned();
        assert_eq!(run(check, Story { why, ..story() }).await, Ok(()));
    }

    #[tokio::test]
    async fn a_hook_that_fails_says_why() {
        let words = run("echo no route >&2; exit 3".into(), story()).await.unwrap_err();
        assert!(words.contains("no route") && words.contains('3'), "{words}");
    }
}
