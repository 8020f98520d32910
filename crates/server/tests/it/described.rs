//! The API's description as judge: every answer of every test is compared with it.

use crate::world::Answer;
use hyper::Method;
use serde_json::Value;
use std::sync::LazyLock;

pub(crate) static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../../docs/openapi.json")).unwrap());

/// Every path with its methods.
pub(crate) fn operations() -> impl Iterator<Item = (&'static str, &'static str, &'static Value)> {
    let items = DOCUMENT["paths"].as_object().unwrap().iter();
    items.flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |(method, op)| (path.as_str(), method.as_str(), op)))
}

/// Checks a success.
pub(crate) fn answer(method: &Method, path: &str, answer: &Answer) {
    let path = path.split('?').next().unwrap();
    let found = operations().find(|(template, of, _)| *of == method.as_str().to_lowercase() && same(template, path));
    let Some((template, _, operation)) = found else { panic!("`{method} {path}` is not described") };
    let described = &operation["responses"]["200"]["content"];
    let (kind, content) = described.as_object().unwrap().iter().next().unwrap();
    let sent = answer.headers["content-type"].to_str().unwrap();
    assert!(sent.starts_with(kind.as_str()), "{template}: {sent}");
    if kind == "application/json"
        && let Err(why) = check(&content["schema"], &answer.json(), template)
    {
        panic!("{why}: {}", answer.text());
    }
}

/// Checks a value against a schema by its name.
pub(crate) fn fits(schema: &str, value: &Value) {
    if let Err(why) = check(&DOCUMENT["components"]["schemas"][schema], value, schema) {
        panic!("{why}: {value}");
    }
}

fn same(template: &str, path: &str) -> bool {
    let (mut wanted, mut found) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            // The last of a tile's path has slashes of its own.
            (Some("{path}"), Some(_)) => return true,
            (Some(wanted), Some(found)) if wanted.starts_with('{') || wanted == found => {}
            _ => return false,
        }
    }
}

/// What of JSON Schema the description uses.
fn check(schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    if let Some(target) = schema["$ref"].as_str() {
        return check(DOCUMENT.pointer(target.strip_prefix('#').unwrap()).unwrap(), value, at);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let tried: Vec<_> = any.iter().map(|each| check(each, value, at)).collect();
        return if tried.iter().any(Result::is_ok) { Ok(()) } else { Err(format!("{tried:?}")) };
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let allowed = match &schema["type"] {
        Value::String(one) => one == kind,
        Value::Array(some) => some.iter().any(|one| one == kind),
        _ => true,
    };
    if !allowed {
        return Err(format!("{at}: {kind} instead of {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        return Err(format!("{at}: {value} is none of {}", schema["enum"]));
    }
    if schema.get("const").is_some_and(|constant| constant != value) {
        return Err(format!("{at}: {value} is not {}", schema["const"]));
    }
    match value {
        Value::Object(members) => {
            for wanted in schema["required"].as_array().into_iter().flatten() {
                if !members.contains_key(wanted.as_str().unwrap()) {
                    return Err(format!("{at}: {wanted} is missing"));
                }
            }
            for (name, member) in members {
                let place = format!("{at}.{name}");
                match (&schema["properties"][name], &schema["additionalProperties"]) {
                    (Value::Null, Value::Bool(false)) => return Err(format!("{place} is not described")),
                    (Value::Null, other @ Value::Object(_)) => check(other, member, &place)?,
                    (Value::Null, _) => {}
                    (described, _) => check(described, member, &place)?,
                }
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                let described = schema["prefixItems"].get(place).unwrap_or(&schema["items"]);
                check(described, item, &format!("{at}[{place}]"))?;
            }
        }
        _ => {}
    }
    Ok(())
}

#[test]
fn the_judge_refuses_what_is_not_described() {
    let good = serde_json::json!({"task": format!("tsk_{}", "0".repeat(32)), "ends_at": "2026-11-22T10:00:00.000001Z"});
    fits("Started", &good);
    for (member, value) in [("task", serde_json::json!(1)), ("more", serde_json::json!(1))] {
        let mut bad = good.clone();
        bad[member] = value;
        assert!(check(&DOCUMENT["components"]["schemas"]["Started"], &bad, "").is_err(), "{member}");
    }
    assert!(check(&DOCUMENT["components"]["schemas"]["Started"], &serde_json::json!({}), "").is_err());
}
