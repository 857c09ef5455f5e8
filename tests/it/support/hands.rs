//! What a person at the keyboard does again and again: confirm a plan, say a line behind `:`, close a popup, pick a node.

use oc_cockpit::clock::instant;

use super::{LIMIT, Terminal};

pub const ESC: &str = "\x1b";
pub const TAB: &str = "\t";
pub const ENTER: &str = "\r";
pub const CTRL_C: &str = "\x03";

impl Terminal {
    /// Waits until the server has rehearsed the plan on the screen.
    #[track_caller]
    pub fn rehearsed(&self) {
        self.wait("the answer to the dry run", |screen| {
            let text = screen.contents();
            let waits = |line: &str| line.contains("has not come back yet") || line.contains("still being read");
            // The buttons of a plan, not those of the form that it is made from.
            text.lines().any(|line| buttons(line).is_some() && !waits(line))
        });
    }

    /// Confirms the plan on the screen that says `says`, once the server has rehearsed it: `typed` goes through its
    /// fields. The safe button has the focus of a plan without fields.
    #[track_caller]
    pub fn confirm(&mut self, says: &str, typed: &[&str]) {
        self.wait_text(says);
        let end = instant() + LIMIT;
        loop {
            assert!(instant() < end, "{says} cannot be confirmed:\n{}", self.text());
            self.rehearsed();
            for text in typed {
                self.fill(text);
            }
            // The safe button comes before the one that confirms. When the cluster says something new about it, the plan is
            // made anew, and the safe button has the focus again, or the field that has to be filled again.
            let ready = |screen: &vt100::Screen| screen.contents().lines().any(|line| is_focused(line) || asks(line));
            self.soon(|screen| !screen.contents().lines().any(asks));
            while !self.text().lines().any(|line| is_focused(line) || asks(line)) {
                assert!(instant() < end, "{says} cannot be confirmed:\n{}", self.text());
                self.press(TAB);
                self.soon(ready);
            }
            if self.text().lines().any(is_focused) {
                return self.press(ENTER);
            }
        }
    }

    /// Types `text` into the field that has the focus, unless it has been filled in already.
    fn fill(&mut self, text: &str) {
        let (answer, word) = (format!("│ > {text}"), format!("to confirm: {text}"));
        let filled = |screen: &vt100::Screen| {
            screen.contents().lines().any(|line| line.contains(&answer) || line.contains(&word))
        };
        if self.see(filled) {
            return;
        }
        self.press(text);
        for _ in 0..10 {
            if self.soon(filled) {
                break;
            }
            self.press(text);
        }
        assert!(self.see(filled), "{text} cannot be filled in:\n{}", self.text());
        self.press(TAB);
    }

    /// Confirms a plan, and waits until the watch has shown what it was to change.
    #[track_caller]
    pub fn carry_out(&mut self, title: &str, typed: &[&str]) {
        self.confirm(title, typed);
        self.wait_line(&[title, "seen in the watch"]);
    }

    /// A line behind `:`.
    #[track_caller]
    pub fn command(&mut self, words: &str) {
        self.press(":");
        self.press(words);
        self.press(ENTER);
    }

    /// Closes what is on top, which shows `gone` and nothing below it does. Two escapes in one read would be another key.
    #[track_caller]
    pub fn close(&mut self, gone: &str) {
        self.press(ESC);
        self.wait_gone(gone);
    }

    /// Narrows the tab of the nodes to the one of that name, on which the selection is then.
    #[track_caller]
    pub fn pick_node(&mut self, name: &str) {
        self.press("4");
        self.wait_text("[4 Nodes");
        self.wait_text("master-2");
        self.press("/");
        self.press(name);
        self.press(ENTER);
        self.wait_gone("master-2");
    }

    /// Opens the finding of that id, from the tab of the findings, where no other is listed then.
    #[track_caller]
    pub fn open_finding(&mut self, id: &str) {
        self.press("5");
        self.wait_text("[5 Findings");
        self.wait_text(id);
        self.press("/");
        self.press(id);
        self.press(ENTER);
        self.wait_text(&format!("/{id} 1/"));
        self.press(ENTER);
        self.wait_text(&format!(": {id}]"));
        self.wait_gone("[Findings ");
    }

    /// Goes on to the remedy that says `words`, in the finding that is open, and plans it.
    #[track_caller]
    pub fn plan_remedy(&mut self, words: &str) {
        let chosen = |screen: &str| screen.lines().find(|line| line.contains('▌')).map(str::to_owned);
        while !chosen(&self.text()).is_some_and(|line| line.contains(words)) {
            let before = chosen(&self.text());
            self.press(TAB);
            self.wait("another remedy", |screen| chosen(&screen.contents()).is_some_and(|now| Some(now) != before));
        }
        self.wait_text("x plans it");
        self.press("x");
    }

    /// Leaves by ctrl-c; the terminal is as it was.
    #[track_caller]
    pub fn leave(&mut self) {
        self.press(CTRL_C);
        assert_eq!(self.end(), 0);
        self.assert_intact();
    }
}

/// What stands behind the safe button, when this is the line of the buttons of a plan: a form has such a line too.
fn buttons(line: &str) -> Option<&str> {
    line.split_once("leave it").map(|(_, rest)| rest).filter(|rest| !rest.contains("show the plan"))
}

/// Does this line say that something has to be typed before the plan can be confirmed?
fn asks(line: &str) -> bool {
    line.contains("to be answered first") || (line.contains(" to confirm") && !line.contains(" to confirm:"))
}

/// Is this the line of the buttons, with the focus on the one that confirms, and nothing in its way?
fn is_focused(line: &str) -> bool {
    let Some(rest) = buttons(line) else { return false };
    let Some((_, behind)) = rest.split_once(" ]") else { return false };
    rest.trim_start().starts_with("[ ") && behind.split('│').next().is_some_and(|behind| behind.trim().is_empty())
}
