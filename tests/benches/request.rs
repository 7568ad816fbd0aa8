//! What a session costs a request, in process: each path beside the same router without sessions, in one run.
//!
//! `cargo bench -p sessions-tests --bench request`. Chunks of all variants are interleaved, and the figure is the median
//! over a variant's chunks, less that of its base. Each request's head is written anew just before it is served, as a
//! server's is when it comes off the wire. It measures and asserts nothing about time.
//!
//! With `--features observing` metrics and spans are built in, `-- --recorded` records the metrics for Prometheus, and
//! `-- --heard` has a listener that wants every event.

use std::{hint::black_box, time::Instant};

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Request, Uri, header},
    response::IntoResponse,
    routing::get,
};
use sessions::{Session, SessionPrincipal, session};
use tower::{Service, ServiceExt};

sessions::policies! {
    bench: {
        extends: "user_default",
        concurrency: { max_sessions_per_principal: "unlimited" },
        allow: [{ rule: "SL041", reason: "measures without counting", owner: "benches", until: "9999-12-31" }],
    },
}

/// How many sessions are stored, unless a number on the command line says otherwise.
const SESSIONS: usize = 100_000;
/// Requests of one chunk.
const CHUNK: u32 = 5_000;
/// Chunks of each variant.
const ROUNDS: usize = 101;

async fn plain() -> &'static str {
    "ok"
}

async fn with_headers() -> impl IntoResponse {
    (
        [
            (header::VARY, HeaderValue::from_static("cookie")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ],
        "ok",
    )
}

#[session(policy = "bench")]
async fn read(session: Session) -> &'static str {
    black_box(session.get::<u64>("n").ok());
    "ok"
}

#[session(policy = "bench")]
async fn set(mut session: Session) -> &'static str {
    let n = session.get::<u64>("n").ok().flatten().unwrap_or(0);
    black_box(session.set("n", n + 1).ok());
    "ok"
}

#[derive(Clone)]
struct NoOp<S>(S);

impl<S: Service<R>, R> Service<R> for NoOp<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.0.call(request)
    }
}

fn routes() -> Router {
    Router::new()
        .route("/plain", get(plain))
        .route("/headers", get(with_headers))
        .route("/read", get(read))
        .route("/set", get(set))
}

fn request(path: &'static str, cookie: Option<&String>) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = Uri::from_static(path);
    if let Some(cookie) = cookie {
        let value = HeaderValue::from_bytes(cookie.as_bytes()).expect("a value");
        request.headers_mut().insert(header::COOKIE, value);
    }
    request
}

/// Seeds sessions of a typical size and returns their cookies.
async fn seed(registry: &policies::Registry, sessions: usize) -> Vec<String> {
    let engine = registry.engine::<policies::Bench>();
    let mut cookies = Vec::with_capacity(sessions);
    for n in 0..sessions {
        let mut session = engine.resolve(&Request::new(())).await.expect("a session");
        let user = SessionPrincipal::user(format!("u{n}")).with("name", "Ada").role("customer");
        session.mark_authenticated(user);
        for (key, value) in [("theme", "dark"), ("lang", "en"), ("tz", "Europe/London")] {
            session.set(key, value).expect("open");
        }
        session.set("n", 0).expect("open");
        let mut response = http::Response::new(());
        engine.commit(&session, &mut response).await.expect("committed");
        let cookie = response.headers()[header::SET_COOKIE].to_str().expect("text");
        cookies.push(cookie.split(';').next().expect("a pair").to_owned());
    }
    cookies
}

struct Variant {
    name: &'static str,
    base: Option<usize>,
    path: &'static str,
    cookie: bool,
    router: Router,
    chunks: Vec<f64>,
}

/// Whether a flag stands on the command line.
fn is_asked(flag: &str) -> bool {
    std::env::args().any(|word| word == flag)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    #[cfg(feature = "observing")]
    if is_asked("--recorded") {
        metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder().expect("the one recorder");
    }
    let registry = policies::Registry::builder().with_settings(None, []).load().await.expect("settings");
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let sessions = words.iter().find_map(|word| word.parse().ok()).unwrap_or(SESSIONS);
    if is_asked("--heard") {
        registry.on_event(|event| {
            black_box(event);
        });
    }
    let before = resident();
    let cookies = seed(&registry, sessions).await;
    let bytes = (resident() - before) / sessions;
    let bare = routes();
    let no_op = routes().layer(tower::layer::layer_fn(NoOp));
    let layered = routes().layer(registry.layer());
    let variant = |name, base, path, cookie, router: &Router| Variant {
        name,
        base,
        path,
        cookie,
        router: router.clone(),
        chunks: Vec::new(),
    };
    let mut variants = vec![
        variant("bare router", None, "/plain", true, &bare),
        variant("no-op layer", None, "/plain", true, &no_op),
        variant("untouched", Some(1), "/plain", true, &layered),
        variant("untouched, no cookie", Some(1), "/plain", false, &layered),
        variant("bare with Vary and no-store", None, "/headers", true, &bare),
        variant("the same under a no-op layer", Some(4), "/headers", true, &no_op),
        variant("read", Some(4), "/read", true, &layered),
        variant("read + set", Some(4), "/set", true, &layered),
    ];
    // A word on the command line measures the variants of that name alone, for a profiler.
    if let Some(word) = words.iter().find(|word| word.parse::<usize>().is_err()) {
        variants.retain(|variant| variant.name == *word);
        for variant in &mut variants {
            variant.base = None;
        }
    }
    let mut next = 0_usize;
    for _ in 0..ROUNDS {
        for variant in &mut variants {
            let start = Instant::now();
            for _ in 0..CHUNK {
                next = (next + 7_919) % cookies.len();
                let request = request(variant.path, variant.cookie.then(|| &cookies[next]));
                let response = variant.router.clone().oneshot(request).await.expect("infallible");
                assert!(response.status().is_success());
                black_box(response);
            }
            variant.chunks.push(start.elapsed().as_secs_f64() * 1e6 / f64::from(CHUNK));
        }
    }
    println!(
        "{sessions} sessions stored, {bytes} bytes of memory each; medians of {ROUNDS} chunks of {CHUNK} requests"
    );
    println!("{:<30} {:>10} {:>10}", "", "µs/request", "over base");
    let medians: Vec<f64> = variants.iter_mut().map(|variant| median(&mut variant.chunks)).collect();
    for (variant, own) in variants.iter().zip(&medians) {
        let over = variant.base.map_or_else(String::new, |base| format!("{:+.3}", own - medians[base]));
        println!("{:<30} {own:>10.3} {over:>10}", variant.name);
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Resident memory in bytes, as Linux tells it; 0 elsewhere.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<usize>().ok()).unwrap_or(0) * 1024
}
