//! Sets `sessions` beside other session layers in one run, and writes what was measured.
//!
//! `cargo run --release -p sessions-benches` does everything in about ten minutes; `-- --help` tells what can be chosen.
//! Each stack runs in a process of its own. The processes are up at the same time and take turns in short chunks, so
//! that whatever else the machine does meets all of them alike: **trust ratios within a run, not times across runs.**

mod arguments;
mod child;
mod cookies;
mod in_process;
mod lost;
mod machine;
mod numbers;
mod orders;
mod report;
mod request;
mod serve;
mod sockets;
mod stacks;
mod wire;

use std::process::ExitCode;

use self::{
    arguments::{Arguments, Part, Task},
    report::Results,
};

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
        Task::Child { stack, sessions } => child::run(stack, sessions),
        Task::Serve { stack, sessions } => serve::run(stack, sessions),
        Task::Measure(arguments) => measure(&arguments),
    }
}

fn measure(arguments: &Arguments) -> Outcome<()> {
    let machine = machine::name();
    let mut results = Results { machine, ..Results::default() };
    if arguments.asks_for(Part::InProcess) {
        results.in_process = in_process::measure(arguments)?;
    }
    if arguments.asks_for(Part::Lost) {
        results.lost = lost::measure(arguments)?;
    }
    if arguments.asks_for(Part::Sockets) {
        results.sockets = sockets::measure(arguments)?;
    }
    report::publish(arguments, &results)
}
