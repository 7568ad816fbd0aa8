//! Where a PostgreSQL server is and whether the way to it is over TLS: the `url` of a store. It may hold a password, so it is
//! never printed whole.

use std::fmt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];
const WRITE: &str = "write `\"postgres://USER@HOST/DATABASE\"`, with the password by a variable";
/// Parameters that are read here, and not handed on to the driver.
const SSLMODE: &str = "sslmode";
const SSLROOTCERT: &str = "sslrootcert";
/// Parameters that the driver knows and that mean something here.
const PARAMETERS: &[&str] = &[
    "application_name",
    "channel_binding",
    "dbname",
    "host",
    "hostaddr",
    "load_balance_hosts",
    "options",
    "password",
    "port",
    "user",
];

/// The address of a PostgreSQL server. It prints the hosts and the database, never the user or the password.
///
/// ```
/// use sessions_policy::{PostgresAddress, PostgresTls};
///
/// let address = PostgresAddress::parse("postgres://shop:hunter2@db.example.com/shop")?;
/// assert_eq!(address.to_string(), "db.example.com/shop");
/// assert_eq!(address.tls(), PostgresTls::Verified);
/// assert!(!format!("{address:?}").contains("hunter2"));
/// # Ok::<(), sessions_policy::ParsePostgresAddressError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresAddress {
    /// Without what only TLS needs.
    url: Zeroizing<String>,
    hosts: Vec<String>,
    database: String,
    has_password: bool,
    tls: PostgresTls,
    authority: Option<PathBuf>,
}

/// How a connection to a PostgreSQL server is protected. Nothing in between: what may be talked out of TLS protects nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PostgresTls {
    /// In clear: the default to this machine itself.
    Off,
    /// Over TLS, with the certificate and the name of the server checked.
    Verified,
}

impl PostgresAddress {
    /// Reads `postgres://USER:PASSWORD@HOST:PORT/DATABASE`; several hosts are separated by commas, and one that can be
    /// written to is taken.
    ///
    /// The parameter `sslmode` is `require` or `verify-full`, which mean the same here, or `disable`; `sslrootcert` is the
    /// file of the authorities whose certificates are accepted, instead of those of the system.
    ///
    /// # Errors
    /// [`ParsePostgresAddressError`], which shows nothing of what was written: it is no such URL, names no host, has an
    /// `sslmode` that checks no certificate, or a parameter that nothing reads.
    pub fn parse(url: &str) -> Result<Self, ParsePostgresAddressError> {
        let refuse = |reason, help| Err(ParsePostgresAddressError { reason, help });
        let Some(rest) = SCHEMES.iter().find_map(|scheme| url.strip_prefix(scheme)) else {
            let scheme = url.split(':').next().unwrap_or_default();
            if matches!(scheme, "redis" | "rediss" | "sqlite") {
                return refuse("is the address of another kind of store than `postgres`", WRITE);
            }
            return refuse("doesn't begin with `postgres://`", WRITE);
        };
        if url.chars().any(char::is_control) {
            return refuse("has a control character in it", WRITE);
        }
        let (user, rest) = rest.split_once('@').map_or(("", rest), |(user, rest)| (user, rest));
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (hosts, database) = place.split_once('/').unwrap_or((place, ""));
        let mut address = Self {
            url: Zeroizing::default(),
            hosts: hosts.split(',').filter(|host| !host.is_empty()).map(str::to_owned).collect(),
            database: database.to_owned(),
            has_password: user.contains(':'),
            tls: PostgresTls::Off,
            authority: None,
        };
        let (mut mode, mut kept) = (None, Vec::new());
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match name {
                SSLMODE => mode = Some(value),
                SSLROOTCERT => address.authority = Some(PathBuf::from(decoded(value))),
                "host" | "hostaddr" => address.hosts.extend(value.split(',').map(str::to_owned)),
                _ if !PARAMETERS.contains(&name) => {
                    return refuse(
                        "has a parameter that nothing reads",
                        "drop it: `sslmode` and `sslrootcert` say how TLS is, and `timeout` of the store how long it may take",
                    );
                }
                "dbname" => value.clone_into(&mut address.database),
                _ => address.has_password |= name == "password",
            }
            if !matches!(name, SSLMODE | SSLROOTCERT) {
                kept.push(parameter);
            }
        }
        if address.hosts.iter().all(String::is_empty) {
            return refuse("names no host", WRITE);
        }
        address.tls = match mode {
            Some("disable") => PostgresTls::Off,
            Some("require" | "verify-full") => PostgresTls::Verified,
            Some(_) => {
                return refuse(
                    "has an `sslmode` under which anyone on the way can read along",
                    "write `sslmode=verify-full`, or `sslmode=disable` to this machine itself",
                );
            }
            None if address.is_local() => PostgresTls::Off,
            None => PostgresTls::Verified,
        };
        let before = url.split_once('?').map_or(url, |_| &url[..url.len() - query.len() - 1]);
        let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
        address.url = Zeroizing::new(format!("{before}{query}"));
        Ok(address)
    }

    /// The whole of it, as the driver reads it: with the user and the password, without what only TLS needs.
    pub fn expose(&self) -> &str {
        &self.url
    }

    /// How the connection is protected.
    pub fn tls(&self) -> PostgresTls {
        self.tls
    }

    /// The file of the authorities whose certificates are accepted, if not those of the system.
    pub fn authority(&self) -> Option<&Path> {
        self.authority.as_deref()
    }

    /// Whether every host is this machine: a loopback address, or the folder of a socket.
    pub fn is_local(&self) -> bool {
        self.hosts.iter().all(|host| is_local(host))
    }

    /// Whether a password stands in it.
    pub fn has_password(&self) -> bool {
        self.has_password
    }
}

/// Whether a host, with or without a port, is this machine.
fn is_local(host: &str) -> bool {
    let host = decoded(host);
    if host.is_empty() || host.starts_with('/') {
        return true;
    }
    let bare = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((inside, _)) => inside,
        None if host.matches(':').count() == 1 => host.split(':').next().unwrap_or_default(),
        None => &host,
    };
    let is_loopback = bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    is_loopback || bare.eq_ignore_ascii_case("localhost")
}

/// Text without its `%` escapes, as far as they are well formed.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok()))
            .flatten();
        out.push(escaped.unwrap_or(bytes[at]));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

impl fmt::Display for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<String> = self.hosts.iter().map(|host| decoded(host)).collect();
        let database = decoded(&self.database);
        let text = format!("{}{}{database}", hosts.join(","), if database.is_empty() { "" } else { "/" });
        text.chars().filter(|c| !c.is_control()).try_for_each(|c| fmt::Write::write_char(f, c))
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresAddress")
            .field("server", &self.to_string())
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// Why text is no address of a PostgreSQL server. It shows nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParsePostgresAddressError {
    reason: &'static str,
    help: &'static str,
}

impl ParsePostgresAddressError {
    /// What is wrong, as the end of a sentence.
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// What to do.
    pub fn help(&self) -> &'static str {
        self.help
    }
}

impl fmt::Display for ParsePostgresAddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.help)
    }
}

impl std::error::Error for ParsePostgresAddressError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_is_over_tls_unless_it_ends_on_this_machine() {
        use PostgresTls::{Off, Verified};
        for (url, tls, shown) in [
            ("postgres://localhost", Off, "localhost"),
            ("postgres://u@127.0.0.1:5433/shop", Off, "127.0.0.1:5433/shop"),
            ("postgres://u:p@[::1]:5433/shop", Off, "[::1]:5433/shop"),
            ("postgresql://%2Fvar%2Frun/shop", Off, "/var/run/shop"),
            ("postgres:///shop?host=/tmp", Off, "/tmp/shop"),
            ("postgres://u:p@db/shop", Verified, "db/shop"),
            ("postgres://u:p@localhost,db/shop", Verified, "localhost,db/shop"),
            ("postgres://u:p@db/shop?sslmode=require", Verified, "db/shop"),
            ("postgres://u:p@localhost/shop?sslmode=verify-full", Verified, "localhost/shop"),
            ("postgres://u:p@db/shop?sslmode=disable", Off, "db/shop"),
            ("postgres://u:p@localhost.evil.example/x", Verified, "localhost.evil.example/x"),
            ("postgres://u:p@127.0.0.1/x?hostaddr=10.0.0.1", Verified, "127.0.0.1,10.0.0.1/x"),
        ] {
            let address = PostgresAddress::parse(url).unwrap();
            assert_eq!((address.tls(), address.to_string().as_str()), (tls, shown), "{url}");
        }
    }

    #[test]
    fn what_only_tls_needs_is_not_handed_on() {
        let url = "postgres://u:p@db/shop?sslmode=require&application_name=x&sslrootcert=%2Fca.pem";
        let address = PostgresAddress::parse(url).unwrap();
        assert_eq!(address.expose(), "postgres://u:p@db/shop?application_name=x");
        assert_eq!(address.authority(), Some(Path::new("/ca.pem")));
        let address = PostgresAddress::parse("postgres://u@db/shop?sslmode=require").unwrap();
        assert_eq!(address.expose(), "postgres://u@db/shop");
        assert!(!address.has_password());
        assert!(PostgresAddress::parse("postgres://u@db/shop?password=x").unwrap().has_password());
    }

    #[test]
    fn another_url_is_refused_with_the_fix_and_never_shown() {
        for url in [
            "",
            "hunter2",
            "sqlite://hunter2.db",
            "redis://:hunter2@host",
            "POSTGRES://hunter2@host/x",
            "postgres://",
            "postgres:///hunter2",
            "postgres://u:hunter2@/x",
            "postgres://u:hunter2@host/x?sslmode=prefer",
            "postgres://u:hunter2@host/x?sslmode=allow",
            "postgres://u:hunter2@host/x?sslmode=verify-ca",
            "postgres://u:hunter2@host/x?connect_timeout=5",
            "postgres://u:hunter2@ho\nst/x",
        ] {
            let error = PostgresAddress::parse(url).unwrap_err();
            assert!(!error.help().is_empty() && !format!("{error}{error:?}").contains("hunter2"), "{url}");
        }
    }

    #[test]
    fn it_is_never_printed_whole() {
        let address = PostgresAddress::parse("postgres://hunter1:hunter2@db/shop?password=hunter3").unwrap();
        assert!(!format!("{address} {address:?}").contains("hunter"));
    }
}
