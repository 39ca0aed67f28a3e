//! The protocol as JSON Schema (draft 2020-12), made from the types that the JSON is made from. What clients send is read more
//! loosely than it is described: a schema says what a client should send.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

mod client;
mod server;

/// The version of the protocol. It grows when a frame, a field, an address or a code is added; clients of an older one go on
/// as they are.
pub const VERSION: u32 = 1;

/// What each socket says and takes: the name of the choice, the beginning of its frames' names, and their actions.
const SOCKETS: [(&str, &str, &[&str]); 4] = [
    ("matching.server", "server", server::MATCHING),
    ("matching.client", "client", client::MATCHING),
    ("chat.server", "server", server::CHAT),
    ("chat.client", "client", client::CHAT),
];

/// Makes one definition.
pub type Define = fn(&mut SchemaGenerator) -> Schema;

/// One definition, of this type.
pub fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    T::json_schema(generator)
}

/// The whole: each frame as `$defs` `server.NAME` or `client.NAME`, the sockets as choices of them, and `http`, what the
/// addresses answer, each a method with an address and its answer.
pub fn document(http: &[(&str, Define)]) -> Value {
    let newest = SchemaSettings::draft2020_12;
    let mut says = newest().for_serialize().into_generator();
    let mut takes = newest().for_deserialize().into_generator();
    let mut defs = Map::new();
    defs.append(&mut frames("server", server::FRAMES, &mut says));
    defs.append(&mut frames("client", client::FRAMES, &mut takes));
    for (name, prefix, actions) in SOCKETS {
        let refs = actions.iter().map(|action| reference(prefix, action));
        defs.insert(name.into(), json!({ "oneOf": refs.collect::<Vec<_>>() }));
    }
    let mut answers = Map::new();
    for (address, define) in http {
        answers.insert((*address).into(), define(&mut says).to_value());
    }
    for mut generator in [takes, says] {
        defs.append(&mut generator.take_definitions(true));
    }
    let sockets = SOCKETS.map(|(name, ..)| json!({ "$ref": format!("#/$defs/{name}") }));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Miyu",
        "description": "Frames of the sockets and answers over HTTP. Members that are not described may be there: pass over them.",
        "protocol": VERSION,
        "oneOf": sockets,
        "http": answers,
        "$defs": defs,
    })
}

fn frames(
    prefix: &str,
    all: &[(&str, Define)],
    generator: &mut SchemaGenerator,
) -> Map<String, Value> {
    let frames = all.iter().map(|(action, define)| {
        let frame = with_action(define(generator), action);
        (format!("{prefix}.{action}"), frame.to_value())
    });
    frames.collect()
}

fn reference(prefix: &str, action: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{prefix}.{action}") })
}

/// The frame of an object: its `action` is this one, and must be there.
fn with_action(mut object: Schema, action: &str) -> Schema {
    let schema = object.ensure_object();
    schema.remove("title");
    let properties = schema.entry("properties").or_insert_with(|| json!({}));
    properties["action"] = json!({ "const": action });
    schema.insert("type".into(), "object".into());
    let required = schema.entry("required").or_insert_with(|| json!([]));
    if let Some(names) = required.as_array_mut()
        && !names.iter().any(|name| name == "action")
    {
        names.insert(0, "action".into());
    }
    object
}

#[cfg(test)]
mod tests;
