//! A socket that lives as long as its session: what it does is seen by requests at once, and whatever ends the session
//! closes it.

use axum::response::Response;
use serde_json::{Value, json};
use sessions::{SessionError, SessionWatch, WebSocketTransport, session};

use crate::policies;

/// Text frames: `whoami`, `visit`, `set K V`, `logout`.
#[session(policy = "user_default", require = authenticated)]
pub(crate) async fn open(socket: WebSocketTransport) -> Response {
    socket.on_upgrade(|mut socket| async move {
        while let Some(message) = socket.recv().await {
            let Ok(text) = message.to_text() else { continue };
            let answer = answer(socket.watch(), text).await.unwrap_or_else(|error| refusal(&error));
            if socket.send(answer).await.is_err() {
                break;
            }
        }
    })
}

async fn answer(session: &SessionWatch, text: &str) -> Result<String, SessionError> {
    let mut words = text.splitn(3, ' ');
    Ok(match (words.next(), words.next(), words.next()) {
        (Some("whoami"), None, None) => {
            let user = session.principal().map(|user| user.id().to_owned());
            json!({ "user": user }).to_string()
        }
        (Some("visit"), None, None) => {
            let visits = session
                .update("visits", |visits: &mut u64| {
                    *visits += 1;
                    *visits
                })
                .await?;
            json!({ "visits": visits }).to_string()
        }
        (Some("set"), Some(key), Some(value)) => {
            // JSON as `PUT /prefs/{key}` takes it; what is none is text.
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
            session.set(key, value)?;
            session.commit().await?;
            "ok".to_owned()
        }
        (Some("logout"), None, None) => {
            session.logout().await?;
            "ok".to_owned()
        }
        _ => json!({ "error": "send `whoami`, `visit`, `set KEY VALUE` or `logout`" }).to_string(),
    })
}

/// Where the session has ended, the frame that closes the socket says so.
fn refusal(error: &SessionError) -> String {
    let fault = error.fault();
    let code = if fault.is_public() { fault.code() } else { "SESSION_FAILED" };
    json!({ "error": code }).to_string()
}
