//! Sets `sessions` on Redis beside other session layers on the same server in one run, and writes what was measured.
//!
//! `cargo run --release -p sessions-benches-redis` takes a few minutes and writes `benches/results/redis.md`. It starts
//! a `redis-server` of its own. express-session with connect-redis comes from npm, into a folder that is removed; where
//! there is no npm it is left out. Each stack is a process of its own, on one core, beside the generator and the
//! Redis server on another. They take turns in short chunks: **trust ratios within a run, not times across runs.**

#[allow(dead_code, reason = "shared with the other benches")]
#[path = "../../src/cookies.rs"]
mod cookies;
#[allow(dead_code, reason = "shared with the other benches")]
#[path = "../../src/machine.rs"]
mod machine;
#[allow(dead_code, reason = "shared with the other benches")]
#[path = "../../src/numbers.rs"]
mod numbers;
#[allow(dead_code, reason = "shared with the other benches")]
#[path = "../../src/request.rs"]
mod request;
#[allow(dead_code, reason = "shared with the other benches")]
#[path = "../../src/wire.rs"]
mod wire;

mod arguments;
mod load;
mod memory;
mod page;
mod server;
mod stacks;

use std::process::ExitCode;

use self::arguments::{Arguments, Task};

/// What can go wrong is told and ends the run.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    match Arguments::parse(std::env::args().skip(1)).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Outcome<()> {
    match task {
        Task::Help => {
            println!("{}", arguments::HELP);
            Ok(())
        }
        Task::Serve { stack, port } => stacks::serve(stack, port),
        Task::Memory(arguments) => memory::measure(&arguments),
        Task::Measure(arguments) => {
            let machine = machine::name();
            machine::pin_to(1);
            let measured = load::measure(&arguments)?;
            let page = page::write(&arguments, &machine, &measured);
            println!("{page}");
            Ok(std::fs::write(arguments.out.join("redis.md"), page)?)
        }
    }
}
