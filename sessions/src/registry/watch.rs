//! Reloads by itself: when the policy file changes, and when the process is told to by SIGHUP.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    time::Duration,
};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::{sync::mpsc, task::JoinHandle};

use super::{Declared, LoadError, Registry, Reloaded, load};

/// How long a file is left alone after it changed: editors and deployments write in several steps.
const SETTLE: Duration = Duration::from_millis(100);

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
    /// The file may be replaced by another, as editors and `ConfigMap`s do: its folder is watched. Where the settings came
    /// from the copy in the program, a file that appears in the working directory is taken.
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
    /// Outside of a Tokio runtime with I/O enabled.
    pub fn watch(&self, report: impl Fn(Result<Reloaded, LoadError>) + Send + 'static) -> io::Result<Watch> {
        let file = load::path::<D>();
        let (told, changes) = mpsc::channel(1);
        let watcher = file.as_deref().map(|file| watch_folder(file, told.clone())).transpose()?;
        let hangups = Hangups::new()?;
        let task = tokio::spawn(follow(self.clone(), file, changes, hangups, report));
        Ok(Watch { task, _watcher: watcher })
    }
}

/// Tells that something has changed in the folder of a file. What it was is not looked at: a file may be a link to one
/// in a folder that is replaced.
fn watch_folder(file: &Path, told: mpsc::Sender<()>) -> io::Result<RecommendedWatcher> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
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
    let content = || file.as_deref().and_then(|file| std::fs::read(file).ok());
    let mut seen = content();
    loop {
        tokio::select! {
            // Where no folder is watched it never comes, and only signals are waited for.
            Some(()) = changes.recv() => {
                tokio::time::sleep(SETTLE).await;
                let now = content();
                if now == seen || now.is_none() {
                    continue;
                }
                seen = now;
            }
            () = hangups.next() => seen = content(),
        }
        let outcome = registry.reload();
        if let Err(error) = &outcome {
            tracing::error!(
                "the session policies were read again and are wrong: nothing has changed\n{error}"
            );
        }
        report(outcome);
    }
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
