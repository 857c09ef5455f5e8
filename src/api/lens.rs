//! How a lens reads: straight from the stream, without a JSON tree in between, and never offended.
//!
//! `#[serde(default)]` covers a missing field, but neither `null` nor a wrong type: both would fail the whole list that
//! the object is in. A type that implements [`Read`] takes what it understands and lets the rest pass.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};

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
    fn of_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Option<Self>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    /// From an object. Errors as in [`Read::of_seq`].
    fn of_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<Option<Self>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    /// Adds the paths of all leaves below `prefix`, for the test that compares them with the schemas. Lists add `[]`,
    /// maps of free keys `{}`.
    fn paths(prefix: &str, into: &mut Vec<String>) {
        into.push(prefix.to_owned());
    }
}

/// Reads a [`Read`] from any deserializer; `None` for null and for the wrong type.
pub fn read<'de, T: Read, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_any(ReadVisitor(PhantomData))
}

/// The same as a seed, for values of maps and lists.
pub struct Seed<T>(PhantomData<T>);

impl<T> Default for Seed<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<'de, T: Read> DeserializeSeed<'de> for Seed<T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        read(deserializer)
    }
}

/// The value of the current key of `map`.
pub fn value<'de, T: Read, A: MapAccess<'de>>(map: &mut A) -> Result<Option<T>, A::Error> {
    map.next_value_seed(Seed::default())
}

struct ReadVisitor<T>(PhantomData<T>);

impl<'de, T: Read> Visitor<'de> for ReadVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(T::of_bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(T::of_int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(value).ok().and_then(T::of_int))
    }

    fn visit_f64<E>(self, _value: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(T::of_str(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Self::Value, E> {
        Ok(T::of_string(value))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        T::of_seq(seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::of_map(map)
    }
}

/// The key of a map, as its place in a list of known keys.
pub struct Key(pub &'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Option<usize>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|known| *known == value))
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

    fn of_seq<'de, A: SeqAccess<'de>>(seq: A) -> Result<Option<Self>, A::Error> {
        Ok(T::of_seq(seq)?.map(Some))
    }

    fn of_map<'de, A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
        Ok(T::of_map(map)?.map(Some))
    }

    fn paths(prefix: &str, into: &mut Vec<String>) {
        T::paths(prefix, into);
    }
}

/// Elements of another type (null too) are left out.
impl<T: Read> Read for Vec<T> {
    fn of_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Option<Self>, A::Error> {
        let mut all = Self::new();
        while let Some(element) = seq.next_element_seed(Seed::<T>::default())? {
            all.extend(element);
        }
        Ok(Some(all))
    }

    fn paths(prefix: &str, into: &mut Vec<String>) {
        T::paths(&format!("{prefix}[]"), into);
    }
}

/// Values of another type are left out.
impl<T: Read> Read for BTreeMap<String, T> {
    fn of_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<Option<Self>, A::Error> {
        let mut all = Self::new();
        while let Some(key) = map.next_key::<String>()? {
            if let Some(read) = value(&mut map)? {
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
            fn of_map<'de, A: serde::de::MapAccess<'de>>(mut map: A) -> Result<Option<Self>, A::Error> {
                const KEYS: &[&str] = &[$($key),*];
                let mut object = Self::default();
                while let Some(at) = map.next_key_seed($crate::api::lens::Key(KEYS))? {
                    match at.map(|at| KEYS[at]) {
                        $( Some($key) => object.$field = $crate::api::lens::value(&mut map)?.unwrap_or_default(), )*
                        _ => { map.next_value::<serde::de::IgnoredAny>()?; }
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
            fn of_map<'de, A: serde::de::MapAccess<'de>>(mut map: A) -> Result<Option<Self>, A::Error> {
                const KEYS: &[&str] = &["metadata", $($key),*];
                let mut object = Self::default();
                while let Some(at) = map.next_key_seed($crate::api::lens::Key(KEYS))? {
                    match at.map(|at| KEYS[at]) {
                        Some("metadata") => {
                            object.metadata =
                                map.next_value_seed($crate::api::metadata::MetadataSeed(&Self::KEEPS))?;
                        }
                        $( Some($key) => object.$field = $crate::api::lens::value(&mut map)?.unwrap_or_default(), )*
                        _ => { map.next_value::<serde::de::IgnoredAny>()?; }
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
