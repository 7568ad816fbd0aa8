//! Hears from Sentinels that another server has become the primary, on a connection of its own to one of them. Who hears
//! nothing asks every few seconds all the same (`link`).

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use redis::{PushInfo, PushKind};
use tokio::{
    sync::mpsc::UnboundedReceiver,
    task::AbortHandle,
    time::{Instant, sleep, timeout},
};

use super::{
    failure::Failure,
    link::Link,
    sentinel::{Sentinels, text},
    wire::{Answer, Wire},
};

/// Where Sentinels say it.
const CHANNEL: &str = "+switch-master";
/// How long one Sentinel may take to answer.
const PATIENCE: Duration = Duration::from_millis(800);
/// A Sentinel that says nothing for so long is asked whether it is still there.
const SILENCE: Duration = Duration::from_secs(5);
/// The pause after all Sentinels were tried in vain.
const PAUSE: Duration = Duration::from_millis(500);
/// How often, and after which pause, Sentinels are asked for what one has said: the others hear of it a little later.
const LOOKS: (u32, Duration) = (15, Duration::from_millis(200));

/// A task that listens. It ends with this.
#[derive(Debug)]
pub(super) struct Switches(AbortHandle);

impl Drop for Switches {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Switches {
    /// Listens to Sentinels, on the runtime that this is called on.
    pub(super) fn listen(sentinels: Arc<Sentinels>, links: &[Arc<Link>]) -> Self {
        let links = links.iter().map(Arc::downgrade).collect();
        Self(tokio::spawn(listen(sentinels, links)).abort_handle())
    }
}

async fn listen(sentinels: Arc<Sentinels>, links: Vec<Weak<Link>>) {
    loop {
        for node in sentinels.nodes() {
            if let Ok(Ok((wire, heard))) = timeout(PATIENCE, sentinels.hear(node, CHANNEL)).await {
                // What happened while no one listened.
                look(&links).await;
                follow(&sentinels, &links, &wire, heard).await;
            }
        }
        sleep(PAUSE.mul_f64(rand::random_range(0.5..=1.0))).await;
    }
}

/// Listens to one Sentinel until it is there no more.
async fn follow(
    sentinels: &Sentinels,
    links: &[Weak<Link>],
    wire: &Wire,
    mut heard: UnboundedReceiver<PushInfo>,
) {
    loop {
        match timeout(SILENCE, heard.recv()).await {
            Ok(Some(push)) if push.kind == PushKind::Disconnection => return,
            Ok(Some(push)) if is_of(&push, sentinels.name()) => {
                for _ in 0..LOOKS.0 {
                    if look(links).await {
                        break;
                    }
                    sleep(LOOKS.1).await;
                }
            }
            Ok(Some(_)) => {}
            Ok(None) => return,
            Err(_) => match wire.ask(&redis::cmd("PING"), Instant::now() + PATIENCE).await {
                Ok(Answer::Value(_)) => {}
                Ok(Answer::Refused(_)) | Err(_) => return,
            },
        }
    }
}

/// Asks who the primary is: whether a link led to another, which it leaves then.
async fn look(links: &[Weak<Link>]) -> bool {
    let mut has_moved = false;
    for link in links.iter().filter_map(Weak::upgrade) {
        has_moved |= link.look_again().await;
    }
    has_moved
}

/// Whether a message is about what is called so: `NAME OLD-HOST OLD-PORT NEW-HOST NEW-PORT`.
fn is_of(push: &PushInfo, name: &str) -> bool {
    let message = push.data.last().and_then(text).unwrap_or_default();
    push.kind == PushKind::Message && message.split(' ').next() == Some(name)
}

impl Sentinels {
    /// A connection to a Sentinel on which it says what happens.
    async fn hear(
        &self,
        node: &super::wire::Node,
        channel: &str,
    ) -> Result<(Wire, UnboundedReceiver<PushInfo>), Failure> {
        let (tell, heard) = tokio::sync::mpsc::unbounded_channel();
        let wire = self.connect(node, Some(tell)).await?;
        wire.subscribe(channel).await?;
        Ok((wire, heard))
    }
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::*;

    fn push(message: &str) -> PushInfo {
        let data = [CHANNEL, message].map(|text| Value::BulkString(text.as_bytes().to_vec())).into();
        PushInfo { kind: PushKind::Message, data }
    }

    #[test]
    fn a_message_is_about_the_first_word_of_it() {
        let told = push("main 10.0.0.1 6379 10.0.0.2 6379");
        assert!(is_of(&told, "main") && !is_of(&told, "mai") && !is_of(&told, "10.0.0.1"));
        assert!(!is_of(&push(""), "main"));
    }
}
