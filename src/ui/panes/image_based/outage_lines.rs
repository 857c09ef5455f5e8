//! The reboot, with its countdown: always as a range.

use chrono::{DateTime, TimeDelta, Utc};

use crate::ui::words;
use crate::upgrade::image_based::pivot_outage::{Outage, USUALLY};

/// `usually back in 3-12m`, `longer than usual by 4m`, and from when it goes back by itself.
pub fn outage_words(outage: &Outage, now: DateTime<Utc>) -> String {
    let back = match outage.usually_back() {
        None => format!("usually away for {}", words::range(USUALLY.0, USUALLY.1)),
        Some((_, to)) if now > to => format!("away longer than usual by {}", words::duration(now - to)),
        Some((from, to)) if now >= from => format!("usually back by now, or within {} more", words::duration(to - now)),
        Some((from, to)) => format!("usually back in {}", words::range(from - now, to - now)),
    };
    match outage.rolls_back {
        Some(at) if outage.began.is_some() && at > now => {
            let left = at - now;
            let (at, left) = (words::clock(at, now), words::duration(left));
            format!("{back}; if it is not completed it rolls back by itself, not before {at} (in {left})")
        }
        Some(at) if outage.began.is_some() => {
            format!("{back}; since {} it may be rolling back by itself", words::clock(at, now))
        }
        _ => back,
    }
}

/// What is left until `at`, or how long it is past.
pub fn until(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let left = at - now;
    if left >= TimeDelta::zero() {
        format!("{} left", words::duration(left))
    } else {
        format!("over since {}", words::duration(-left))
    }
}
