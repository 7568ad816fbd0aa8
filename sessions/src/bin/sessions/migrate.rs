//! `sessions migrate`: moves the sessions of one store to another. How is the library's.

use std::error::Error;
use std::io::Write as _;
use std::time::{Duration, Instant};

use sessions::store::{MigratingStore, MigrationPhase, StoreError};
use sessions_policy::Configuration;

use crate::arguments::Migrate;
use crate::input::Input;
use crate::outcome::{Failure, Report};

/// How often it tells how far it is.
const EACH: Duration = Duration::from_secs(1);

pub(crate) fn run(arguments: &Migrate) -> Result<Report, Failure> {
    let input = Input::read(arguments.file.as_deref(), &arguments.environment)?;
    let configuration = input.sources(input.one_profile()).check().map_err(Failure::Refused)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Unreadable(error.to_string()))?;
    let told = runtime.block_on(migrate(arguments, &configuration))?;
    Ok(Report { notes: input.notes, ..Report::fine(told + "\n") })
}

async fn migrate(arguments: &Migrate, configuration: &Configuration) -> Result<String, Failure> {
    let store = open(&arguments.store, configuration).await?;
    if arguments.progress {
        return store
            .progress()
            .await
            .map(|progress| progress.to_string())
            .map_err(|error| unreadable(&error));
    }
    let before = store.progress().await.map_err(|error| unreadable(&error))?;
    if matches!(before.phase, MigrationPhase::Copying | MigrationPhase::Closing) {
        let _ = writeln!(
            anstream::stderr(),
            "{before}\nunder way already: this goes on with it in five seconds, unless another process does"
        );
    }
    let mut last = Instant::now();
    let migration = store.migration().on_progress(move |progress| {
        if last.elapsed() >= EACH {
            last = Instant::now();
            let _ = writeln!(anstream::stderr(), "{progress}");
        }
    });
    migration.run().await.map(|progress| progress.to_string()).map_err(|error| unreadable(&error))
}

async fn open(name: &str, configuration: &Configuration) -> Result<MigratingStore, Failure> {
    sessions::__private::open_migrating(configuration, name).await.map_err(|error: Option<StoreError>| {
        match error {
            Some(error) => unreadable(&error),
            None => Failure::Senseless(format!(
                "`stores.{name}` has no `migrate_from`: name the store whose sessions move to it"
            )),
        }
    })
}

/// An error with what is behind it.
fn unreadable(error: &dyn Error) -> Failure {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.extend([": ", &error.to_string()]);
        cause = error.source();
    }
    Failure::Unreadable(text)
}
