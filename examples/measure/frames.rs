//! Judging and drawing in this process: percentiles, which criterion does not tell.

use std::sync::Arc;
use std::time::Duration;

use oc_cockpit::app::Msg;
use oc_cockpit::clock::{instant, now};
use oc_cockpit::input::Key;
use oc_cockpit::upgrade::assess::assess;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::picture::{TABS, app, assessed, cluster, facts};
use super::{median, millis, p99};

const JUDGED: usize = 200;
const FRAMES: usize = 500;
/// So many frames for one new picture of the cluster.
const PICTURE_EVERY: usize = 10;

/// `assess` of the picture of so many workers, each time as the one after another.
pub fn judging(workers: usize) {
    let facts = facts(&cluster(workers));
    let (memory, _) = assessed(&facts);
    let mut times: Vec<Duration> = (0..JUDGED)
        .map(|_| {
            let (now, began) = (now(), instant());
            std::hint::black_box(assess(Arc::clone(&facts), &memory, now));
            instant() - began
        })
        .collect();
    let median = millis(median(&mut times));
    println!("assess, {workers} workers      {median:>8.2} ms p50, {:.2} ms p99 (budget 5)", millis(p99(&times)));
}

/// Frames of 200x60 of each tab: a step down in each, and now and then a new picture, whose rows are then made anew.
pub fn drawing(workers: usize) {
    let facts = facts(&cluster(workers));
    let (memory, first) = assessed(&facts);
    for tab in TABS {
        let mut app = app(tab, &first);
        let mut terminal = Terminal::new(TestBackend::new(200, 60)).unwrap();
        let mut frames = Vec::with_capacity(FRAMES);
        for turn in 0..FRAMES {
            let picture = (turn % PICTURE_EVERY == 0).then(|| Arc::new(assess(Arc::clone(&facts), &memory, now())));
            let (now, began) = (now(), instant());
            if let Some(picture) = picture {
                app.update(Msg::Assessed(picture), now);
            }
            app.update(Msg::Key(Key::char('j')), now);
            terminal.draw(|frame| app.draw(frame)).unwrap();
            frames.push(instant() - began);
        }
        let median = millis(median(&mut frames));
        println!(
            "frame, {tab:<10}         {median:>8.2} ms p50, {:.2} ms p99 (budget 3), {workers} workers",
            millis(p99(&frames))
        );
    }
}
