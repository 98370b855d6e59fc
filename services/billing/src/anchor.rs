//! The file outside the database in which the heads of the ledger's chains are written down: lines are added, never changed.

use std::io;
use std::path::Path;

use shared::value::Moment;
use tokio::io::AsyncWriteExt as _;

use crate::domain::chain::Anchor;

/// Adds a line for each head and has it on disk before it gives back.
///
/// # Errors
/// When the file cannot be written.
pub async fn write(file: &Path, heads: &[Anchor], now: Moment) -> io::Result<()> {
    let lines: String = heads.iter().map(|head| head.line(now)).collect();
    let mut file = tokio::fs::OpenOptions::new().create(true).append(true).open(file).await?;
    file.write_all(lines.as_bytes()).await?;
    file.sync_data().await
}

/// Reads every whole line; none when there is no file.
///
/// # Errors
/// When the file is there and cannot be read.
pub async fn read(file: &Path) -> io::Result<Vec<Anchor>> {
    match tokio::fs::read_to_string(file).await {
        Ok(text) => Ok(text.lines().filter_map(Anchor::read).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
