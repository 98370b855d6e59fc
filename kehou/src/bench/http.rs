//! A client that costs little: one connection, one request after another, as HTTP/1.1 has it.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// A connection that is kept.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Its entity tag; empty without one.
    pub etag: String,
    /// Seconds to wait before the next try; none without them.
    pub retry_after: Option<u64>,
    /// The body, as it came.
    pub body: Vec<u8>,
}

impl Connection {
    /// Connects to `address:port`.
    ///
    /// # Errors
    /// When nobody answers there.
    pub async fn open(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a whole request and reads the whole answer.
    ///
    /// # Errors
    /// When the connection breaks, or what comes is no answer.
    pub async fn ask(&mut self, request: &[u8]) -> anyhow::Result<Reply> {
        tokio::time::timeout(PATIENCE, self.exchange(request)).await.context("no answer in ten minutes")?
    }

    async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<Reply> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head_end = loop {
            self.more().await?;
            if let Some(at) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
        };
        let head = std::str::from_utf8(&self.buffer[..head_end]).context("a head that is no text")?;
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|word| word.parse().ok());
        let status = status.with_context(|| format!("no status in {head:?}"))?;
        let (mut length, mut chunked, mut etag, mut retry_after) = (0, false, String::new(), None);
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().context("a length")?,
                "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
                "etag" => value.clone_into(&mut etag),
                "retry-after" => retry_after = value.parse().ok(),
                _ => {}
            }
        }
        let body = if chunked {
            self.chunks(head_end).await?
        } else {
            while self.buffer.len() < head_end + length {
                self.more().await?;
            }
            self.buffer[head_end..head_end + length].to_vec()
        };
        Ok(Reply { status, etag, retry_after, body })
    }

    /// A body in chunks, its sizes in hexadecimal (RFC 9112, 7.1).
    async fn chunks(&mut self, mut at: usize) -> anyhow::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line_end = loop {
                if let Some(end) = self.buffer[at..].windows(2).position(|two| two == b"\r\n") {
                    break at + end;
                }
                self.more().await?;
            };
            let size = std::str::from_utf8(&self.buffer[at..line_end])?;
            let size = usize::from_str_radix(size.trim(), 16).context("a chunk's size")?;
            let end = line_end + 2 + size + 2;
            while self.buffer.len() < end {
                self.more().await?;
            }
            body.extend_from_slice(&self.buffer[line_end + 2..end - 2]);
            if size == 0 {
                return Ok(body);
            }
            at = end;
        }
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        ensure!(self.buffer.len() < 64 * 1024 * 1024, "an answer without end");
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the connection was closed");
        }
        Ok(())
    }
}
