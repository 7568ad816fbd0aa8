//! The policies that come with the library, and one that is built on them.
//!
//! ```text
//! cargo run --example presets
//! ```

use std::time::Duration;

use sessions::{Adapter, BehaviorOnLimit, SameSite, SessionPolicy};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for preset in [
        SessionPolicy::user_default(),
        SessionPolicy::api_token(),
        SessionPolicy::ephemeral(),
        SessionPolicy::admin(),
        SessionPolicy::mobile(),
        SessionPolicy::device(),
    ] {
        describe(&preset);
    }
    describe(&backoffice()?);

    // A contradiction is refused with the place of each call that caused it, and with what would help.
    let refused = SessionPolicy::for_web_users()
        .named("broken")
        .lasting(MINUTE)
        .idle_timeout(HOUR)
        .cookie_name("__Host-broken")
        .cookie_domain("example.com")
        .build();
    if let Err(problems) = refused {
        println!("\n{problems}");
    }
    Ok(())
}

/// What is worth asking of every policy that guards something of value.
fn backoffice() -> Result<SessionPolicy, sessions::Problems> {
    SessionPolicy::for_web_users()
        .named("backoffice")
        .lasting(8 * HOUR)
        .idle_timeout(15 * MINUTE)
        .absolute_timeout(12 * HOUR)
        .sliding()
        .fresh_for(5 * MINUTE)
        .max_concurrent(1, BehaviorOnLimit::Reject)
        .cookie_samesite(SameSite::Strict)
        .strict_csrf()
        .build()
}

fn describe(policy: &SessionPolicy) {
    let transport = policy.transport();
    let carried_by = match transport.adapter() {
        Adapter::Header => format!("header {}", transport.header_name()),
        _ => format!("cookie {}", transport.cookie_name()),
    };
    let idle = policy.idle_timeout().map_or_else(|| "-".to_owned(), |idle| minutes(idle).to_string());
    let most = policy
        .concurrency()
        .max_sessions_per_principal()
        .map_or_else(|| "unlimited".to_owned(), |most| most.to_string());
    let kept = if policy.is_persistent() { policy.persistence().store_name() } else { "not kept" };
    println!(
        "{:12} ttl {:>6} min  idle {idle:>5} min  sessions {most:9}  store {kept:8}  {carried_by}",
        policy.name(),
        minutes(policy.ttl()),
    );
}

fn minutes(duration: Duration) -> u64 {
    duration.as_secs() / 60
}
