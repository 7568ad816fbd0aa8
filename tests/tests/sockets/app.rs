//! A small app on a spied store, and its clients.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::Path,
    http::{HeaderName, HeaderValue, Request, Response, StatusCode, header},
    response::sse::{Event, Sse},
    routing::{any, get, post},
};
use futures_util::{SinkExt as _, Stream, StreamExt as _, stream};
use sessions::{
    MemoryStore, Session, SessionError, SessionPrincipal, WebSocketTransport, session, testing::SpyStore,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Notify,
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _},
};

sessions::policies! {
    page: { extends: "user_default", socket: { outage: "1s" }, persistence: { store_name: "main" } },
    tool: {
        extends: "api_token", socket: { credential: "subprotocol" }, persistence: { store_name: "main" },
        transport: { header_name: "X-Tool" }
    },
    program: { extends: "api_token", persistence: { store_name: "main" } },
    guest: { extends: "user_default", socket: { require: "session" }, persistence: { store_name: "main" } },
    other_site: {
        extends: "user_default", persistence: { store_name: "main" },
        socket: { credential: "ticket", origins: ["https://app.example", "http://localhost:1"] }
    },
}

const FILE: &str = "[stores.main]\nkind = \"custom\"\ntimeout = \"300ms\"\n";

/// What handlers of the app do, as far as a test has to know.
#[derive(Clone, Default)]
pub(crate) struct Watched {
    /// A busy handler has begun.
    pub(crate) busy: Arc<Notify>,
    /// A handler was dropped in the middle, or came to its end.
    pub(crate) over: Arc<Notify>,
    /// How many messages a slow handler has got.
    pub(crate) handled: Arc<AtomicUsize>,
}

pub(crate) struct App {
    pub(crate) store: SpyStore<MemoryStore>,
    pub(crate) registry: policies::Registry,
    pub(crate) watched: Watched,
    pub(crate) address: SocketAddr,
}

macro_rules! policy_routes {
    ($policy:literal, $login:ident, $revoke:ident, $echo:ident) => {
        #[session(policy = $policy)]
        async fn $login(mut session: Session) {
            session.mark_authenticated(SessionPrincipal::user("ada").with("role", "x"));
        }

        #[session(policy = $policy, require = authenticated)]
        async fn $revoke(session: Session) -> Result<(), SessionError> {
            session.revoke_all().await.map(drop)
        }

        #[session(policy = $policy)]
        async fn $echo(socket: WebSocketTransport) -> axum::response::Response {
            socket.protocols(["chat"]).on_upgrade(|mut socket| async move {
                while let Some(message) = socket.recv().await {
                    if socket.send(message).await.is_err() {
                        break;
                    }
                }
            })
        }
    };
}

policy_routes!("page", page_login, page_revoke, page_echo);
policy_routes!("tool", tool_login, tool_revoke, tool_echo);
policy_routes!("program", program_login, program_revoke, program_echo);
policy_routes!("guest", guest_login, guest_revoke, guest_echo);
policy_routes!("other_site", other_login, other_revoke, other_echo);

#[session(policy = "page", role = "admin")]
async fn admins(socket: WebSocketTransport) -> axum::response::Response {
    socket.on_upgrade(|_| async {})
}

#[session(policy = "guest")]
async fn visit(mut session: Session) -> Result<(), SessionError> {
    session.set("colour", "blue")
}

#[session(policy = "page")]
async fn visit_page(mut session: Session) -> Result<(), SessionError> {
    session.set("colour", "blue")
}

/// The ticket travels in the body of an answer to a request of the site.
#[session(policy = "other_site", require = authenticated)]
async fn ticket(session: Session, Path(path): Path<String>) -> Result<String, SessionError> {
    Ok(session.ticket_for(&format!("/{path}"), "https://app.example").await?.expose(str::to_owned))
}

/// Answers nothing, and does not even receive.
#[session(policy = "page")]
async fn busy(
    socket: WebSocketTransport,
    watched: axum::extract::State<Watched>,
) -> axum::response::Response {
    socket.on_upgrade(|socket| async move {
        let _over = Over(Arc::clone(&watched.over));
        watched.busy.notify_one();
        sleep(Duration::from_secs(60)).await;
        drop(socket);
    })
}

/// Takes its time for a message.
#[session(policy = "page")]
async fn slow(
    socket: WebSocketTransport,
    watched: axum::extract::State<Watched>,
) -> axum::response::Response {
    socket.on_upgrade(|mut socket| async move {
        while socket.recv().await.is_some() {
            watched.handled.fetch_add(1, Ordering::SeqCst);
            sleep(Duration::from_millis(300)).await;
        }
    })
}

/// Offers whatever it is asked for.
#[session(policy = "tool")]
async fn reflect(headers: http::HeaderMap, socket: WebSocketTransport) -> axum::response::Response {
    let asked = headers[header::SEC_WEBSOCKET_PROTOCOL].to_str().unwrap().to_owned();
    let asked: Vec<_> = asked.split(',').map(|protocol| protocol.trim().to_owned()).collect();
    socket.protocols(asked).on_upgrade(|_| async {})
}

/// Sends for as long as anyone takes it.
#[session(policy = "page")]
async fn flood(
    socket: WebSocketTransport,
    watched: axum::extract::State<Watched>,
) -> axum::response::Response {
    socket.on_upgrade(|socket| async move {
        let _over = Over(Arc::clone(&watched.over));
        while socket.send("x".repeat(1 << 20)).await.is_ok() {}
    })
}

/// Something new every 20 ms, for as long as the session lives.
#[session(policy = "page", require = authenticated)]
async fn news(
    session: Session,
) -> Result<Sse<impl Stream<Item = Result<Event, std::convert::Infallible>>>, SessionError> {
    let news = stream::unfold((), async |()| {
        sleep(Duration::from_millis(20)).await;
        Some((Ok(Event::default().data("news")), ()))
    });
    Ok(Sse::new(session.watch().await?.guard(news)))
}

/// Says goodbye by itself.
#[session(policy = "page")]
async fn brief(socket: WebSocketTransport) -> axum::response::Response {
    socket.on_upgrade(|socket| async move {
        socket.send("hello").await.unwrap();
        socket.close(4000, "enough").await;
    })
}

struct Over(Arc<Notify>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl App {
    pub(crate) async fn start() -> Self {
        let store = SpyStore::new(MemoryStore::new(10_000));
        let registry = policies::Registry::builder()
            .with_settings(Some(FILE), [])
            .store("main", store.clone())
            .load()
            .await
            .unwrap();
        let watched = Watched::default();
        let router = Router::new()
            .route("/page/login", post(page_login))
            .route("/page/revoke", post(page_revoke))
            .route("/page", any(page_echo))
            .route("/tool/login", post(tool_login))
            .route("/tool/revoke", post(tool_revoke))
            .route("/tool", any(tool_echo))
            .route("/program/login", post(program_login))
            .route("/program/revoke", post(program_revoke))
            .route("/program", any(program_echo))
            .route("/guest/login", post(guest_login))
            .route("/guest/revoke", post(guest_revoke))
            .route("/guest/visit", post(visit))
            .route("/page/visit", post(visit_page))
            .route("/guest", any(guest_echo))
            .route("/other_site/login", post(other_login))
            .route("/other_site/revoke", post(other_revoke))
            .route("/other_site/ticket/{*path}", post(ticket))
            .nest("/deep", Router::new().route("/other_site", any(other_echo)))
            .route("/other_site", any(other_echo))
            .route("/admins", any(admins))
            .route("/busy", any(busy))
            .route("/slow", any(slow))
            .route("/reflect", any(reflect))
            .route("/flood", any(flood))
            .route("/brief", any(brief))
            .route("/news", get(news))
            .layer(registry.layer())
            .with_state(watched.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { store, registry, watched, address }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Logs Ada in under a policy, and gives the fields that prove it: a cookie or a header.
    pub(crate) async fn log_in(&self, policy: &str) -> Vec<(HeaderName, String)> {
        let response = self.post(&format!("/{policy}/login"), &[]).await;
        assert_eq!(response.status(), 200);
        credentials(&response)
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(HeaderName, String)]) -> Response<String> {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let request = format!("{}{path}", self.origin());
        http_post(self.address, &request, &fields).await
    }

    /// Opens a socket with these fields.
    pub(crate) async fn open(&self, path: &str, fields: &[(HeaderName, String)]) -> Result<Socket, Refused> {
        let mut request = format!("ws://{}{path}", self.address).into_client_request().unwrap();
        for (name, value) in fields {
            request.headers_mut().append(name.clone(), value.parse().unwrap());
        }
        let stream = TcpStream::connect(self.address).await.unwrap();
        match client_async(request, stream).await {
            Ok((stream, response)) => {
                let headers = response.headers();
                let protocol = headers.get(header::SEC_WEBSOCKET_PROTOCOL).cloned();
                Ok(Socket { stream, protocol })
            }
            Err(Error::Http(response)) => {
                let body = response.body().clone().unwrap_or_default();
                let problem: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
                Err(Refused {
                    status: response.status(),
                    code: problem["code"].as_str().unwrap_or_default().to_owned(),
                })
            }
            Err(other) => panic!("{other}"),
        }
    }

    /// Opens a socket as a page of the site does.
    pub(crate) async fn open_here(&self, path: &str, fields: &[(HeaderName, String)]) -> Socket {
        let mut fields = fields.to_vec();
        fields.push((header::ORIGIN, self.origin()));
        self.open(path, &fields).await.unwrap()
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) code: String,
}

impl Refused {
    pub(crate) fn is(&self, status: u16, code: &str) -> bool {
        self.status.as_u16() == status && self.code == code
    }
}

#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) stream: WebSocketStream<TcpStream>,
    pub(crate) protocol: Option<HeaderValue>,
}

impl Socket {
    pub(crate) async fn send(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.unwrap();
    }

    pub(crate) async fn echoes(&mut self, text: &str) -> bool {
        self.send(text).await;
        matches!(self.stream.next().await, Some(Ok(Message::Text(echo))) if echo.as_str() == text)
    }

    /// The close frame, and how long it took to come.
    pub(crate) async fn closed(&mut self) -> (u16, String, Duration) {
        let began = Instant::now();
        loop {
            match timeout(Duration::from_secs(10), self.stream.next()).await.unwrap() {
                Some(Ok(Message::Close(Some(frame)))) => {
                    return (frame.code.into(), frame.reason.to_string(), began.elapsed());
                }
                Some(Ok(_)) => {}
                other => panic!("closed with a word: {other:?}"),
            }
        }
    }
}

/// What a response has a client keep.
fn credentials(response: &Response<String>) -> Vec<(HeaderName, String)> {
    let headers = response.headers();
    let cookies = headers.get_all(header::SET_COOKIE).iter().map(|line| {
        let line = line.to_str().unwrap();
        (header::COOKIE, line.split(';').next().unwrap_or_default().to_owned())
    });
    let names = ["x-tool", "x-session-id"].map(HeaderName::from_static);
    let fields = names.into_iter().filter_map(|name| {
        let value = headers.get(&name)?.to_str().unwrap().to_owned();
        Some((name, value))
    });
    cookies.chain(fields).collect()
}

/// One request without a body.
async fn http_post(address: SocketAddr, uri: &str, fields: &[(HeaderName, String)]) -> Response<String> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut request = Request::post(uri);
    for (name, value) in fields {
        request = request.header(name, value);
    }
    let request = request.body(()).unwrap();
    let fields = request.headers().iter();
    let lines: String =
        fields.flat_map(|(name, value)| [name.as_str(), ": ", value.to_str().unwrap(), "\r\n"]).collect();
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: 0\r\n{lines}\r\n",
        request.uri().path()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap();
    let mut response = Response::builder().status(status);
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        response = response.header(name, value);
    }
    response.body(body.to_owned()).unwrap()
}
