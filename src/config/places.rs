//! Where everything of a file stands, for mistakes that are found only when its meaning is known.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::{Location, Spanned};

/// The places of a file's entries by their path: `columns.nodes` and, of a list, `columns.nodes.1`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    name: String,
    places: BTreeMap<String, String>,
}

impl Places {
    /// Those of a text; `name` is that of its file. Of a text that cannot be read none are known.
    pub(super) fn of(text: &str, name: &str) -> Self {
        let mut places = Self { name: name.to_owned(), ..Self::default() };
        // What is wrong with the text was told when its meaning was read.
        serde_saphyr::from_str::<Node>(text).unwrap_or_default().note(name, "", &mut places.places);
        places
    }

    /// Where `path` stands: `config.yaml:3:5`; the file alone where that is all that is known; empty: no file.
    pub fn at(&self, path: &str) -> &str {
        self.places.get(path).unwrap_or(&self.name)
    }

    /// `words` about `path` behind its place.
    pub fn told(&self, path: &str, words: &str) -> String {
        match self.at(path) {
            "" => words.to_owned(),
            place => format!("{place}: {words}"),
        }
    }
}

/// The shape of a document: keys of maps and elements of lists with their places.
#[derive(Debug, Default)]
struct Node(Vec<(String, Location, Self)>);

impl Node {
    fn note(&self, name: &str, path: &str, places: &mut BTreeMap<String, String>) {
        for (key, at, node) in &self.0 {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            node.note(name, &path, places);
            places.insert(path, format!("{name}:{}:{}", at.line(), at.column()));
        }
    }
}

/// Everything that is neither map nor list.
macro_rules! leaves {
    ($($method:ident: $type:ty),* $(,)?) => {
        $(
            fn $method<E: Error>(self, _: $type) -> Result<Node, E> {
                Ok(Node::default())
            }
        )*
    };
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Node;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("anything")
            }

            leaves! { visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str }

            fn visit_unit<E: Error>(self) -> Result<Node, E> {
                Ok(Node::default())
            }

            fn visit_none<E: Error>(self) -> Result<Node, E> {
                Ok(Node::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
                let mut node = Node::default();
                while let Some(element) = list.next_element::<Spanned<Node>>()? {
                    node.0.push((node.0.len().to_string(), element.referenced, element.value));
                }
                Ok(node)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
                let mut node = Node::default();
                while let Some((key, value)) = map.next_entry::<Spanned<String>, Node>()? {
                    node.0.push((key.value, key.referenced, value));
                }
                Ok(node)
            }
        }
        deserializer.deserialize_any(Reader)
    }
}
