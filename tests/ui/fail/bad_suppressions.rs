sessions::policies! {
    misspelt: { extends: "user_default", allow: [{ rule: "SL10", reason: "r", owner: "o", until: "2027-01-31" }] },
    never: { extends: "user_default", allow: [{ rule: "SL002", reason: "r", owner: "o", until: "2027-01-31" }] },
    silent: { extends: "user_default", allow: [{ rule: "SL010", owner: "o" }] },
    word: { extends: "user_default", allow: "SL010" },
    number: { extends: "user_default", allow: [{ rule: 10 }] },
}

#[sessions::session_policy(extends = "user_default", allow = [{ rule = "samesite-none", reason = "r", owner = "o", until = "soon" }])]
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub struct Checkout {}

#[sessions::session_policy(name = "cart", extends = "user_default", allow = ["SL010"])]
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub struct Cart {}

fn main() {}
