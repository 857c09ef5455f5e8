//! Amounts as the API writes them: `100m`, `4`, `16Gi`.

use super::lens::{Read, part};

/// An amount in thousandths: of a core, of a byte, of a pod. What cannot be read is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Quantity(pub i64);

/// Suffixes and what they multiply with, in thousandths (apimachinery, pkg/api/resource/suffix.go).
const SUFFIXES: [(&str, f64); 14] = [
    ("Ki", 1024e3),
    ("Mi", 1_048_576e3),
    ("Gi", 1_073_741_824e3),
    ("Ti", 1_099_511_627_776e3),
    ("Pi", 1_125_899_906_842_624e3),
    ("n", 1e-6),
    ("u", 1e-3),
    ("m", 1.0),
    ("k", 1e6),
    ("M", 1e9),
    ("G", 1e12),
    ("T", 1e15),
    ("P", 1e18),
    ("", 1e3),
];

impl Read for Quantity {
    fn of_int(value: i64) -> Option<Self> {
        value.checked_mul(1000).map(Self)
    }

    fn of_str(value: &str) -> Option<Self> {
        let text = value.trim();
        let (suffix, factor) = SUFFIXES.iter().find(|(suffix, _)| text.ends_with(suffix))?;
        let number: f64 = text[..text.len() - suffix.len()].parse().ok()?;
        let amount = number * factor;
        (amount.is_finite() && amount.abs() < 9e18).then_some(Self(amount.round() as i64))
    }
}

part! {
    /// Amounts of what pods ask for and nodes have.
    pub struct Resources {
        /// Cores.
        "cpu" => pub cpu: Option<Quantity>,
        /// Bytes.
        "memory" => pub memory: Option<Quantity>,
        /// Pods; only nodes have it.
        "pods" => pub pods: Option<Quantity>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_kubernetes_writes_them() {
        let table = [
            ("100m", Some(100)),
            ("4", Some(4000)),
            ("0.5", Some(500)),
            ("16Gi", Some(17_179_869_184_000)),
            ("1536Mi", Some(1_610_612_736_000)),
            ("2k", Some(2_000_000)),
            ("1e3", Some(1_000_000)),
            ("9Pi9", None),
            ("lots", None),
            ("", None),
            ("999999999P", None),
        ];
        for (text, expected) in table {
            assert_eq!(Quantity::of_str(text).map(|amount| amount.0), expected, "{text}");
        }
        assert_eq!(Quantity::of_int(250), Some(Quantity(250_000)));
    }
}
