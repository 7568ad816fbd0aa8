//! Policies beside each other: typed data of a struct's policy, and a policy that keeps nothing.

use serde_json::json;

use crate::{ada, program::Showcase};

#[test]
fn a_checkout_has_typed_data_of_its_own() {
    let shop = Showcase::start();
    let mut browser = ada(&shop);
    let step = browser.post_json("/checkout/step", &json!({ "step": 2 }));
    step.expect_json(&json!({ "step": 2, "items": [] }));
    assert_eq!(step.cookies().len(), 1);
    assert!(step.cookies()[0].starts_with("__Host-Http-checkout="), "{step:?}");
    browser.prefer("step", &json!(9)).expect_status(204);
    browser.get("/checkout").expect_json(&json!({ "step": 2, "items": [] })).expect_no_cookie();
    assert_eq!(browser.prefs(), json!({ "step": 9 }));
    browser.post("/logout").expect_status(200);
    browser.get("/checkout").expect_json(&json!({ "step": 2, "items": [] }));
}

#[test]
fn items_are_kept_while_the_step_changes() {
    let shop = Showcase::start();
    let mut browser = shop.browser();
    let tea = json!({ "item_id": "tea", "quantity": 1 });
    browser.post_json("/checkout/step", &json!({ "step": 1, "item": tea })).expect_status(200);
    browser
        .post_json("/checkout/step", &json!({ "step": 2 }))
        .expect_json(&json!({ "step": 2, "items": [tea] }));
    browser.get("/checkout").expect_json(&json!({ "step": 2, "items": [tea] }));
}

#[test]
fn what_lives_for_one_request_leaves_no_trace() {
    let shop = Showcase::start();
    let mut browser = ada(&shop);
    for _ in 0..3 {
        browser.get("/ephemeral").expect_json(&json!({ "hits": 1 })).expect_no_cookie();
    }
}
