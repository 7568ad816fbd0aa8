//! How a session's id travels: in a cookie for browsers, in a header or as a bearer token for programs, or by either. The
//! code in between is the same.
//!
//! ```text
//! cargo run --example transports
//! ```

use http::{Request, Response};
use sessions::{Adapter, MemoryStore, SameSite, SessionEngine, SessionError, SessionPolicy};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A cookie is Secure, HttpOnly and SameSite=Lax for this host alone, unless a policy says otherwise.
    let site = SessionPolicy::for_web_users().named("site").build()?;
    show(site).await?;

    let bank = SessionPolicy::for_web_users()
        .named("bank")
        .cookie_name("__Host-Http-bank")
        .cookie_samesite(SameSite::Strict)
        .build()?;
    show(bank).await?;

    // A device keeps its cookie after the browser is closed: the policy's scope says so.
    show(SessionPolicy::for_devices().named("kiosk").build()?).await?;

    let api = SessionPolicy::for_api_tokens().named("api").via_header("X-Session-ID").build()?;
    show(api).await?;

    // The same id in `Authorization: Bearer` of a request; a response tells it in this header.
    let app = SessionPolicy::for_api_tokens().named("app").via_bearer("X-Session-ID").build()?;
    show(app).await?;

    // Browsers and programs alike: whoever presents nothing gets a cookie.
    let both = SessionPolicy::for_web_users()
        .named("both")
        .via_one_of([Adapter::Cookie, Adapter::Bearer])
        .build()?;
    show(both).await?;
    Ok(())
}

/// Starts a session under the policy and shows what the client is told. Ids are cut out: they are credentials.
async fn show(policy: SessionPolicy) -> Result<(), SessionError> {
    let name = policy.name().to_owned();
    let engine = SessionEngine::new(policy, MemoryStore::new(100));
    let mut session = engine.resolve(&Request::new(())).await?;
    session.set("greeting", "hello")?;
    let mut response = Response::new(());
    engine.commit(&session, &mut response).await?;
    println!("{name}");
    for (field, value) in response.headers() {
        let value = value.to_str().unwrap_or("(not text)");
        println!("  {field}: {}", if value.len() > 60 { without_id(value) } else { value.to_owned() });
    }
    Ok(())
}

fn without_id(value: &str) -> String {
    let (pair, attributes) = value.split_once(';').unwrap_or((value, ""));
    let name = pair.split_once('=').map_or(String::new(), |(name, _)| format!("{name}="));
    let separator = if attributes.is_empty() { "" } else { ";" };
    format!("{name}…{separator}{attributes}")
}
