//! The API's description, to anybody.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

/// OpenAPI 3.1.
const DOCUMENT: &str = include_str!("../../../../docs/openapi.json");

pub(super) async fn describe() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT)
}

#[cfg(test)]
mod tests {
    use super::super::routes::ROUTES;
    use super::DOCUMENT;
    use serde_json::Value;
    use std::collections::BTreeSet;
    use writ_types::Code;

    fn document() -> Value {
        serde_json::from_str(DOCUMENT).unwrap()
    }

    #[test]
    fn the_description_has_every_route_and_no_other() {
        let routed: BTreeSet<(String, String)> = ROUTES
            .iter()
            .flat_map(|(path, methods)| methods.iter().map(|method| (path.replace("{*", "{"), (*method).to_owned())))
            .collect();
        let document = document();
        let mut described = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys().filter(|key| *key != "parameters") {
                described.insert((path.clone(), method.clone()));
            }
        }
        assert_eq!(routed, described);
    }

    #[test]
    fn the_description_has_every_code_with_its_status() {
        let document = document();
        let codes = &document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"];
        let named: Vec<_> = codes.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!(named, Code::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>());
        let table = document["info"]["description"].as_str().unwrap();
        for code in Code::ALL {
            assert!(table.contains(&format!("| `{code}` | {} |", code.status(), code = code.as_str())), "{code:?}");
        }
    }

    /// Every `$ref` leads somewhere, every operation has an id of its own, and every POST asks for its key.
    #[test]
    fn the_description_is_whole() {
        let document = document();
        let mut refs = Vec::new();
        walk(&document, &mut refs);
        for target in refs {
            let pointer = target.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{target}");
        }
        let mut ids = BTreeSet::new();
        for item in document["paths"].as_object().unwrap().values() {
            for (method, operation) in item.as_object().unwrap().iter().filter(|(key, _)| *key != "parameters") {
                assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{operation}");
                let key = "#/components/parameters/idempotencyKey";
                let asks = operation["parameters"].as_array().is_some_and(|all| all.iter().any(|it| it["$ref"] == key));
                assert_eq!(method == "post", asks, "{operation}");
                assert_eq!(operation["responses"]["default"]["$ref"], "#/components/responses/Problem", "{operation}");
            }
        }
    }

    fn walk(value: &Value, refs: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                refs.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|member| walk(member, refs));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, refs)),
            _ => {}
        }
    }
}
