//! Typed reading of YAML for the files of all rooms: configuration, themes, scenarios.
//!
//! The parser is generic over what it reads, and large: read directly, each struct would bring a parser of its own into
//! the program. Here all types meet the parser behind `Reads` and `Takes`. Words and places of errors stay the
//! parser's own.

use std::fmt;

use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, Expected, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};

/// Reads a YAML document.
///
/// # Errors
/// What is not as the type wants it, and where.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, serde_saphyr::Error> {
    struct Whole<T>(T);
    impl<'de, T: DeserializeOwned> Deserialize<'de> for Whole<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let mut value = Value { deserializer: Some(deserializer), error: None };
            T::deserialize(Plain(&mut value)).map(Self).map_err(|broken| broken.told(value.error))
        }
    }
    serde_saphyr::from_str::<Whole<T>>(text).map(|whole| whole.0)
}

/// Why reading stopped.
#[derive(Debug)]
enum Broken {
    /// The parser said why; whoever called it keeps its error.
    Stopped,
    Custom(String),
    Type(String, String),
    Value(String, String),
    Length(usize, String),
    Variant(String, &'static [&'static str]),
    Field(String, &'static [&'static str]),
    Missing(&'static str),
    Twice(&'static str),
}

impl Broken {
    /// The same as an error of the parser, which gave `error` if it was the one that stopped.
    fn told<E: Error>(self, error: Option<E>) -> E {
        match self {
            Self::Stopped => error.unwrap_or_else(|| E::custom("the document ends too early")),
            Self::Custom(words) => E::custom(words),
            Self::Type(found, expected) => E::invalid_type(Unexpected::Other(&found), &expected.as_str()),
            Self::Value(found, expected) => E::invalid_value(Unexpected::Other(&found), &expected.as_str()),
            Self::Length(length, expected) => E::invalid_length(length, &expected.as_str()),
            Self::Variant(name, known) => E::unknown_variant(&name, known),
            Self::Field(name, known) => E::unknown_field(&name, known),
            Self::Missing(name) => E::missing_field(name),
            Self::Twice(name) => E::duplicate_field(name),
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self:?}")
    }
}

impl std::error::Error for Broken {}

impl Error for Broken {
    fn custom<T: fmt::Display>(words: T) -> Self {
        Self::Custom(words.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Type(found.to_string(), expected.to_string())
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Value(found.to_string(), expected.to_string())
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::Length(length, expected.to_string())
    }

    fn unknown_variant(name: &str, known: &'static [&'static str]) -> Self {
        Self::Variant(name.to_owned(), known)
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        Self::Field(name.to_owned(), known)
    }

    fn missing_field(name: &'static str) -> Self {
        Self::Missing(name)
    }

    fn duplicate_field(name: &'static str) -> Self {
        Self::Twice(name)
    }
}

type Read = Result<(), Broken>;

/// What a type expects to find; of numbers with their bits.
#[derive(Debug, Clone, Copy)]
enum Hint {
    Any,
    Bool,
    Int(u8),
    Unsigned(u8),
    Float(u8),
    Text,
    Option,
    Unit,
    Newtype(&'static str),
    List,
    Tuple(usize),
    Map,
    Struct(&'static str, &'static [&'static str]),
    Enum(&'static str, &'static [&'static str]),
    Identifier,
    Ignored,
}

/// A value of the document.
trait Reads {
    fn read(&mut self, hint: Hint, into: &mut dyn Takes) -> Read;
}

/// The elements of a list.
trait Elements {
    /// False at the end.
    fn next(&mut self, into: &mut dyn Grows) -> Result<bool, Broken>;
}

/// The entries of a map.
trait Entries {
    /// False at the end.
    fn key(&mut self, into: &mut dyn Grows) -> Result<bool, Broken>;
    fn value(&mut self, into: &mut dyn Grows) -> Read;
}

/// One of several variants.
trait Variants {
    fn name(&mut self, into: &mut dyn Grows) -> Read;
    fn unit(&mut self) -> Read;
    fn newtype(&mut self, into: &mut dyn Grows) -> Read;
    fn tuple(&mut self, length: usize, into: &mut dyn Takes) -> Read;
    fn fields(&mut self, known: &'static [&'static str], into: &mut dyn Takes) -> Read;
}

/// Takes a value, whatever it is.
trait Takes {
    fn expects(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result;
    fn bool(&mut self, value: bool) -> Read;
    fn int(&mut self, value: i64) -> Read;
    fn unsigned(&mut self, value: u64) -> Read;
    fn float(&mut self, value: f64) -> Read;
    fn text(&mut self, value: &str) -> Read;
    fn string(&mut self, value: String) -> Read;
    fn unit(&mut self) -> Read;
    fn none(&mut self) -> Read;
    fn some(&mut self, value: &mut dyn Reads) -> Read;
    fn newtype(&mut self, value: &mut dyn Reads) -> Read;
    fn list(&mut self, list: &mut dyn Elements) -> Read;
    fn map(&mut self, map: &mut dyn Entries) -> Read;
    fn variant(&mut self, variants: &mut dyn Variants) -> Read;
}

/// Grows into what it reads.
trait Grows {
    fn grow(&mut self, from: &mut dyn Reads) -> Read;
}

// The side of the types: what serde derives for them is compiled for these alone.

/// The deserializer that types see.
struct Plain<'a>(&'a mut dyn Reads);

impl Plain<'_> {
    fn read<'de, V: Visitor<'de>>(self, hint: Hint, visitor: V) -> Result<V::Value, Broken> {
        let mut taking = Taking { visitor: Some(visitor), value: None };
        self.0.read(hint, &mut taking)?;
        taking.value.ok_or(Broken::Stopped)
    }
}

macro_rules! reads {
    ($($method:ident => $hint:expr),* $(,)?) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
                self.read($hint, visitor)
            }
        )*
    };
}

impl<'de> Deserializer<'de> for Plain<'_> {
    type Error = Broken;

    reads! {
        deserialize_any => Hint::Any,
        deserialize_bool => Hint::Bool,
        deserialize_i8 => Hint::Int(8),
        deserialize_i16 => Hint::Int(16),
        deserialize_i32 => Hint::Int(32),
        deserialize_i64 => Hint::Int(64),
        deserialize_u8 => Hint::Unsigned(8),
        deserialize_u16 => Hint::Unsigned(16),
        deserialize_u32 => Hint::Unsigned(32),
        deserialize_u64 => Hint::Unsigned(64),
        deserialize_f32 => Hint::Float(32),
        deserialize_f64 => Hint::Float(64),
        deserialize_char => Hint::Text,
        deserialize_str => Hint::Text,
        deserialize_string => Hint::Text,
        deserialize_bytes => Hint::Any,
        deserialize_byte_buf => Hint::Any,
        deserialize_option => Hint::Option,
        deserialize_unit => Hint::Unit,
        deserialize_seq => Hint::List,
        deserialize_map => Hint::Map,
        deserialize_identifier => Hint::Identifier,
        deserialize_ignored_any => Hint::Ignored,
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Broken> {
        self.read(Hint::Unit, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Broken> {
        self.read(Hint::Newtype(name), visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Broken> {
        self.read(Hint::Tuple(length), visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Broken> {
        self.read(Hint::Tuple(length), visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Broken> {
        self.read(Hint::Struct(name, fields), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Broken> {
        self.read(Hint::Enum(name, variants), visitor)
    }
}

/// A visitor, and what it made.
struct Taking<V, T> {
    visitor: Option<V>,
    value: Option<T>,
}

impl<V, T> Taking<V, T> {
    fn take(&mut self, visit: impl FnOnce(V) -> Result<T, Broken>) -> Read {
        let visitor = self.visitor.take().ok_or(Broken::Stopped)?;
        self.value = Some(visit(visitor)?);
        Ok(())
    }
}

impl<'de, V: Visitor<'de, Value = T>, T> Takes for Taking<V, T> {
    fn expects(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.as_ref().map_or(Ok(()), |visitor| visitor.expecting(formatter))
    }

    fn bool(&mut self, value: bool) -> Read {
        self.take(|visitor| visitor.visit_bool(value))
    }

    fn int(&mut self, value: i64) -> Read {
        self.take(|visitor| visitor.visit_i64(value))
    }

    fn unsigned(&mut self, value: u64) -> Read {
        self.take(|visitor| visitor.visit_u64(value))
    }

    fn float(&mut self, value: f64) -> Read {
        self.take(|visitor| visitor.visit_f64(value))
    }

    fn text(&mut self, value: &str) -> Read {
        self.take(|visitor| visitor.visit_str(value))
    }

    fn string(&mut self, value: String) -> Read {
        self.take(|visitor| visitor.visit_string(value))
    }

    fn unit(&mut self) -> Read {
        self.take(Visitor::visit_unit)
    }

    fn none(&mut self) -> Read {
        self.take(Visitor::visit_none)
    }

    fn some(&mut self, value: &mut dyn Reads) -> Read {
        self.take(|visitor| visitor.visit_some(Plain(value)))
    }

    fn newtype(&mut self, value: &mut dyn Reads) -> Read {
        self.take(|visitor| visitor.visit_newtype_struct(Plain(value)))
    }

    fn list(&mut self, list: &mut dyn Elements) -> Read {
        self.take(|visitor| visitor.visit_seq(PlainList(list)))
    }

    fn map(&mut self, map: &mut dyn Entries) -> Read {
        self.take(|visitor| visitor.visit_map(PlainMap(map)))
    }

    fn variant(&mut self, variants: &mut dyn Variants) -> Read {
        self.take(|visitor| visitor.visit_enum(PlainEnum(variants)))
    }
}

/// A seed, and what it made.
struct Seed<S, T> {
    seed: Option<S>,
    value: Option<T>,
}

impl<'de, S: DeserializeSeed<'de, Value = T>, T> Seed<S, T> {
    fn new(seed: S) -> Self {
        Self { seed: Some(seed), value: None }
    }
}

impl<'de, S: DeserializeSeed<'de, Value = T>, T> Grows for Seed<S, T> {
    fn grow(&mut self, from: &mut dyn Reads) -> Read {
        let seed = self.seed.take().ok_or(Broken::Stopped)?;
        self.value = Some(seed.deserialize(Plain(from))?);
        Ok(())
    }
}

struct PlainList<'a>(&'a mut dyn Elements);

impl<'de> SeqAccess<'de> for PlainList<'_> {
    type Error = Broken;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Broken> {
        let mut seed = Seed::new(seed);
        self.0.next(&mut seed)?;
        Ok(seed.value)
    }
}

struct PlainMap<'a>(&'a mut dyn Entries);

impl<'de> MapAccess<'de> for PlainMap<'_> {
    type Error = Broken;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Broken> {
        let mut seed = Seed::new(seed);
        self.0.key(&mut seed)?;
        Ok(seed.value)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Broken> {
        let mut seed = Seed::new(seed);
        self.0.value(&mut seed)?;
        seed.value.ok_or(Broken::Stopped)
    }
}

struct PlainEnum<'a>(&'a mut dyn Variants);

impl<'de> EnumAccess<'de> for PlainEnum<'_> {
    type Error = Broken;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Broken> {
        let mut seed = Seed::new(seed);
        self.0.name(&mut seed)?;
        Ok((seed.value.ok_or(Broken::Stopped)?, self))
    }
}

impl<'de> VariantAccess<'de> for PlainEnum<'_> {
    type Error = Broken;

    fn unit_variant(self) -> Result<(), Broken> {
        self.0.unit()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Broken> {
        let mut seed = Seed::new(seed);
        self.0.newtype(&mut seed)?;
        seed.value.ok_or(Broken::Stopped)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Broken> {
        let mut taking = Taking { visitor: Some(visitor), value: None };
        self.0.tuple(length, &mut taking)?;
        taking.value.ok_or(Broken::Stopped)
    }

    fn struct_variant<V: Visitor<'de>>(self, known: &'static [&'static str], visitor: V) -> Result<V::Value, Broken> {
        let mut taking = Taking { visitor: Some(visitor), value: None };
        self.0.fields(known, &mut taking)?;
        taking.value.ok_or(Broken::Stopped)
    }
}

// The side of the parser: compiled for its few deserializers, not for the types.

/// A deserializer of the parser, and what it complained about.
struct Value<D, E> {
    deserializer: Option<D>,
    error: Option<E>,
}

impl<'de, D: Deserializer<'de>> Reads for Value<D, D::Error> {
    fn read(&mut self, hint: Hint, into: &mut dyn Takes) -> Read {
        let from = self.deserializer.take().ok_or(Broken::Stopped)?;
        let into = Visit(into);
        let read = match hint {
            Hint::Any => from.deserialize_any(into),
            Hint::Bool => from.deserialize_bool(into),
            Hint::Int(8) => from.deserialize_i8(into),
            Hint::Int(16) => from.deserialize_i16(into),
            Hint::Int(32) => from.deserialize_i32(into),
            Hint::Int(_) => from.deserialize_i64(into),
            Hint::Unsigned(8) => from.deserialize_u8(into),
            Hint::Unsigned(16) => from.deserialize_u16(into),
            Hint::Unsigned(32) => from.deserialize_u32(into),
            Hint::Unsigned(_) => from.deserialize_u64(into),
            Hint::Float(32) => from.deserialize_f32(into),
            Hint::Float(_) => from.deserialize_f64(into),
            Hint::Text => from.deserialize_string(into),
            Hint::Option => from.deserialize_option(into),
            Hint::Unit => from.deserialize_unit(into),
            Hint::Newtype(name) => from.deserialize_newtype_struct(name, into),
            Hint::List => from.deserialize_seq(into),
            Hint::Tuple(length) => from.deserialize_tuple(length, into),
            Hint::Map => from.deserialize_map(into),
            Hint::Struct(name, fields) => from.deserialize_struct(name, fields, into),
            Hint::Enum(name, variants) => from.deserialize_enum(name, variants, into),
            Hint::Identifier => from.deserialize_identifier(into),
            Hint::Ignored => from.deserialize_ignored_any(into),
        };
        read.map_err(|error| stop(&mut self.error, error))
    }
}

#[cold]
fn stop<E>(place: &mut Option<E>, error: E) -> Broken {
    *place = Some(error);
    Broken::Stopped
}

/// The visitor that the parser sees.
struct Visit<'a>(&'a mut dyn Takes);

macro_rules! visits {
    ($($method:ident($type:ty) => $take:ident),* $(,)?) => {
        $(
            fn $method<E: Error>(self, value: $type) -> Result<(), E> {
                self.0.$take(value).map_err(|broken| broken.told(None))
            }
        )*
    };
}

impl<'de> Visitor<'de> for Visit<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expects(formatter)
    }

    visits! {
        visit_bool(bool) => bool,
        visit_i64(i64) => int,
        visit_u64(u64) => unsigned,
        visit_f64(f64) => float,
        visit_str(&str) => text,
        visit_string(String) => string,
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.unit().map_err(|broken| broken.told(None))
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.0.none().map_err(|broken| broken.told(None))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let mut value = Value { deserializer: Some(deserializer), error: None };
        self.0.some(&mut value).map_err(|broken| broken.told(value.error))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let mut value = Value { deserializer: Some(deserializer), error: None };
        self.0.newtype(&mut value).map_err(|broken| broken.told(value.error))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<(), A::Error> {
        let mut list = List { access, error: None };
        self.0.list(&mut list).map_err(|broken| broken.told(list.error))
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<(), A::Error> {
        let mut map = Map { access, error: None };
        self.0.map(&mut map).map_err(|broken| broken.told(map.error))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<(), A::Error> {
        let mut choice = Choice { access: Some(access), variant: None, error: None };
        self.0.variant(&mut choice).map_err(|broken| broken.told(choice.error))
    }
}

/// The seed that the parser sees.
struct Grow<'a>(&'a mut dyn Grows);

impl<'de> DeserializeSeed<'de> for Grow<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let mut value = Value { deserializer: Some(deserializer), error: None };
        self.0.grow(&mut value).map_err(|broken| broken.told(value.error))
    }
}

struct List<A, E> {
    access: A,
    error: Option<E>,
}

impl<'de, A: SeqAccess<'de>> Elements for List<A, A::Error> {
    fn next(&mut self, into: &mut dyn Grows) -> Result<bool, Broken> {
        let next = self.access.next_element_seed(Grow(into));
        next.map(|element| element.is_some()).map_err(|error| stop(&mut self.error, error))
    }
}

struct Map<A, E> {
    access: A,
    error: Option<E>,
}

impl<'de, A: MapAccess<'de>> Entries for Map<A, A::Error> {
    fn key(&mut self, into: &mut dyn Grows) -> Result<bool, Broken> {
        let next = self.access.next_key_seed(Grow(into));
        next.map(|key| key.is_some()).map_err(|error| stop(&mut self.error, error))
    }

    fn value(&mut self, into: &mut dyn Grows) -> Read {
        self.access.next_value_seed(Grow(into)).map_err(|error| stop(&mut self.error, error))
    }
}

struct Choice<A, V, E> {
    access: Option<A>,
    variant: Option<V>,
    error: Option<E>,
}

impl<'de, A: EnumAccess<'de>> Choice<A, A::Variant, A::Error> {
    fn chosen(&mut self, read: impl FnOnce(A::Variant) -> Result<(), A::Error>) -> Read {
        let variant = self.variant.take().ok_or(Broken::Stopped)?;
        read(variant).map_err(|error| stop(&mut self.error, error))
    }
}

impl<'de, A: EnumAccess<'de>> Variants for Choice<A, A::Variant, A::Error> {
    fn name(&mut self, into: &mut dyn Grows) -> Read {
        let access = self.access.take().ok_or(Broken::Stopped)?;
        let ((), variant) = access.variant_seed(Grow(into)).map_err(|error| stop(&mut self.error, error))?;
        self.variant = Some(variant);
        Ok(())
    }

    fn unit(&mut self) -> Read {
        self.chosen(VariantAccess::unit_variant)
    }

    fn newtype(&mut self, into: &mut dyn Grows) -> Read {
        self.chosen(|variant| variant.newtype_variant_seed(Grow(into)))
    }

    fn tuple(&mut self, length: usize, into: &mut dyn Takes) -> Read {
        self.chosen(|variant| variant.tuple_variant(length, Visit(into)))
    }

    fn fields(&mut self, known: &'static [&'static str], into: &mut dyn Takes) -> Read {
        self.chosen(|variant| variant.struct_variant(known, Visit(into)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::collections::BTreeMap;

    use super::*;

    #[derive(Debug, Clone, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    struct All {
        name: String,
        count: u8,
        offset: Option<i32>,
        share: f64,
        on: bool,
        list: Vec<(String, u16)>,
        map: BTreeMap<String, Choice>,
        either: Either,
        wrapped: Wrapped,
    }

    #[derive(Debug, Clone, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Choice {
        Bare,
        One(String),
        Two(u8, u8),
        Named { size: u8 },
    }

    #[derive(Debug, Clone, PartialEq, serde::Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(i64),
        Text(String),
    }

    #[derive(Debug, Clone, PartialEq, serde::Deserialize)]
    struct Wrapped(String);

    const TEXT: &str = "name: 4.20\ncount: 7\noffset: ~\nshare: 1\non: true\nlist: [[a, 1], [b, 2]]\n\
        map: {a: bare, b: {one: x}, c: {two: [1, 2]}, d: {named: {size: 3}}}\neither: 10%\nwrapped: yes\n";

    #[test]
    fn types_are_read_as_the_parser_alone_reads_them() {
        assert_eq!(from_str::<All>(TEXT).unwrap(), serde_saphyr::from_str::<All>(TEXT).unwrap());
        assert_eq!(from_str::<All>(TEXT).unwrap().name, "4.20", "what is to be text is text");
    }

    #[test]
    fn errors_have_the_words_and_the_places_of_the_parser() {
        for (from, to) in [
            ("count: 7", "count: many"),
            ("count: 7", "count: 700"),
            ("count: 7", "cuont: 7"),
            ("offset: ~", "offset: x"),
            ("on: true", "on: [1]"),
            ("[b, 2]", "[b, -2]"),
            ("[b, 2]", "[b]"),
            ("bare", "bear"),
            ("{size: 3}", "{sise: 3}"),
            ("{two: [1, 2]}", "{two: [1, x]}"),
            ("either: 10%", "either: [x]"),
            ("wrapped: yes", ""),
            ("wrapped: yes", "wrapped: yes\nname: again"),
            ("wrapped: yes", "wrapped: 'yes"),
        ] {
            let text = TEXT.replace(from, to);
            let (own, its) = (from_str::<All>(&text).unwrap_err(), serde_saphyr::from_str::<All>(&text).unwrap_err());
            assert_eq!(own.to_string(), its.to_string(), "{to}");
        }
    }
}
