//! Everything that a server says in these tests is what its schema describes, and nothing besides: clients pass over
//! members that are not described, so one that was forgotten there would be found by no client.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use jsonschema::Validator;
use miyu::http::api::schema::document;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::wire::Answer;

/// The document, with no room for what it does not describe.
static STRICT: LazyLock<Value> = LazyLock::new(|| {
    let mut document = document().clone();
    close(&mut document["$defs"]);
    close(&mut document["http"]);
    document
});

fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(close);
            if object.contains_key("properties") && object.get("type") == Some(&json!("object")) {
                object.insert("additionalProperties".into(), false.into());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// The one that this schema makes, once.
fn validator(name: &str, schema: impl FnOnce() -> Value) -> Arc<Validator> {
    static MADE: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    let make = || {
        let mut schema = schema();
        schema["$defs"] = STRICT["$defs"].clone();
        Arc::new(jsonschema::validator_for(&schema).expect("a schema"))
    };
    let mut made = MADE.lock();
    Arc::clone(made.entry(name.to_owned()).or_insert_with(make))
}

fn check(validator: &Validator, value: &Value) {
    if let Err(error) = validator.validate(value) {
        panic!(
            "not as /api/schema describes it: {error} at {}: {value}",
            error.instance_path()
        );
    }
}

/// A frame of a server is described.
pub fn frame(frame: &Value) {
    let name = format!("server.{}", frame["action"].as_str().expect("an action"));
    let described = || {
        assert!(
            STRICT["$defs"].get(&name).is_some(),
            "not in /api/schema: {frame}"
        );
        json!({ "$ref": format!("#/$defs/{name}") })
    };
    check(&validator(&name, described), frame);
}

/// An answer of the API is described.
pub fn answer(method: &str, path: &str, answer: &Answer) {
    let path = path.split('?').next().unwrap_or_default();
    if !path.starts_with("/api/") || answer.body.is_empty() {
        return;
    }
    let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else {
        return;
    };
    let name = match answer.status {
        200 | 201 => addressed(method, path),
        _ => Some("problem".to_owned()),
    };
    if let Some(name) = name {
        check(&validator(&name, || STRICT["http"][&name].clone()), &body);
    }
}

/// The name of the answer of this address.
fn addressed(method: &str, path: &str) -> Option<String> {
    let asked: Vec<&str> = path.trim_matches('/').split('/').collect();
    let names = STRICT["http"].as_object().expect("answers").keys();
    let mut fitting = names.filter(|name| {
        let Some(address) = name.strip_prefix(method) else {
            return false;
        };
        let parts: Vec<&str> = address.trim().trim_matches('/').split('/').collect();
        let same = |(part, asked): (&&str, &&str)| part.starts_with('{') || part == asked;
        parts.len() == asked.len() && parts.iter().zip(&asked).all(same)
    });
    fitting.next().cloned()
}
