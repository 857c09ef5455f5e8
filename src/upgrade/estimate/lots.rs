//! Chance without randomness: a fixed table of draws from the normal distribution, and what is reckoned with it.
//!
//! An estimate is looked at in [`LOTS`] cases. Each uncertain number has a column of its own in the table; a column holds
//! the quantiles of the normal distribution at equal steps, in an order of its own (Latin hypercube sampling), so that a
//! column is spread as it should be and columns do not move together. The table never changes: the same facts give the
//! same estimate, and more work is never drawn shorter.

use std::sync::LazyLock;

use chrono::TimeDelta;

use super::Spread;

/// How many cases are looked at.
pub const LOTS: usize = 199;

/// How many columns there are; a column beyond them is one of them again.
pub const COLUMNS: usize = 144;

/// The column of the pace of operators.
pub const PACE: usize = 0;
/// The column of what comes after the last control plane node.
pub const TAIL: usize = 1;
/// The column of the machine-config operator's own rollout.
pub const OWN_PARTS: usize = 2;
/// The first of the columns of what a node's steps usually take, a column for each step.
pub const STEPS: usize = 4;
/// The first column of operators.
pub const OPERATORS: usize = 8;
/// The first column of nodes.
pub const NODES: usize = 48;

/// Nobody waits longer than this: keeps sums within what time can hold.
const LONGEST: f64 = 365.0 * 86_400.0;

static TABLE: LazyLock<Vec<[f64; LOTS]>> = LazyLock::new(|| {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        // SplitMix64: any fixed shuffle would do.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let quantiles: [f64; LOTS] = std::array::from_fn(|at| quantile((at as f64 + 0.5) / LOTS as f64));
    (0..COLUMNS)
        .map(|_| {
            let mut column = quantiles;
            for last in (1..LOTS).rev() {
                column.swap(last, (next() % (last as u64 + 1)) as usize);
            }
            column
        })
        .collect()
});

/// The draw of a column in a case.
pub fn draw(column: usize, lot: usize) -> f64 {
    TABLE[column % COLUMNS][lot % LOTS]
}

/// What is left of something that usually takes `median` (log-normal, `sigma`), of which `spent` has gone by without its
/// having ended; `draw` chooses the case. Never negative; what is overdue is expected to take the longer, the longer it
/// has taken already.
pub fn rest(median: f64, sigma: f64, spent: f64, draw: f64) -> f64 {
    /// Beyond so many standard deviations the shape of the distribution says nothing any more.
    const FAR: f64 = 4.0;
    if median <= 0.0 {
        return 0.0;
    }
    if spent <= 0.0 || sigma <= 0.0 {
        return (median * (sigma.max(0.0) * draw).exp() - spent.max(0.0)).max(0.0);
    }
    let reached = ((spent / median).ln() / sigma).min(FAR);
    // Of the cases that last longer than `spent`, the one as far out as `draw` is among all.
    let end = -quantile(upper_tail(reached) * upper_tail(draw));
    (spent * ((sigma * (end - reached)).exp() - 1.0)).clamp(0.0, LONGEST)
}

/// The spread of what came out in the cases.
pub fn spread(mut cases: Vec<f64>) -> Spread {
    cases.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = (share * cases.len().saturating_sub(1) as f64).round() as usize;
        delta(cases.get(place).copied().unwrap_or(0.0))
    };
    Spread { p10: at(0.1), p50: at(0.5), p90: at(0.9) }
}

/// Seconds as a span of time: never negative, never not a number.
pub fn delta(seconds: f64) -> TimeDelta {
    let seconds = if seconds.is_finite() { seconds.clamp(0.0, LONGEST) } else { 0.0 };
    TimeDelta::seconds(seconds.round() as i64)
}

/// The share of the normal distribution above `z`; the error is below 1.2e-7 of the value (Numerical Recipes, `erfcc`).
pub fn upper_tail(z: f64) -> f64 {
    const SERIES: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.5 * x);
    let sum = SERIES.iter().rev().fold(0.0, |sum, term| sum * t + term);
    let tail = 0.5 * t * (sum - x * x).exp();
    if z >= 0.0 { tail } else { 1.0 - tail }
}

/// The `z` below which a share of the normal distribution lies (P. J. Acklam's rational approximation, error below
/// 1.2e-9).
pub fn quantile(share: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 6] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 5] =
        [7.784_695_709_041_462e-3, 3.224_671_290_700_398e-1, 2.445_134_137_142_996, 3.754_408_661_907_416, 1.0];
    const LOW: f64 = 0.024_25;
    let polynomial = |terms: &[f64], x: f64| terms.iter().fold(0.0, |sum, term| sum * x + term);
    let share = share.clamp(1e-300, 1.0 - 1e-16);
    if share < LOW {
        let q = (-2.0 * share.ln()).sqrt();
        polynomial(&C, q) / polynomial(&D, q)
    } else if share > 1.0 - LOW {
        let q = (-2.0 * (1.0 - share).ln()).sqrt();
        -polynomial(&C, q) / polynomial(&D, q)
    } else {
        let q = share - 0.5;
        let r = q * q;
        polynomial(&A, r) * q / polynomial(&B, r)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_tails_are_each_others_inverse() {
        for (share, z) in [(0.5, 0.0), (0.9, 1.281_551_6), (0.1, -1.281_551_6), (0.001, -3.090_232_3)] {
            assert!((quantile(share) - z).abs() < 1e-6, "{share}: {}", quantile(share));
            assert!((upper_tail(z) - (1.0 - share)).abs() < 1e-6, "{z}: {}", upper_tail(z));
        }
        assert!((upper_tail(-quantile(1e-9)) / 1e-9 - 1.0).abs() < 1e-3);
    }

    #[test]
    fn a_column_is_spread_as_it_should_be_and_columns_do_not_move_together() {
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / LOTS as f64;
        for column in 0..COLUMNS {
            assert!(mean(&mut (0..LOTS).map(|lot| draw(column, lot))).abs() < 1e-9);
            let square = mean(&mut (0..LOTS).map(|lot| draw(column, lot).powi(2)));
            assert!((0.95..1.01).contains(&square), "column {column}: {square}");
        }
        for (a, b) in [(0, 1), (4, 5), (8, 9), (48, 49), (48, 65)] {
            let together = mean(&mut (0..LOTS).map(|lot| draw(a, lot) * draw(b, lot)));
            assert!(together.abs() < 0.25, "columns {a} and {b}: {together}");
        }
    }

    #[test]
    fn four_of_six_usual_minutes_gone_leave_about_two() {
        let left = rest(360.0, 0.2, 240.0, 0.0);
        assert!((100.0..150.0).contains(&left), "{left}");
    }

    #[test]
    fn what_is_overdue_is_never_about_to_end_at_once() {
        let mut before = 0.0;
        for spent in [600.0, 1200.0, 3600.0, 36_000.0] {
            let left = rest(300.0, 0.3, spent, 0.0);
            assert!(left > before && left > spent * 0.03, "{spent}: {left}");
            before = left;
        }
        assert!(rest(300.0, 0.3, 1e12, 3.0).is_finite());
    }

    #[test]
    fn nothing_gone_leaves_the_whole() {
        assert!((rest(300.0, 0.3, 0.0, 0.0) - 300.0).abs() < 1e-9);
        assert!((rest(300.0, 0.3, 0.001, 1.0) - rest(300.0, 0.3, 0.0, 1.0)).abs() < 0.1);
    }
}
