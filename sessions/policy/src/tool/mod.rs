//! What the command line needs beside the check. All of it comes from the table of keys and the checked policies; none
//! of it prints or reads.

mod assurance;
mod difference;
mod dossier;
mod schema;
mod strength;

pub use self::difference::{Change, Difference, difference};
pub use self::dossier::dossier;
pub use self::schema::schema;
pub use self::strength::Strength;
