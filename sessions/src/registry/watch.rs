//! Reloads by itself: when the policy file changes, and when the process is told to by SIGHUP.

use std::{
    fmt, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::Duration,
};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::{
    sync::mpsc,
    task::{JoinHandle, spawn_blocking},
};

use super::{Declared, LoadError, Registry, Reloaded, load};

/// How long a file has to stay as it is until it is read: editors and deployments write in several steps.
const SETTLE: Duration = Duration::from_millis(100);
/// How often a file is looked at that keeps changing. What comes later is told anew.
const LOOKS: usize = 100;

/// Keeps a [`Registry::watch`] going until it is dropped.
#[must_use = "dropping it ends the watch"]
pub struct Watch {
    task: JoinHandle<()>,
    _watcher: Option<RecommendedWatcher>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

impl<D: Declared> Registry<D> {
    /// [Reloads](Self::reload) whenever the content of the policy file has changed, and whenever the process gets a SIGHUP
    /// (on Unix), until the [`Watch`] is dropped. `report` is told what came of each.
    ///
    /// The file may be replaced by another, as editors and `ConfigMap`s do: its folder is watched. What can't be seen there,
    /// such as the target of a link that is changed in place elsewhere, takes a SIGHUP; so does everything where the folder
    /// does not exist. Where the settings came from the copy in the program, a file that appears in the working directory is
    /// taken. From the first watch on, a SIGHUP never ends the process, also after the last was dropped.
    ///
    /// ```no_run
    /// # sessions::policies! { visits: { extends: "user_default" } }
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let registry = policies::Registry::load().await?;
    /// let _watch = registry.watch(|outcome| {
    ///     if let Err(error) = outcome {
    ///         eprintln!("{error}");
    ///     }
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The system can't watch the folder, or gives no SIGHUP.
    ///
    /// # Panics
    /// Outside of a Tokio runtime with I/O and time enabled.
    pub fn watch(&self, report: impl Fn(Result<Reloaded, LoadError>) + Send + 'static) -> io::Result<Watch> {
        let file = load::path::<D>();
        let (told, changes) = mpsc::channel(1);
        // What has changed between the load and the watch is looked for once.
        let _ = told.try_send(());
        let folder = file.as_deref().map(folder_of).filter(|folder| folder.is_dir());
        let watcher = folder.map(|folder| watch_folder(folder, told)).transpose()?;
        let hangups = Hangups::new()?;
        let task = tokio::spawn(follow(self.clone(), file, changes, hangups, report));
        Ok(Watch { task, _watcher: watcher })
    }
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Tells that something has changed in a folder. What it was is not looked at: a file may be a link to one in a folder that
/// is replaced.
fn watch_folder(folder: &Path, told: mpsc::Sender<()>) -> io::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| event.kind.is_access()) {
            return;
        }
        // Full means that a look is due already.
        let _ = told.try_send(());
    })
    .map_err(io::Error::other)?;
    watcher.watch(folder, RecursiveMode::NonRecursive).map_err(io::Error::other)?;
    Ok(watcher)
}

async fn follow<D: Declared>(
    registry: Registry<D>,
    file: Option<PathBuf>,
    mut changes: mpsc::Receiver<()>,
    mut hangups: Hangups,
    report: impl Fn(Result<Reloaded, LoadError>) + Send + 'static,
) {
    loop {
        tokio::select! {
            // Without a folder it ends at once, and only signals are waited for.
            Some(()) = changes.recv() => match settled(file.as_deref()).await {
                Some(text) if !registry.has_read(&text) => {}
                _ => continue,
            },
            () = hangups.next() => {}
        }
        let reloading = registry.clone();
        let Ok(outcome) = spawn_blocking(move || reloading.reload()).await else { continue };
        if let Err(error) = &outcome {
            tracing::error!(
                "the session policies were read again and are wrong: nothing has changed\n{error}"
            );
        }
        if catch_unwind(AssertUnwindSafe(|| report(outcome))).is_err() {
            tracing::error!("what a watch of the session policies reports to panicked");
        }
    }
}

/// The content of the file once it is the same twice; `None` if there is none, or if it never comes to rest.
async fn settled(file: Option<&Path>) -> Option<String> {
    let mut before = None::<Option<String>>;
    for _ in 0..LOOKS {
        let path = file?.to_owned();
        let now = spawn_blocking(move || std::fs::read_to_string(path).ok()).await.ok().flatten();
        if before.as_ref() == Some(&now) {
            return now;
        }
        before = Some(now);
        tokio::time::sleep(SETTLE).await;
    }
    None
}

/// The SIGHUPs that the process gets.
#[cfg(unix)]
struct Hangups(tokio::signal::unix::Signal);

#[cfg(unix)]
impl Hangups {
    fn new() -> io::Result<Self> {
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).map(Self)
    }

    async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// Where there are no signals.
#[cfg(not(unix))]
struct Hangups;

#[cfg(not(unix))]
impl Hangups {
    #[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        std::future::pending::<()>().await;
    }
}
