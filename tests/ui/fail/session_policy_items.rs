use serde::{Deserialize, Serialize};
use sessions::session_policy;

#[session_policy(name = "step")]
#[derive(Default, Serialize, Deserialize)]
enum Step {
    #[default]
    First,
}

#[session_policy(name = "pair")]
#[derive(Default, Serialize, Deserialize)]
struct Pair(u8, u8);

#[session_policy(name = "unit")]
#[derive(Default, Serialize, Deserialize)]
struct Unit;

#[session_policy(name = "generic")]
#[derive(Default, Serialize, Deserialize)]
struct Generic<T> {
    t: T,
}

#[session_policy(name = "both")]
union Both {
    a: u8,
    b: u8,
}

#[session_policy(name = "handler")]
fn handler() {}

fn main() {}
