//! A stack behind a socket, in a process of its own on a core of its own. It tells `ready PORT COUNT` and so many
//! cookies, and answers each line on standard input with the processor time that it has used, in nanoseconds.

use std::{
    io::{BufRead as _, BufWriter, Write as _},
    net::TcpListener,
};

use crate::{
    Outcome, machine,
    request::login,
    stacks::{Stack, actix},
};

/// The most cookies that are told: enough that the sessions behind them fit in no cache.
const MOST_COOKIES: usize = 500_000;

pub(crate) fn run(stack: Stack, sessions: usize) -> Outcome<()> {
    machine::pin_to(0);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    if stack.is_actix() {
        // Its sessions are in cookies alone: the generator logs in for them.
        tell(port, &[])?;
        return actix::serve(stack, listener);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let router = stack.router(sessions).await?;
        let (every, mut cookies) = (sessions.div_ceil(MOST_COOKIES).max(1), Vec::new());
        // Without a layer each login sets the same cookie.
        for index in 0..if stack.is_layer() { sessions } else { 1 } {
            let cookie = login(&router).await?;
            if index % every == 0 {
                cookies.push(cookie);
            }
        }
        tell(port, &cookies)?;
        drop(cookies);
        axum::serve(tokio::net::TcpListener::from_std(listener)?, router).await?;
        Ok(())
    })
}

fn tell(port: u16, cookies: &[String]) -> Outcome<()> {
    let mut out = BufWriter::new(std::io::stdout());
    writeln!(out, "ready {port} {}", cookies.len())?;
    for cookie in cookies {
        writeln!(out, "{cookie}")?;
    }
    out.flush()?;
    std::thread::spawn(|| {
        for _ in std::io::stdin().lock().lines() {
            println!("{}", machine::processor_time());
        }
    });
    Ok(())
}
