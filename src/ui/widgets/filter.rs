//! The filter of a list: regex over the whole row, `!inverse`, `-l key=value`, `-f fuzzy`.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use regex::{Regex, RegexBuilder};

/// What a row shows to a filter.
pub trait Filtered {
    /// The whole row as text.
    fn text(&self) -> String;
    /// Its name alone: what fuzzy matching looks at.
    fn name(&self) -> String;
    /// A field by its key; none when the row has no such field.
    fn field(&self, key: &str) -> Option<String>;
}

/// One term of `-l`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    key: String,
    /// None: the field has to exist (or, negated, must not).
    values: Option<Vec<String>>,
    negated: bool,
}

/// How rows are chosen.
#[derive(Debug, Clone, Default)]
enum Rule {
    #[default]
    All,
    Regex {
        regex: Regex,
        inverse: bool,
    },
    Terms(Vec<Term>),
    Fuzzy(Pattern),
}

/// A filter as typed, and as it is in force: the last good one while the text is invalid.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    text: String,
    /// The text of the rule in force.
    good: String,
    rule: Rule,
    error: Option<String>,
}

impl Filter {
    /// The text as typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Is any row left out?
    pub fn active(&self) -> bool {
        !matches!(self.rule, Rule::All)
    }

    /// Why the text is not in force.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Takes a new text. An invalid one leaves the last good filter in force and says why.
    pub fn set(&mut self, text: &str) {
        text.clone_into(&mut self.text);
        match Rule::parse(text) {
            Ok(rule) => {
                self.rule = rule;
                text.clone_into(&mut self.good);
                self.error = None;
            }
            Err(error) => self.error = Some(error),
        }
    }

    /// Drops a text that is not in force; gives back why it was not.
    pub fn settle(&mut self) -> Option<String> {
        self.text.clone_from(&self.good);
        self.error.take()
    }

    /// Does the row pass?
    pub fn passes(&self, row: &impl Filtered) -> bool {
        match &self.rule {
            Rule::All => true,
            Rule::Regex { regex, inverse } => regex.is_match(&row.text()) != *inverse,
            Rule::Terms(terms) => terms.iter().all(|term| term.holds(row)),
            Rule::Fuzzy(pattern) => {
                let name = row.name();
                let mut buffer = Vec::new();
                pattern.score(Utf32Str::new(&name, &mut buffer), &mut Matcher::new(Config::DEFAULT)).is_some()
            }
        }
    }
}

impl Rule {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim_start();
        if text.is_empty() {
            return Ok(Self::All);
        }
        if let Some(rest) = text.strip_prefix("-f") {
            let rest = rest.trim();
            return Ok(if rest.is_empty() {
                Self::All
            } else {
                Self::Fuzzy(Pattern::parse(rest, CaseMatching::Smart, Normalization::Smart))
            });
        }
        if let Some(rest) = text.strip_prefix("-l") {
            let terms = rest.split(',').map(str::trim).filter(|term| !term.is_empty());
            let terms: Vec<Term> = terms.map(Term::parse).collect::<Result<_, _>>()?;
            return Ok(if terms.is_empty() { Self::All } else { Self::Terms(terms) });
        }
        let (inverse, pattern) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        if pattern.is_empty() {
            return Ok(Self::All);
        }
        Ok(Self::Regex { regex: regex(pattern)?, inverse })
    }
}

/// A regex that ignores case. The error is one line.
pub fn regex(pattern: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(pattern).case_insensitive(true).size_limit(1 << 20).build();
    built.map_err(|error| match error {
        regex::Error::Syntax(text) => {
            text.lines().last().unwrap_or("not a regular expression").trim().replace("error: ", "")
        }
        other => other.to_string(),
    })
}

impl Term {
    fn parse(text: &str) -> Result<Self, String> {
        let term = |key: &str, value: Option<&str>, negated| {
            let key = key.trim();
            if key.is_empty() {
                return Err(format!("{text:?}: key=value expected"));
            }
            // `key=` asks for the key, as with the labels of roles, which have no value.
            let values = value
                .filter(|value| !value.trim().is_empty())
                .map(|value| value.split('|').map(|part| part.trim().to_lowercase()).collect());
            Ok(Self { key: key.to_lowercase(), values, negated })
        };
        if let Some((key, value)) = text.split_once("!=") {
            return term(key, Some(value), true);
        }
        if let Some((key, value)) = text.split_once('=') {
            return term(key, Some(value.trim_start_matches('=')), false);
        }
        match text.strip_prefix('!') {
            Some(key) => term(key, None, true),
            None => term(text, None, false),
        }
    }

    fn holds(&self, row: &impl Filtered) -> bool {
        let field = row.field(&self.key).filter(|value| !value.is_empty());
        let holds = match (&self.values, field) {
            (None, field) => field.is_some(),
            (Some(_), None) => false,
            (Some(values), Some(field)) => {
                let field = field.to_lowercase();
                // A field may hold several values: the roles of a node.
                values.iter().any(|value| *value == field || field.split(',').any(|part| part.trim() == value))
            }
        };
        holds != self.negated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Row(&'static str, &'static str);

    impl Filtered for Row {
        fn text(&self) -> String {
            format!("{} {}", self.0, self.1)
        }
        fn name(&self) -> String {
            self.0.to_owned()
        }
        fn field(&self, key: &str) -> Option<String> {
            (key == "pool").then(|| self.1.to_owned())
        }
    }

    const ROWS: [Row; 4] =
        [Row("master-0", "master"), Row("worker-1", "worker"), Row("worker-2", "worker"), Row("infra 節", "infra")];

    fn chosen(text: &str) -> Vec<&'static str> {
        let mut filter = Filter::default();
        filter.set(text);
        ROWS.iter().filter(|row| filter.passes(*row)).map(|row| row.0).collect()
    }

    #[test]
    fn a_regex_sees_the_whole_row_and_ignores_case() {
        assert_eq!(chosen("WORKER-[12]"), ["worker-1", "worker-2"]);
        assert_eq!(chosen("master-0 mas"), ["master-0"], "spaces count");
        assert_eq!(chosen("!worker"), ["master-0", "infra 節"]);
        assert_eq!(chosen("").len(), 4);
        assert_eq!(chosen("!").len(), 4);
    }

    #[test]
    fn terms_choose_by_field() {
        assert_eq!(chosen("-l pool=worker"), ["worker-1", "worker-2"]);
        assert_eq!(chosen("-l pool!=worker"), ["master-0", "infra 節"]);
        assert_eq!(chosen("-l pool=master|infra"), ["master-0", "infra 節"]);
        assert_eq!(chosen("-l pool").len(), 4);
        assert!(chosen("-l colour=red").is_empty());
    }

    #[test]
    fn fuzzy_looks_at_names() {
        assert_eq!(chosen("-f wk2"), ["worker-2"]);
        assert!(chosen("-f mastermaster").is_empty());
    }

    #[test]
    fn an_invalid_text_keeps_the_last_good_filter_and_says_why() {
        let mut filter = Filter::default();
        filter.set("worker");
        filter.set("worker(");
        assert!(filter.error().is_some_and(|why| why.contains("unclosed")), "{:?}", filter.error());
        assert_eq!(ROWS.iter().filter(|row| filter.passes(*row)).count(), 2);
        assert!(filter.settle().is_some());
        assert_eq!(filter.text(), "worker");
    }
}
