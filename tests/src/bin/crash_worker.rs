//! The process that the crash tests kill: clients that use sessions as fast as they can, and say so.
//!
//! `crash_worker KIND FOLDER`, with a [`Start`] on standard input. See `sessions_tests::crash`.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::{io::Write as _, path::PathBuf, time::Duration};

use sessions::{Session, SessionEngine, SessionError, SessionPrincipal};
use sessions_tests::crash::{
    Begin, Dice, LIMIT, Line, REMEMBERED, Role, Start, Step, Work, engine, finish, open, resolve,
};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let (kind, folder) = (arguments.next().unwrap(), PathBuf::from(arguments.next().unwrap()));
    let mut start = String::new();
    std::io::stdin().read_line(&mut start).unwrap();
    let start: Start = serde_json::from_str(&start).unwrap();
    let engine = engine(open(&kind, &folder).await.unwrap());
    say(&Line::Ready);
    let mut clients = Vec::new();
    for (number, begin) in start.clients.into_iter().enumerate() {
        let dice = Dice(start.seed.wrapping_add(number as u64 * 7_919));
        let client = Client { number, begin, dice, engine: engine.clone() };
        clients.push(tokio::spawn(client.run()));
    }
    for client in clients {
        client.await.unwrap();
    }
    // The parent kills a worker that has nothing left to do.
    std::future::pending::<()>().await;
}

/// One write: what was said before a kill can be read after it.
fn say(line: &Line) {
    let line = format!("{}\n", serde_json::to_string(line).unwrap());
    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
}

struct Client {
    number: usize,
    begin: Begin,
    dice: Dice,
    engine: SessionEngine,
}

impl Client {
    async fn run(mut self) {
        // Fewer than are remembered, for all that count together.
        for round in 0..REMEMBERED as u64 / 4 {
            match self.begin.role {
                Role::Counter => self.count(round).await,
                Role::Setter => self.set().await,
                Role::Member | Role::Racer => self.come_and_go().await,
                Role::Rotator => self.rotate().await,
                Role::Revoker => self.revoke().await,
            }
            if self.dice.roll(8) == 0 {
                tokio::time::sleep(Duration::from_micros(self.dice.roll(3_000))).await;
            }
        }
    }

    /// Says what it begins, does it, and says what came of it. The new cookie if there is one.
    async fn step(
        &self,
        cookie: Option<&str>,
        step: Step,
        handler: impl AsyncFnOnce(&mut Session) -> Result<(), SessionError>,
    ) -> Result<Option<String>, ()> {
        say(&Line::Try(self.number, step.clone()));
        let done = async {
            let mut session = resolve(&self.engine, cookie).await?;
            handler(&mut session).await?;
            finish(&self.engine, &session).await
        };
        match done.await {
            Ok(cookie) => {
                say(&Line::Did(self.number, step, cookie.clone()));
                Ok(cookie)
            }
            Err(error) => {
                say(&Line::Failed(self.number, step, error.to_string()));
                Err(())
            }
        }
    }

    fn cookie(&self) -> Option<String> {
        self.begin.cookies.last().cloned()
    }

    async fn count(&mut self, round: u64) {
        let id = self.begin.from + round;
        let count = async |session: &mut Session| {
            let add = |work: &mut Work| {
                work.count += 1;
                work.operations.push(id);
                let over = work.operations.len().saturating_sub(REMEMBERED);
                work.operations.drain(..over);
            };
            session.update("work", add).await
        };
        let _ = self.step(self.cookie().as_deref(), Step::Count(id), count).await;
    }

    async fn set(&mut self) {
        self.begin.from += 1;
        let number = self.begin.from;
        let set = async |session: &mut Session| session.set("number", number);
        let _ = self.step(self.cookie().as_deref(), Step::Set(number), set).await;
    }

    async fn log_in(&mut self) {
        let principal = SessionPrincipal::user(self.begin.principal.clone());
        let login = async |session: &mut Session| {
            session.mark_authenticated(principal);
            Ok(())
        };
        if let Ok(Some(cookie)) = self.step(None, Step::Login, login).await {
            self.begin.cookies.push(cookie);
        }
    }

    async fn come_and_go(&mut self) {
        self.log_in().await;
        let held = &mut self.begin.cookies;
        held.drain(..held.len().saturating_sub(LIMIT));
        if self.dice.roll(5) < 2 && !held.is_empty() {
            let which = usize::try_from(self.dice.roll(held.len() as u64)).unwrap();
            let cookie = held.remove(which);
            let logout = async |session: &mut Session| {
                session.clear_authentication();
                session.clear_data();
                Ok(())
            };
            let _ = self.step(Some(&cookie), Step::Logout(cookie.clone()), logout).await;
        }
    }

    async fn rotate(&mut self) {
        let rotate = async |session: &mut Session| {
            session.rotate();
            Ok(())
        };
        if let Ok(Some(cookie)) = self.step(self.cookie().as_deref(), Step::Rotate, rotate).await {
            self.begin.cookies = vec![cookie];
        }
    }

    async fn revoke(&mut self) {
        while self.begin.cookies.len() < LIMIT {
            let before = self.begin.cookies.len();
            self.log_in().await;
            if self.begin.cookies.len() == before {
                return;
            }
        }
        let kept = self.begin.cookies.remove(0);
        let all = self.dice.roll(2) == 0;
        let step = if all { Step::RevokeAll } else { Step::RevokeOthers(kept.clone()) };
        let revoke = async |session: &mut Session| {
            let revoked = if all { session.revoke_all().await } else { session.revoke_others().await };
            revoked.map(drop)
        };
        let done = self.step(Some(&kept), step, revoke).await;
        self.begin.cookies = if all || done.is_err() { Vec::new() } else { vec![kept] };
    }
}
