//! How a lens reads: straight from the stream, without a JSON tree in between, and never offended.
//!
//! `#[serde(default)]` covers a missing field, but neither `null` nor a wrong type: both would fail the whole list that
//! the object is in. A type that implements [`Read`] takes what it understands and lets the rest pass.
//!
//! What is read from (text, a tree) is behind [`Map`] and [`Seq`], and what is read into behind [`Slot`]: each lens is
//! compiled once and each parser once, not every lens for every parser.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The stream ended or is no JSON; which of them, whoever began to read knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

/// The fields of an object, as they come.
pub trait Map {
    /// The next key, as its place among `known`; `Some(None)` is another key, `None` the end.
    fn key(&mut self, known: &[&str]) -> Result<Option<Option<usize>>, Stopped>;

    /// The next key itself, where `wanted` wants it; `Some(None)` is one that is not wanted, `None` the end.
    fn name(&mut self, wanted: &dyn Fn(&str) -> bool) -> Result<Option<Option<String>>, Stopped>;

    /// The value of the current key.
    fn value(&mut self, into: &mut dyn Slot) -> Result<(), Stopped>;

    /// Passes over the value of the current key.
    fn skip(&mut self) -> Result<(), Stopped>;
}

/// The elements of a list, as they come.
pub trait Seq {
    /// The next element; false at the end.
    fn next(&mut self, into: &mut dyn Slot) -> Result<bool, Stopped>;
}

/// Takes one value of JSON: each method is one type of it; what is not taken passes.
pub trait Slot {
    /// `true` or `false`.
    fn bool(&mut self, _value: bool) {}

    /// A whole number.
    fn int(&mut self, _value: i64) {}

    /// Text.
    fn str(&mut self, _value: &str) {}

    /// Text that may be kept.
    fn string(&mut self, value: String) {
        self.str(&value);
    }

    /// A list.
    fn seq(&mut self, seq: &mut dyn Seq) -> Result<(), Stopped> {
        pass_list(seq)
    }

    /// An object.
    fn map(&mut self, map: &mut dyn Map) -> Result<(), Stopped> {
        pass_object(map)
    }
}

/// Takes nothing.
struct Nothing;

impl Slot for Nothing {}

fn pass_list(seq: &mut dyn Seq) -> Result<(), Stopped> {
    while seq.next(&mut Nothing)? {}
    Ok(())
}

fn pass_object(map: &mut dyn Map) -> Result<(), Stopped> {
    while map.key(&[])?.is_some() {
        map.skip()?;
    }
    Ok(())
}

/// A value that is read leniently: each method is one type of JSON; `None` means "not mine".
pub trait Read: Sized {
    /// From `true` or `false`.
    fn of_bool(_value: bool) -> Option<Self> {
        None
    }

    /// From a whole number.
    fn of_int(_value: i64) -> Option<Self> {
        None
    }

    /// From text.
    fn of_str(_value: &str) -> Option<Self> {
        None
    }

    /// From text that may be kept.
    fn of_string(value: String) -> Option<Self> {
        Self::of_str(&value)
    }

    /// From a list. An error is one of the stream (cut or no JSON), never one of types.
    fn of_seq(seq: &mut dyn Seq) -> Result<Option<Self>, Stopped> {
        pass_list(seq).map(|()| None)
    }

    /// From an object. Errors as in [`Read::of_seq`].
    fn of_map(map: &mut dyn Map) -> Result<Option<Self>, Stopped> {
        pass_object(map).map(|()| None)
    }

    /// Adds the paths of all leaves below `prefix`, for the test that compares them with the schemas. Lists add `[]`,
    /// maps of free keys `{}`.
    fn paths(prefix: &str, into: &mut Vec<String>) {
        into.push(prefix.to_owned());
    }
}

/// What a [`Read`] was read into; none yet, or for null and for the wrong type.
pub struct Taken<T>(pub Option<T>);

impl<T: Read> Slot for Taken<T> {
    fn bool(&mut self, value: bool) {
        self.0 = T::of_bool(value);
    }

    fn int(&mut self, value: i64) {
        self.0 = T::of_int(value);
    }

    fn str(&mut self, value: &str) {
        self.0 = T::of_str(value);
    }

    fn string(&mut self, value: String) {
        self.0 = T::of_string(value);
    }

    fn seq(&mut self, seq: &mut dyn Seq) -> Result<(), Stopped> {
        self.0 = T::of_seq(seq)?;
        Ok(())
    }

    fn map(&mut self, map: &mut dyn Map) -> Result<(), Stopped> {
        self.0 = T::of_map(map)?;
        Ok(())
    }
}

/// Reads a [`Read`] from any deserializer; `None` for null and for the wrong type.
pub fn read<'de, T: Read, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let mut taken = Taken(None);
    Fill(&mut taken).deserialize(deserializer)?;
    Ok(taken.0)
}

/// The value of the current key of `map`.
pub fn value<T: Read>(map: &mut dyn Map) -> Result<Option<T>, Stopped> {
    let mut taken = Taken(None);
    map.value(&mut taken)?;
    Ok(taken.0)
}

/// Reads a value into a slot.
struct Fill<'a>(&'a mut dyn Slot);

impl<'de> DeserializeSeed<'de> for Fill<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Fill<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.0.bool(value);
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.0.int(value);
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        if let Ok(value) = i64::try_from(value) {
            self.0.int(value);
        }
        Ok(())
    }

    fn visit_f64<E>(self, _value: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.0.str(value);
        Ok(())
    }

    fn visit_string<E>(self, value: String) -> Result<(), E> {
        self.0.string(value);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        let mut seq = SeqOf { access: seq, error: None };
        self.0.seq(&mut seq).map_err(|Stopped| told(seq.error.take()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let mut map = MapOf { access: map, error: None };
        self.0.map(&mut map).map_err(|Stopped| told(map.error.take()))
    }
}

fn told<E: serde::de::Error>(error: Option<E>) -> E {
    error.unwrap_or_else(|| E::custom("the object was not read to its end"))
}

/// The list of a deserializer, and what went wrong in it.
struct SeqOf<A, E> {
    access: A,
    error: Option<E>,
}

impl<'de, A: SeqAccess<'de>> Seq for SeqOf<A, A::Error> {
    fn next(&mut self, into: &mut dyn Slot) -> Result<bool, Stopped> {
        let next = self.access.next_element_seed(Fill(into));
        next.map(|element| element.is_some()).map_err(|error| stop(&mut self.error, error))
    }
}

/// The object of a deserializer, and what went wrong in it.
struct MapOf<A, E> {
    access: A,
    error: Option<E>,
}

impl<'de, A: MapAccess<'de>> Map for MapOf<A, A::Error> {
    fn key(&mut self, known: &[&str]) -> Result<Option<Option<usize>>, Stopped> {
        self.access.next_key_seed(Key(known)).map_err(|error| stop(&mut self.error, error))
    }

    fn name(&mut self, wanted: &dyn Fn(&str) -> bool) -> Result<Option<Option<String>>, Stopped> {
        self.access.next_key_seed(Name(wanted)).map_err(|error| stop(&mut self.error, error))
    }

    fn value(&mut self, into: &mut dyn Slot) -> Result<(), Stopped> {
        self.access.next_value_seed(Fill(into)).map_err(|error| stop(&mut self.error, error))
    }

    fn skip(&mut self) -> Result<(), Stopped> {
        self.access.next_value::<IgnoredAny>().map(drop).map_err(|error| stop(&mut self.error, error))
    }
}

#[cold]
fn stop<E>(place: &mut Option<E>, error: E) -> Stopped {
    *place = Some(error);
    Stopped
}

/// The key of a map, as its place in a list of known keys.
struct Key<'a>(&'a [&'a str]);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|known| *known == value))
    }
}

/// The key of a map, kept when it is wanted; others are not even copied.
struct Name<'a>(&'a dyn Fn(&str) -> bool);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<String>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok((self.0)(key).then(|| key.to_owned()))
    }
}

impl Read for bool {
    fn of_bool(value: bool) -> Option<Self> {
        Some(value)
    }
}

impl Read for i64 {
    fn of_int(value: i64) -> Option<Self> {
        Some(value)
    }
}

impl Read for String {
    fn of_str(value: &str) -> Option<Self> {
        Some(value.to_owned())
    }

    fn of_string(value: String) -> Option<Self> {
        Some(value)
    }
}

/// That there is something, whatever it holds: the value itself is not kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Present;

impl Read for Present {
    fn of_str(_value: &str) -> Option<Self> {
        Some(Self)
    }
}

impl Read for DateTime<Utc> {
    fn of_str(value: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(value).ok().map(|at| at.with_timezone(&Utc))
    }
}

impl<T: Read> Read for Option<T> {
    fn of_bool(value: bool) -> Option<Self> {
        T::of_bool(value).map(Some)
    }

    fn of_int(value: i64) -> Option<Self> {
        T::of_int(value).map(Some)
    }

    fn of_str(value: &str) -> Option<Self> {
        T::of_str(value).map(Some)
    }

    fn of_string(value: String) -> Option<Self> {
        T::of_string(value).map(Some)
    }

    fn of_seq(seq: &mut dyn Seq) -> Result<Option<Self>, Stopped> {
        Ok(T::of_seq(seq)?.map(Some))
    }

    fn of_map(map: &mut dyn Map) -> Result<Option<Self>, Stopped> {
        Ok(T::of_map(map)?.map(Some))
    }

    fn paths(prefix: &str, into: &mut Vec<String>) {
        T::paths(prefix, into);
    }
}

/// Elements of another type (null too) are left out.
impl<T: Read> Read for Vec<T> {
    fn of_seq(seq: &mut dyn Seq) -> Result<Option<Self>, Stopped> {
        let mut all = Self::new();
        let mut element = Taken(None);
        while seq.next(&mut element)? {
            all.extend(element.0.take());
        }
        Ok(Some(all))
    }

    fn paths(prefix: &str, into: &mut Vec<String>) {
        T::paths(&format!("{prefix}[]"), into);
    }
}

/// Values of another type are left out.
impl<T: Read> Read for BTreeMap<String, T> {
    fn of_map(map: &mut dyn Map) -> Result<Option<Self>, Stopped> {
        let mut all = Self::new();
        while let Some(key) = map.name(&|_| true)? {
            if let Some((key, read)) = key.zip(value(map)?) {
                all.insert(key, read);
            }
        }
        Ok(Some(all))
    }

    fn paths(prefix: &str, into: &mut Vec<String>) {
        T::paths(&format!("{prefix}{{}}"), into);
    }
}

/// The paths of all fields below `spec` and `status` that a lens reads.
pub fn paths<T: Read>() -> Vec<String> {
    let mut all = Vec::new();
    T::paths("", &mut all);
    all
}

/// A part of an object: fields with the names that the API gives them.
macro_rules! part {
    (
        $(#[$doc:meta])*
        pub struct $name:ident {
            $( $(#[$field_doc:meta])* $key:literal => pub $field:ident: $type:ty, )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct $name { $( $(#[$field_doc])* pub $field: $type, )* }

        impl $crate::api::lens::Read for $name {
            fn of_map(
                map: &mut dyn $crate::api::lens::Map,
            ) -> Result<Option<Self>, $crate::api::lens::Stopped> {
                const KEYS: &[&str] = &[$($key),*];
                let mut object = Self::default();
                while let Some(at) = map.key(KEYS)? {
                    match at.map(|at| KEYS[at]) {
                        $( Some($key) => object.$field = $crate::api::lens::value(map)?.unwrap_or_default(), )*
                        _ => map.skip()?,
                    }
                }
                Ok(Some(object))
            }

            fn paths(prefix: &str, into: &mut Vec<String>) {
                $( <$type as $crate::api::lens::Read>::paths(&format!("{prefix}.{}", $key), into); )*
            }
        }
    };
}

/// A whole object: its kind, what is kept of its metadata, and its parts.
macro_rules! kind {
    (
        $(#[$doc:meta])*
        pub struct $name:ident in $group:literal / $version:literal as $plural:literal, $scope:ident $(, $metadata_only:ident)? {
            metadata: $keeps:expr,
            $( $(#[$field_doc:meta])* $key:literal => pub $field:ident: $type:ty, )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct $name {
            /// Metadata, lean: see `Keeps`.
            pub metadata: kube::core::ObjectMeta,
            $( $(#[$field_doc])* pub $field: $type, )*
        }

        impl $name {
            /// What is kept of the metadata.
            pub const KEEPS: $crate::api::metadata::Keeps = $keeps;

            /// The name; empty only for an object that no API server sent.
            pub fn name(&self) -> &str {
                self.metadata.name.as_deref().unwrap_or_default()
            }
        }

        impl kube::Resource for $name {
            type DynamicType = ();
            type Scope = kube::core::$scope;

            fn kind(_: &()) -> std::borrow::Cow<'_, str> {
                stringify!($name).into()
            }

            fn group(_: &()) -> std::borrow::Cow<'_, str> {
                $group.into()
            }

            fn version(_: &()) -> std::borrow::Cow<'_, str> {
                $version.into()
            }

            fn plural(_: &()) -> std::borrow::Cow<'_, str> {
                $plural.into()
            }

            $( fn metadata_api() -> bool { stringify!($metadata_only) == "metadata_only" } )?

            fn meta(&self) -> &kube::core::ObjectMeta {
                &self.metadata
            }

            fn meta_mut(&mut self) -> &mut kube::core::ObjectMeta {
                &mut self.metadata
            }
        }

        impl $crate::api::lens::Read for $name {
            fn of_map(
                map: &mut dyn $crate::api::lens::Map,
            ) -> Result<Option<Self>, $crate::api::lens::Stopped> {
                const KEYS: &[&str] = &["metadata", $($key),*];
                let mut object = Self::default();
                while let Some(at) = map.key(KEYS)? {
                    match at.map(|at| KEYS[at]) {
                        Some("metadata") => {
                            object.metadata = $crate::api::metadata::read(map, &Self::KEEPS)?;
                        }
                        $( Some($key) => object.$field = $crate::api::lens::value(map)?.unwrap_or_default(), )*
                        _ => map.skip()?,
                    }
                }
                Ok(Some(object))
            }

            #[allow(unused_variables, reason = "a kind that is metadata only has no further paths")]
            fn paths(prefix: &str, into: &mut Vec<String>) {
                $( <$type as $crate::api::lens::Read>::paths(&format!("{prefix}.{}", $key), into); )*
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Ok($crate::api::lens::read(deserializer)?.unwrap_or_default())
            }
        }
    };
}

pub(super) use {kind, part};
