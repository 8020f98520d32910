//! The read-only endpoints. That each answer has its described shape, the world's every request checks.

use crate::world::{World, person, tester};
use serde_json::{Value, json};
use writ_sim::{Cast, Estate};
use writ_types::OwnerRole;

fn names(rows: &Value, member: &str) -> Vec<String> {
    rows.as_array().unwrap().iter().map(|row| row[member].as_str().unwrap().to_owned()).collect()
}

/// R1 to R8, R17: who answers for what, and on which boundary that is set.
#[tokio::test(flavor = "multi_thread")]
async fn owners_are_shown_with_where_they_are_set() {
    let world = World::staffed().await;
    let token = world.login("alice").await;
    let get = async |path: &str| world.get(&token, path).await.ok();

    let rows = get("/v1/boundaries").await;
    assert_eq!(
        rows,
        json!([{"name": "prod", "parent": "root", "production": true}, {"name": "root", "parent": null, "production": false}])
    );
    let prod = get("/v1/boundaries/prod").await;
    assert_eq!(prod["owners"]["owners"]["control"], json!({"person": person("alice").party, "from": "prod", "backup": false}));
    assert_eq!(prod["owners"]["duties"]["issuance"]["person"], json!(person("dave").party));
    assert_eq!((&prod["owners"]["missing"], prod["charter"]["sections"].as_object().unwrap().len()), (&json!([]), 4));
    assert_eq!(prod["charter"]["sections"]["identity"]["by"], json!(person("carol").party));
    assert_eq!(prod["set"]["charter"]["identity"]["ttl_max"], "1h");
    let root = get("/v1/boundaries/root").await;
    assert_eq!(root["owners"]["owners"].as_object().unwrap().len(), OwnerRole::ALL.len());
    assert_eq!((&root["charter"]["digest"], &root["charter"]["sections"]), (&json!(null), &json!({})));

    let id = tester().identity;
    assert!(names(&get("/v1/identities").await, "name").contains(&"tester".to_owned()));
    let shown = get(&format!("/v1/identities/{id}")).await;
    assert_eq!((&shown["set"]["name"], &shown["missing"], &shown["tasks"]), (&json!("tester"), &json!([]), &json!([])));
    let owners = get(&format!("/v1/identities/{id}/owners")).await;
    assert_eq!(owners, prod["owners"]);
    assert_eq!(get(&format!("/v1/identities/{id}/charter")).await, prod["charter"]);

    let resource = Estate::new().resource;
    assert_eq!(names(&get("/v1/resources").await, "name"), ["billing-db"]);
    let shown = get(&format!("/v1/resources/{}", resource.resource)).await;
    assert_eq!((&shown["set"]["name"], &shown["unclosed"]), (&json!("billing-db"), &json!([])));

    assert_eq!(get("/v1/parties").await.as_array().unwrap().len(), 8);
    let bob = get(&format!("/v1/parties/{}", person("bob").party)).await;
    assert_eq!((&bob["party"]["handle"], bob["keys"].as_array().unwrap().len()), (&json!("bob"), 1));
    assert!(bob["holds"].as_array().unwrap().contains(&json!({"boundary": "prod", "role": "business", "backup": false})));
}

/// Law 11: what nobody has, what is another kind's id and what is not even an id answer alike.
#[tokio::test(flavor = "multi_thread")]
async fn unknown_answers_alike_everywhere() {
    let world = World::staffed().await;
    let token = world.login("alice").await;
    let none = "0".repeat(32);
    for (path, prefix) in [
        ("parties", "pty_"),
        ("identities", "idn_"),
        ("resources", "res_"),
        ("decisions", "dec_"),
        ("credentials", "crd_"),
        ("boundaries", "no-such-"),
    ] {
        for id in
            [format!("{prefix}{none}"), format!("tsk_{none}"), "x".to_owned(), Cast::get().person("bob").name.name().to_string()]
        {
            let answer = world.get(&token, &format!("/v1/{path}/{id}")).await;
            assert_eq!(answer.refused(), "not-found", "{path}/{id}");
            assert!(answer.json()["detail"].as_str().unwrap().ends_with("is unknown, or not yours to know"), "{}", answer.text());
        }
    }
    for rest in ["owners", "charter"] {
        assert_eq!(world.get(&token, &format!("/v1/identities/idn_{none}/{rest}")).await.refused(), "not-found");
    }
}
