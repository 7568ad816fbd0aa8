//! One PostgreSQL server, and a network to each node.

use std::thread::sleep;

use sessions_tests::{crash::Dice, proxy::Proxy, servers::postgres::Postgres};
use tokio::runtime::Handle;

use super::{Setup, unknown};
use crate::{
    faults::{Fault, between},
    world::{NODES, World},
};

const END_CONNECTIONS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";

/// One server.
#[derive(Debug)]
pub(crate) struct Relational {
    server: Postgres,
    networks: Vec<Proxy>,
    runtime: Handle,
}

impl Relational {
    pub(crate) fn start(runtime: Handle) -> Self {
        // It waits for the disk, as in production: what is not committed yet is what simultaneous logins can't see.
        let server = Postgres::start(&[]);
        let networks = (0..NODES).map(|_| Proxy::to(server.port())).collect();
        Self { server, networks, runtime }
    }

    /// Runs statements, each on its own.
    fn run(&self, statements: &[&str]) {
        self.runtime.block_on(async {
            let client = self.server.admin().await;
            for statement in statements {
                client.batch_execute(statement).await.unwrap();
            }
        });
    }
}

impl Setup for Relational {
    fn urls(&self) -> [String; NODES] {
        std::array::from_fn(|node| {
            format!("postgres://postgres@127.0.0.1:{}/postgres", self.networks[node].port())
        })
    }

    fn faults(&self) -> &'static [Fault] {
        &[
            Fault::Stalled,
            Fault::NodeKilled,
            Fault::NodeFrozen,
            Fault::Slow,
            Fault::Silent,
            Fault::AnswersLost,
            Fault::Cut,
            Fault::Refused,
            Fault::StoreKilled,
            Fault::StoreRestarted,
            Fault::StoreFrozen,
            Fault::ConnectionsEnded,
            Fault::ReadOnly,
        ]
    }

    fn networks(&self) -> &[Proxy] {
        &self.networks
    }

    fn strike(&mut self, fault: Fault, dice: &mut Dice, _: &World) {
        let time = between(dice, 200, 900);
        match fault {
            Fault::StoreKilled => {
                self.server.kill();
                sleep(time);
                self.server.resume_after_end();
            }
            Fault::StoreRestarted => {
                self.server.stop();
                self.server.resume_after_end();
            }
            Fault::StoreFrozen => {
                self.server.freeze();
                sleep(time * 2);
                self.server.thaw();
            }
            Fault::ConnectionsEnded => {
                for _ in 0..3 {
                    self.run(&[END_CONNECTIONS]);
                    sleep(time / 3);
                }
            }
            Fault::ReadOnly => {
                self.run(&["ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()"]);
                sleep(time);
                self.run(&["ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()"]);
            }
            other => unknown(other),
        }
    }
}
