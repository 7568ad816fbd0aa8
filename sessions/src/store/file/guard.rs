//! Which folders are refused: links, and what someone else can write to.

use std::{
    fs::{self, Metadata},
    io,
    path::Path,
};

/// An error that names a path, what is wrong with it, and the fix.
pub(super) fn refused(path: &Path, what: &str, help: &str) -> io::Error {
    io::Error::other(format!("`{}` {what}: {help}", path.display()))
}

/// A link may lead anywhere.
pub(super) fn refuse_link(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
        return Err(refused(path, "is a link", "name what it leads to, or remove it"));
    }
    Ok(())
}

/// Whoever can write to the folder can put sessions into it. `own` is of a file that this process has just made there.
#[cfg(unix)]
pub(super) fn refuse_what_others_can_write(folder: &Path, own: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;

    let metadata = fs::metadata(folder)?;
    if metadata.mode() & 0o022 != 0 {
        return Err(refused(
            folder,
            "can be written to by others",
            "`chmod go-w` it, or name another folder",
        ));
    }
    if metadata.uid() != own.uid() {
        let help = "name a folder of its own, which is made where it is missing";
        return Err(refused(folder, "belongs to another user than this process", help));
    }
    Ok(())
}

/// What others may do there, the system knows.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
pub(super) fn refuse_what_others_can_write(_: &Path, _: &Metadata) -> io::Result<()> {
    Ok(())
}
