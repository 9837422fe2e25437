//! The page as `encl help json` shows it, read as a table, and objects held against it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use regex::Regex;
use serde_json::{Map, Value};

use crate::support::process;

/// What the page says of one field.
#[derive(Clone)]
struct Field {
    /// Where it says so: the section, and the path there.
    place: String,
    kind: String,
    means: String,
}

/// Fields by their paths, such as `locks[].need`.
type Fields = BTreeMap<String, Field>;

/// The fields of each schema and of each object that is used several times.
pub(super) struct Page(BTreeMap<String, Fields>);

/// A schema, or an object in capitals, at the margin; its fields follow.
fn heading(line: &str) -> Option<&str> {
    let word = line.split(' ').next().unwrap();
    let is_name =
        word.starts_with("encl.") || word.chars().all(|letter| letter.is_ascii_uppercase());
    (is_name && !word.is_empty()).then_some(word)
}

impl Page {
    pub(super) fn of(text: &str) -> Self {
        let mut sections: BTreeMap<String, (String, Fields)> = BTreeMap::new();
        let (mut section, mut field): (Option<String>, Option<String>) = (None, None);
        for line in text.split("Examples:\n").next().unwrap().lines() {
            if let Some(name) = heading(line) {
                let (name, says) = (name.to_owned(), line[name.len()..].to_owned());
                let known = sections.insert(name.clone(), (says, Fields::new()));
                assert!(known.is_none(), "{name} stands twice");
                (section, field) = (Some(name), None);
            } else if !line.starts_with(' ') {
                section = None;
            } else if let Some(section) = &section {
                let (says, fields) = sections.get_mut(section).unwrap();
                let mut cells = line.trim().splitn(2, "  ");
                let (first, rest) = (
                    cells.next().unwrap(),
                    cells.next().unwrap_or_default().trim(),
                );
                if !line.starts_with("   ") {
                    let (kind, means) = rest.split_once("  ").unwrap_or((rest, ""));
                    let known = fields.insert(
                        first.to_owned(),
                        Field {
                            place: format!("{section} {first}"),
                            kind: kind.to_owned(),
                            means: means.trim().to_owned(),
                        },
                    );
                    assert!(known.is_none(), "{section} {first} stands twice");
                    field = Some(first.to_owned());
                } else if let Some(name) = &field {
                    let means = &mut fields.get_mut(name).unwrap().means;
                    *means = format!("{means} {}", line.trim());
                } else {
                    *says = format!("{says} {}", line.trim());
                }
            }
        }
        let names: Vec<String> = sections.keys().cloned().collect();
        let whole = names.into_iter().map(|name| {
            let fields = whole(&name, &sections);
            (name, fields)
        });
        Self(whole.collect())
    }

    /// The page that the program shows.
    pub(super) fn shown() -> &'static Self {
        static PAGE: OnceLock<Page> = OnceLock::new();
        PAGE.get_or_init(|| {
            let output = process::output(
                process::command(env!("CARGO_BIN_EXE_encl")).args(["help", "json"]),
            );
            Self::of(&String::from_utf8(output.stdout).unwrap())
        })
    }

    /// All schemas.
    pub(super) fn schemas(&self) -> BTreeSet<String> {
        let names = self.0.keys().filter(|name| name.starts_with("encl."));
        names.cloned().collect()
    }

    /// Every place at which the page describes a schema or a field.
    pub(super) fn places(&self) -> BTreeSet<String> {
        let fields = self.0.values().flat_map(BTreeMap::values);
        let places = fields.map(|field| field.place.clone());
        places.chain(self.schemas()).collect()
    }

    /// Says what is wrong with an object, if anything is. `seen` gets its schema and the places of its fields.
    pub(super) fn check(
        &self,
        object: &Map<String, Value>,
        seen: &mut BTreeSet<String>,
    ) -> Result<(), String> {
        let schema = object["schema"].as_str().unwrap_or_default();
        let fields = self.0.get(schema);
        let fields = fields.ok_or(format!("{schema} is not on the page"))?;
        seen.insert(schema.to_owned());
        let mut object = object.clone();
        object.remove("schema");
        Check {
            schema,
            fields,
            seen,
        }
        .object("", &object)
    }
}

/// An object that is held against the fields of its schema.
struct Check<'a> {
    schema: &'a str,
    fields: &'a Fields,
    seen: &'a mut BTreeSet<String>,
}

impl Check<'_> {
    /// The fields of an object whose paths begin with `before`.
    fn object(&mut self, before: &str, object: &Map<String, Value>) -> Result<(), String> {
        let schema = self.schema;
        for (name, value) in object {
            let path = format!("{before}{name}");
            let field = self.fields.get(&path);
            let field = field.ok_or(format!("{schema}: {path} is not on the page"))?;
            let Field { place, kind, means } = field;
            self.seen.insert(place.clone());
            let kind = kind.strip_suffix(" or absent").unwrap_or(kind);
            self.value(&path, value, kind)?;
            let word = value.as_str().filter(|_| kind.starts_with("word"));
            if word.is_some_and(|word| !means.contains(word)) {
                return Err(format!(
                    "{schema}: the page does not list {value} for {path}"
                ));
            }
        }
        // The page says so: a key that was revoked, and whose card is not there.
        if schema == "encl.contact/1" && !object.contains_key("name") {
            return Ok(());
        }
        for (path, field) in self.fields {
            let name = path
                .strip_prefix(before)
                .filter(|name| !name.contains(['.', '[']));
            let is_missing = name.is_some_and(|name| !object.contains_key(name));
            if is_missing && !field.kind.ends_with(" or absent") {
                return Err(format!("{schema}: {path} is missing"));
            }
        }
        Ok(())
    }

    fn value(&mut self, path: &str, value: &Value, kind: &str) -> Result<(), String> {
        if let Some(kind) = kind.strip_suffix(" or null") {
            return if value.is_null() {
                Ok(())
            } else {
                self.value(path, value, kind)
            };
        }
        let fits = match (kind.strip_prefix("list"), value) {
            (Some(of), Value::Array(items)) => {
                let (path, of) = (
                    format!("{path}[]"),
                    of.strip_prefix(" of ").unwrap_or("object"),
                );
                return items
                    .iter()
                    .try_for_each(|item| self.value(&path, item, of));
            }
            // The author of the envelope chooses the names of labels.
            (None, Value::Object(labels)) if path == "labels" => {
                labels.values().all(Value::is_string)
            }
            (None, Value::Object(object)) if is_object(kind) => {
                return self.object(&format!("{path}."), object);
            }
            (None, Value::String(text)) => match kind {
                "text" | "word" => true,
                "id" => Regex::new("^[0-9a-f]{64}$").unwrap().is_match(text),
                "time" => Regex::new("^[0-9-]{10}T[0-9:]{8}Z$")
                    .unwrap()
                    .is_match(text),
                _ => false,
            },
            (None, Value::Number(number)) => kind == "number" && number.is_u64(),
            (None, Value::Bool(_)) => kind == "flag",
            (None, Value::Null) => kind == "null",
            _ => false,
        };
        let what = || {
            format!(
                "{}: {path} is {value}, and the page says {kind}",
                self.schema
            )
        };
        if fits { Ok(()) } else { Err(what()) }
    }
}

fn is_object(kind: &str) -> bool {
    kind == "object" || kind.chars().all(|letter| letter.is_ascii_uppercase())
}

/// All fields of a section: with those that it takes from another one, and with those of the objects in capitals.
fn whole(name: &str, sections: &BTreeMap<String, (String, Fields)>) -> Fields {
    let (says, own) = &sections[name];
    let mut fields = Fields::new();
    if let Some((_, from)) = says.split_once("the fields of ") {
        let end = from.find([' ', ',']).unwrap_or(from.len());
        fields = whole(&from[..end], sections);
    }
    for (path, field) in own {
        fields.insert(path.clone(), field.clone());
        let kind = &field.kind;
        let object = kind
            .split(' ')
            .find(|word| is_object(word) && *word != "object");
        if let Some(object) = object {
            let list = if kind.starts_with("list") { "[]" } else { "" };
            for (below, field) in whole(object, sections) {
                fields.insert(format!("{path}{list}.{below}"), field);
            }
        }
    }
    fields
}
