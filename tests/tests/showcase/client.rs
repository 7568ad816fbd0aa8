//! A plain HTTP/1.1 client that shows every byte, and a browser that keeps cookies on top of it.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::{Value, json};

/// One answer, as it came over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    fn parse(bytes: &[u8]) -> Self {
        let text = std::str::from_utf8(bytes).expect("the showcase answers in UTF-8");
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer has a head");
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers: Vec<_> = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        let reply = Self { status: status.expect("a status line"), headers, body: body.to_owned() };
        if let Some(length) = reply.header("content-length") {
            assert_eq!(length, reply.body.len().to_string(), "the body is whole");
        }
        reply
    }

    /// The values of a header, in order.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The value of a header that stands at most once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let all = self.all(name);
        assert!(all.len() <= 1, "`{name}` stands once: {all:?}");
        all.first().copied()
    }

    /// The names of all headers, sorted.
    pub(crate) fn header_names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a JSON body")
    }

    /// The `Set-Cookie` lines.
    pub(crate) fn cookies(&self) -> Vec<&str> {
        self.all("set-cookie")
    }

    /// Everything but the date, to be compared byte by byte; in the order of the fields' names where the server sends them in
    /// an order of chance.
    pub(crate) fn without_date(&self) -> Self {
        let mut reply = self.clone();
        reply.headers.retain(|(name, _)| name != "date");
        if !crate::FIELDS_IN_ORDER {
            reply.headers.sort_by(|(one, _), (other, _)| one.cmp(other));
        }
        reply
    }

    #[track_caller]
    pub(crate) fn expect_status(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn expect_json(&self, expected: &Value) -> &Self {
        self.expect_status(200);
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert_eq!(&self.json(), expected);
        self
    }

    /// A problem document of this status and code.
    #[track_caller]
    pub(crate) fn expect_problem(&self, status: u16, code: &str) -> &Self {
        self.expect_status(status);
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{self:?}");
        assert_eq!(problem["status"], status, "{self:?}");
        assert!(problem["type"].is_string() && problem["title"].is_string(), "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn expect_no_cookie(&self) -> &Self {
        assert!(self.cookies().is_empty(), "{self:?}");
        self
    }
}

impl PartialEq for Reply {
    fn eq(&self, other: &Self) -> bool {
        (self.status, &self.headers, &self.body) == (other.status, &other.headers, &other.body)
    }
}

/// Sends one request on a connection of its own.
pub(crate) fn send(
    address: SocketAddr,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: Option<&str>,
) -> Reply {
    let mut stream = connect(address);
    stream.write_all(&request(address, (method, path), headers, body)).expect("the request is sent");
    receive(&mut stream)
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the showcase accepts");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
    stream
}

/// The bytes of a request that closes its connection.
pub(crate) fn request(
    address: SocketAddr,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: Option<&str>,
) -> Vec<u8> {
    let length = body.map(|body| body.len().to_string());
    let length =
        length.iter().flat_map(|length| [("Content-Type", "application/json"), ("Content-Length", length)]);
    let fields = headers.iter().copied().chain(length);
    let fields: String = fields.flat_map(|(name, value)| [name, ": ", value, "\r\n"]).collect();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{fields}\r\n");
    [head.as_bytes(), body.unwrap_or_default().as_bytes()].concat()
}

/// Reads until the server closes the connection.
pub(crate) fn receive(stream: &mut TcpStream) -> Reply {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("an answer");
    Reply::parse(&bytes)
}

/// A browser: it keeps the cookies that it is given. Clones start with the same cookies.
#[derive(Clone, Debug)]
pub(crate) struct Browser {
    pub(crate) address: SocketAddr,
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Browser {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, cookies: BTreeMap::new() }
    }

    /// The same browser with one cookie only.
    pub(crate) fn holding(&self, name: &str, value: &str) -> Self {
        let cookies = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        Self { address: self.address, cookies }
    }

    pub(crate) fn cookie(&self, name: &str) -> &str {
        self.cookies.get(name).expect("the browser has the cookie")
    }

    pub(crate) fn get(&mut self, path: &str) -> Reply {
        self.send("GET", path, &[], None)
    }

    pub(crate) fn post(&mut self, path: &str) -> Reply {
        self.send("POST", path, &[], None)
    }

    pub(crate) fn post_json(&mut self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, &[], Some(body))
    }

    pub(crate) fn put(&mut self, path: &str, body: &Value) -> Reply {
        self.send("PUT", path, &[], Some(body))
    }

    pub(crate) fn delete(&mut self, path: &str) -> Reply {
        self.send("DELETE", path, &[], None)
    }

    pub(crate) fn log_in(&mut self, email: &str, password: &str) -> Reply {
        self.post_json("/login", &json!({ "email": email, "password": password }))
    }

    /// Sets one preference.
    pub(crate) fn prefer(&mut self, key: &str, value: &Value) -> Reply {
        self.put(&format!("/prefs/{key}"), &json!({ "value": value }))
    }

    /// All preferences.
    #[track_caller]
    pub(crate) fn prefs(&mut self) -> Value {
        let reply = self.get("/prefs");
        reply.expect_status(200);
        reply.json()["prefs"].clone()
    }

    /// The handle of the session that the browser is logged in with.
    #[track_caller]
    pub(crate) fn handle(&mut self) -> String {
        let reply = self.get("/sessions");
        reply.expect_status(200);
        let list = reply.json();
        let mut own = list.as_array().expect("a list").iter().filter(|session| session["current"] == true);
        let handle = own.next().and_then(|session| session["handle"].as_str()).expect("the current session");
        assert!(own.next().is_none(), "one session is the current one: {list}");
        handle.to_owned()
    }

    #[track_caller]
    pub(crate) fn expect_logged_in(&mut self, user: &str) -> &mut Self {
        let reply = self.get("/profile");
        reply.expect_status(200);
        assert_eq!(reply.json()["user"], user);
        self
    }

    #[track_caller]
    pub(crate) fn expect_logged_out(&mut self) -> &mut Self {
        self.get("/profile").expect_problem(401, "SESSION_REQUIRED").expect_no_cookie();
        self
    }

    /// Sends a request with all cookies, and keeps what the answer sets and removes.
    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Reply {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let mut headers = headers.to_vec();
        if !cookies.is_empty() {
            headers.push(("Cookie", &cookies));
        }
        let body = body.map(Value::to_string);
        let reply = send(self.address, (method, path), &headers, body.as_deref());
        for line in reply.cookies() {
            self.keep(line);
        }
        reply
    }

    fn keep(&mut self, line: &str) {
        let (pair, attributes) = line.split_once("; ").expect("a cookie has attributes");
        let (name, value) = pair.split_once('=').expect("a cookie has a name");
        if attributes.split("; ").any(|attribute| attribute == "Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}
