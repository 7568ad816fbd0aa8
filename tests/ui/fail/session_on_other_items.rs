use sessions::session;

#[session(policy = "user_default")]
struct Handler;

#[session(policy = "user_default")]
const LIMIT: u8 = 3;

fn main() {}
