//! A proxy between a client and a server of a test, which does to the network what networks do: it delays, swallows, cuts,
//! refuses, and goes silent without a word.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Notify, oneshot},
    time::sleep,
};

/// What a proxy does with what passes.
#[derive(Debug, Default)]
struct Weather {
    /// In milliseconds, each way.
    delay: AtomicU64,
    /// In milliseconds, for questions alone.
    delay_of_questions: AtomicU64,
    is_silent: AtomicBool,
    swallows_answers: AtomicBool,
    refuses: AtomicBool,
    /// Each connection is cut when so many bytes of answers have passed; `u64::MAX` is never.
    cut_after: AtomicU64,
    connections: AtomicU64,
    /// As many connections, the first ones, lead nowhere any more.
    stranded: AtomicU64,
    questions: AtomicU64,
    /// Where it leads.
    server: Mutex<Option<SocketAddr>>,
    changed: Notify,
    cut: Notify,
}

/// A proxy on a port of its own, on a thread of its own. It ends with this.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    weather: Arc<Weather>,
    _stop: oneshot::Sender<()>,
}

impl Proxy {
    /// Leads to a port of this machine.
    pub fn to(port: u16) -> Self {
        let weather = Arc::new(Weather { cut_after: AtomicU64::new(u64::MAX), ..Weather::default() });
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let shared = Arc::clone(&weather);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                tokio::select! {
                    () = accept(listener, shared) => {}
                    _ = stopped => {}
                }
            });
        });
        let proxy = Self { address: told.recv().unwrap(), weather, _stop: stop };
        proxy.lead_to(port);
        proxy
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Leads new connections to another port of this machine.
    pub fn lead_to(&self, port: u16) {
        let mut server = self.weather.server.lock().unwrap_or_else(PoisonError::into_inner);
        *server = Some((Ipv4Addr::LOCALHOST, port).into());
    }

    /// Holds up everything for a time, each way.
    pub fn delay(&self, delay: Duration) {
        self.weather.delay.store(u64::try_from(delay.as_millis()).unwrap(), SeqCst);
    }

    /// Holds up what clients ask for a time; answers pass.
    pub fn delay_questions(&self, delay: Duration) {
        self.weather.delay_of_questions.store(u64::try_from(delay.as_millis()).unwrap(), SeqCst);
    }

    /// Goes silent: nothing passes any more and no one is told, also on new connections. Or lets it pass again, together
    /// with what has come meanwhile.
    pub fn silence(&self, is_silent: bool) {
        self.weather.is_silent.store(is_silent, SeqCst);
        self.weather.changed.notify_waiters();
    }

    /// Lets questions pass, and swallows their answers for good. A connection that has lost one brings none any more: the next
    /// would be taken for it, as no network lets happen.
    pub fn swallow_answers(&self, swallows: bool) {
        self.weather.swallows_answers.store(swallows, SeqCst);
    }

    /// Refuses new connections, by closing them at once.
    pub fn refuse(&self, refuses: bool) {
        self.weather.refuses.store(refuses, SeqCst);
    }

    /// Cuts each connection when so many bytes of answers have passed over it, or none for `u64::MAX`.
    pub fn cut_after(&self, bytes: u64) {
        self.weather.cut_after.store(bytes, SeqCst);
    }

    /// Leaves the connections that are there open, and lets nothing pass on them ever again: what a machine leaves that has
    /// lost its power. New ones work.
    pub fn strand(&self) {
        self.weather.stranded.store(self.connections(), SeqCst);
    }

    /// Cuts every connection that is there.
    pub fn cut(&self) {
        self.weather.cut.notify_waiters();
    }

    /// How many connections there have been.
    pub fn connections(&self) -> u64 {
        self.weather.connections.load(SeqCst)
    }

    /// How often something came from a client: trips, of a client that asks one question at a time.
    pub fn questions(&self) -> u64 {
        self.weather.questions.load(SeqCst)
    }
}

async fn accept(listener: TcpListener, weather: Arc<Weather>) {
    while let Ok((client, _)) = listener.accept().await {
        let number = weather.connections.fetch_add(1, SeqCst);
        if !weather.refuses.load(SeqCst) {
            tokio::spawn(carry(client, number, Arc::clone(&weather)));
        }
    }
}

async fn carry(client: TcpStream, number: u64, weather: Arc<Weather>) {
    let server = *weather.server.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(server) = server else { return };
    let Ok(server) = TcpStream::connect(server).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = questions(from_client, to_server, number, &weather) => {}
        () = answers(from_server, to_client, number, &weather) => {}
        () = weather.cut.notified() => {}
    }
}

async fn questions(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, number: u64, weather: &Weather) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        weather.questions.fetch_add(1, SeqCst);
        sleep(Duration::from_millis(weather.delay_of_questions.load(SeqCst))).await;
        pass(weather).await;
        if number < weather.stranded.load(SeqCst) {
            continue;
        }
        if to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}

async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, number: u64, weather: &Weather) {
    let (mut bytes, mut passed) = (vec![0; 1 << 16], 0);
    let mut has_swallowed = false;
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        pass(weather).await;
        has_swallowed |= weather.swallows_answers.load(SeqCst);
        if has_swallowed || number < weather.stranded.load(SeqCst) {
            continue;
        }
        let left = weather.cut_after.load(SeqCst).saturating_sub(passed);
        let whole = length as u64;
        let part = usize::try_from(left.min(whole)).unwrap();
        if to.write_all(&bytes[..part]).await.is_err() || left <= whole && left != u64::MAX {
            return;
        }
        passed += whole;
    }
}

/// Waits as long as the weather asks for.
async fn pass(weather: &Weather) {
    sleep(Duration::from_millis(weather.delay.load(SeqCst))).await;
    loop {
        let changed = weather.changed.notified();
        if !weather.is_silent.load(SeqCst) {
            return;
        }
        tokio::select! {
            () = changed => {}
            () = sleep(Duration::from_millis(50)) => {}
        }
    }
}
