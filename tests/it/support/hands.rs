//! What a person at the keyboard does again and again: confirm a plan, say a line behind `:`, close a popup, pick a node.

use super::Terminal;

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
            text.lines().any(|line| line.contains("leave it") && !line.contains("has not come back yet"))
        });
    }

    /// Confirms the plan on the screen that says `says`, once the server has rehearsed it: `typed` goes through its
    /// fields. The safe button has the focus of a plan without fields.
    #[track_caller]
    pub fn confirm(&mut self, says: &str, typed: &[&str]) {
        self.wait_text(says);
        self.rehearsed();
        for text in typed {
            self.press(text);
            self.press(TAB);
        }
        // The safe button comes before the one that confirms.
        self.wait_text("[ leave it ]");
        self.rehearsed();
        self.press(TAB);
        self.wait("the focus on the button that confirms", |screen| screen.contents().lines().any(is_focused));
        self.press(ENTER);
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

    /// Leaves by ctrl-c; the terminal is as it was.
    #[track_caller]
    pub fn leave(&mut self) {
        self.press(CTRL_C);
        assert_eq!(self.end(), 0);
        self.assert_intact();
    }
}

/// Is this the line of the buttons, with the focus on the one that confirms?
fn is_focused(line: &str) -> bool {
    line.split_once("leave it").is_some_and(|(_, rest)| rest.trim_start().starts_with("[ "))
}
