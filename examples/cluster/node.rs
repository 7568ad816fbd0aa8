//! One node: the showcase as a process of its own, and requests to it.

use std::{
    env,
    error::Error,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// A node that runs. It ends with this.
pub(crate) struct Node {
    process: Child,
    address: String,
}

/// What a node answered.
pub(crate) struct Answer {
    /// Such as `200`.
    pub(crate) status: String,
    /// The pair of its cookie, if it sets one.
    pub(crate) cookie: Option<String>,
}

/// Builds the showcase, as `cargo run` has built this.
pub(crate) fn build() -> Result<(), Box<dyn Error>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", "sessions-examples", "--example", "showcase"]);
    let built = command.args(["--features", "redis"]).status()?;
    if built.success() { Ok(()) } else { Err("the showcase can't be built".into()) }
}

fn showcase() -> Result<PathBuf, Box<dyn Error>> {
    Ok(env::current_exe()?.with_file_name("showcase").with_extension(env::consts::EXE_EXTENSION))
}

impl Node {
    /// Starts one that keeps its sessions at an address.
    pub(crate) fn start(url: &str) -> Result<Self, Box<dyn Error>> {
        let mut command = Command::new(showcase()?);
        command.env("SHOWCASE_ADDR", "127.0.0.1:0").env("SESSIONS_STORES__MAIN__KIND", "redis");
        command.env("SESSIONS_STORES__MAIN__URL", url).env("SESSIONS_STORES__MAIN__KEY_PREFIX", "showcase");
        let mut process = command.stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let address = line.trim().strip_prefix("listening on http://");
        let address = address.ok_or("the showcase did not start")?.to_owned();
        Ok(Self { process, address })
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Sends one request on a connection of its own.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        cookie: Option<&str>,
        body: &str,
    ) -> Result<Answer, Box<dyn Error>> {
        let mut stream = TcpStream::connect(&self.address)?;
        let cookie = cookie.map_or_else(String::new, |pair| format!("Cookie: {pair}\r\n"));
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n{cookie}\r\n{body}",
            self.address,
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let status = answer.split(' ').nth(1).ok_or("no answer")?.to_owned();
        let set = answer.lines().find_map(|line| line.strip_prefix("set-cookie: "));
        let cookie = set.and_then(|set| set.split(';').next()).map(str::to_owned);
        Ok(Answer { status, cookie })
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
