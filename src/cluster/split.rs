//! A list taken apart while it comes: each object is read as soon as it is whole, and its text forgotten. A list of
//! thousands of objects costs the memory of the largest one, and is read by the time its last byte is here.

use bytes::{Buf as _, BytesMut};

/// Cuts the text of a list into the texts of its items.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    /// What has come and was not given out.
    buffer: BytesMut,
    /// So much of it was looked at.
    looked: usize,
    /// The text around the items: the list as if it were empty.
    rest: Vec<u8>,
    depth: usize,
    in_text: bool,
    escaped: bool,
    inside: bool,
}

impl Splitter {
    pub fn add(&mut self, piece: &[u8]) {
        self.buffer.extend_from_slice(piece);
    }

    /// The text of the next item that is whole.
    pub fn next(&mut self) -> Option<BytesMut> {
        while let Some(byte) = self.scan() {
            if !self.inside {
                // An array in the list: are these its items?
                self.inside = self.after_items();
                self.looked += 1;
                if self.inside {
                    self.keep();
                }
                continue;
            }
            let item = self.buffer.split_to(self.looked);
            self.looked = 0;
            if byte == b']' {
                self.inside = false;
                self.depth -= 1;
                self.looked = 1;
            } else {
                self.buffer.advance(1);
            }
            if !item.iter().all(u8::is_ascii_whitespace) {
                return Some(item);
            }
        }
        if !self.inside {
            self.keep();
        }
        None
    }

    /// Looks on, up to the beginning of an array of the list (counted as depth already) or the end of an item.
    fn scan(&mut self) -> Option<u8> {
        let (bytes, inside) = (&self.buffer[..], self.inside);
        let (mut at, mut depth) = (self.looked, self.depth);
        let mut found = None;
        while let Some(&byte) = bytes.get(at) {
            if self.in_text {
                at = text_end(bytes, at, &mut self.in_text, &mut self.escaped);
                continue;
            }
            match byte {
                b'"' => self.in_text = true,
                b'{' => depth += 1,
                b'[' => {
                    depth += 1;
                    if !inside && depth == 2 {
                        found = Some(byte);
                        break;
                    }
                }
                b',' | b']' if inside && depth == 2 => {
                    found = Some(byte);
                    break;
                }
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            at += 1;
        }
        (self.looked, self.depth) = (at, depth);
        found
    }

    /// How much is kept at present.
    pub fn held(&self) -> usize {
        self.buffer.len() + self.rest.len()
    }

    /// What is around the items; for a list that was cut, what of it there is.
    pub fn rest(mut self) -> Vec<u8> {
        if !self.inside {
            self.keep();
        }
        self.rest
    }

    /// Does what was looked at end with the key of the items?
    fn after_items(&self) -> bool {
        let all = self.rest.iter().chain(&self.buffer[..self.looked]);
        let mut back = all.rev().filter(|byte| !byte.is_ascii_whitespace());
        b"\"items\":".iter().rev().all(|expected| back.next() == Some(expected))
    }

    /// What was looked at lies around the items.
    fn keep(&mut self) {
        let looked = self.buffer.split_to(self.looked);
        self.rest.extend_from_slice(&looked);
        self.looked = 0;
    }
}

/// Passes over text, up to behind its end or behind what escapes.
fn text_end(bytes: &[u8], at: usize, in_text: &mut bool, escaped: &mut bool) -> usize {
    if std::mem::take(escaped) {
        return at + 1;
    }
    let Some(next) = memchr::memchr2(b'"', b'\\', &bytes[at..]) else { return bytes.len() };
    if bytes[at + next] == b'"' {
        *in_text = false;
    } else {
        *escaped = true;
    }
    at + next + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Items and rest, when the text comes in pieces of `size`.
    fn split(text: &str, size: usize) -> (Vec<String>, String) {
        let mut splitter = Splitter::default();
        let mut items = Vec::new();
        for piece in text.as_bytes().chunks(size) {
            splitter.add(piece);
            while let Some(item) = splitter.next() {
                items.push(String::from_utf8(item.to_vec()).unwrap().trim().to_owned());
            }
        }
        (items, String::from_utf8(splitter.rest()).unwrap())
    }

    const LIST: &str = r#"{"kind":"NodeList","metadata":{"items":["x"],"continue":"a,b]"}, "items" : [
        {"a":"]},\"{","b":[1,[2],{}]}, null,
        {"metadata":{"items":[{}]},"c":"\\"}
    ],"items2":[1,2]}"#;

    #[test]
    fn items_are_found_wherever_the_pieces_end() {
        for size in 1..LIST.len() {
            let (items, rest) = split(LIST, size);
            assert_eq!(
                items,
                [r#"{"a":"]},\"{","b":[1,[2],{}]}"#, "null", r#"{"metadata":{"items":[{}]},"c":"\\"}"#],
                "in pieces of {size}"
            );
            let rest: serde_json::Value = serde_json::from_str(&rest).unwrap();
            assert_eq!(rest["metadata"]["continue"], "a,b]");
            assert_eq!((rest["items"].to_string(), rest["items2"].to_string()), ("[]".to_owned(), "[1,2]".to_owned()));
        }
    }

    #[test]
    fn what_is_no_list_is_all_rest() {
        for text in ["", "{}", "[1,2]", r#"{"items":null}"#, r#"{"message":"items: [1]"}"#, "<html>"] {
            assert_eq!(split(text, 3), (Vec::new(), text.to_owned()));
        }
    }

    proptest! {
        /// Whatever comes, nothing is lost but the commas between items.
        #[test]
        fn any_text_is_cut_without_a_panic(text in "[\\[\\]{}\",:\\\\a itemsé]{0,80}", size in 1..20_usize) {
            let mut splitter = Splitter::default();
            for piece in text.as_bytes().chunks(size) {
                splitter.add(piece);
                while splitter.next().is_some() {}
            }
            prop_assert!(splitter.rest().len() <= text.len());
        }

        /// A list of any objects gives those objects.
        #[test]
        fn any_objects_come_back(texts in prop::collection::vec("\\PC{0,20}", 0..6), size in 1..40_usize) {
            let items: Vec<_> = texts.iter().map(|text| serde_json::json!({"t": text, "l": [[text], {}]})).collect();
            let list = serde_json::json!({"kind": "List", "items": items, "metadata": {"continue": "m"}}).to_string();
            let (found, _) = split(&list, size);
            let found: Vec<serde_json::Value> = found.iter().map(|item| serde_json::from_str(item).unwrap()).collect();
            prop_assert_eq!(found, items);
        }
    }
}
