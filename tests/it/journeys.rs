//! Journeys: the real binary in a pseudo-terminal, as the person at the keyboard meets it.

use rustix::process::Signal;

use crate::support::{Home, Sim, Terminal};

const SIZE: (u16, u16) = (120, 40);

#[test]
fn without_a_terminal_it_says_so() {
    let home = Home::new();
    let output = home.run(&["demo"]);
    assert_eq!(output.status.code(), Some(1));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("standard output is not a terminal"), "{words}");
}

#[test]
fn a_dumb_terminal_is_refused_in_words() {
    let home = Home::new();
    let mut terminal = Terminal::cockpit_with(&home, &["demo"], SIZE, &[("TERM", "dumb")]);
    assert_eq!(terminal.end(), 1);
    assert!(terminal.text().contains("TERM=dumb"), "{}", terminal.text());
    terminal.assert_intact();
}

#[test]
fn term_gives_the_terminal_back() {
    let home = Home::new();
    let mut terminal = Terminal::cockpit(&home, &[], SIZE);
    terminal.wait("the alternate screen", vt100::Screen::alternate_screen);
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.end(), 143);
    terminal.assert_intact();
}

#[test]
fn a_panic_gives_the_terminal_back_and_tells_about_it() {
    let home = Home::new();
    let mut terminal = Terminal::cockpit(&home, &["--panic-on", "~"], SIZE);
    terminal.wait("the alternate screen", vt100::Screen::alternate_screen);
    terminal.press("~");
    assert_eq!(terminal.end(), 101);
    terminal.assert_intact();
    let text = terminal.text();
    assert!(text.contains("asked for by --panic-on ~"), "{text}");
    assert!(text.contains("The log may say more"), "{text}");
}

#[test]
fn ctrl_c_twice_leaves_whatever_is_on_the_screen() {
    let home = Home::new();
    let mut terminal = Terminal::cockpit(&home, &[], SIZE);
    terminal.wait("the alternate screen", vt100::Screen::alternate_screen);
    terminal.press("\x03\x03");
    assert_eq!(terminal.end(), 0);
    terminal.assert_intact();
}

#[test]
fn a_wrong_configuration_is_told_with_file_and_line() {
    let home = Home::new();
    home.configure("theme: dark\nmouse: sometimes\n");
    let output = home.run(&["config"]);
    assert_eq!(output.status.code(), Some(1));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("config.yaml:2:"), "{words}");
}

#[test]
fn config_prints_the_paths_and_what_holds() {
    let home = Home::new();
    home.configure("theme: light\nthema: dark\n");
    let output = home.run(&["config", "--ascii"]);
    assert_eq!(output.status.code(), Some(0));
    let words = String::from_utf8(output.stdout).unwrap();
    assert!(words.contains("state/oc-cockpit/audit.jsonl"), "{words}");
    assert!(words.contains("theme: light") && words.contains("ascii: true"), "{words}");
    assert!(words.contains("unknown key `thema`"), "{words}");
}

#[test]
fn the_simulator_serves_until_it_is_asked_to_end() {
    let home = Home::new();
    let mut sim = Sim::start(&home, &["--scenario", "minor"]);
    assert!(std::fs::read_to_string(&sim.kubeconfig).unwrap().contains("certificate-authority-data"));
    assert_eq!(sim.stop(), Some(0));
}
