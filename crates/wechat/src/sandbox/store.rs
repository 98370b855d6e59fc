//! Keeping the books: in memory, and as a journal on disk when a state file is set.
//!
//! Each change is one JSON line with the whole new row, written before anyone is answered. Reading back, the last line of a row
//! wins, and a last line cut short by a kill is as if it had never been. At start the journal is rewritten without its past.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::SandboxError;
use super::books::{Delivery, Order, Refund};

/// A subscribe message the sandbox took.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Message {
    pub(super) msgid: u64,
    pub(super) touser: String,
    pub(super) template_id: String,
    pub(super) page: Option<String>,
    pub(super) data: serde_json::Value,
    pub(super) sent_at: chrono::DateTime<chrono::Utc>,
}

/// How often a user ever accepted a template.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Acceptance {
    pub(super) openid: String,
    pub(super) template_id: String,
    pub(super) accepted_count: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Row {
    Order(Order),
    Refund(Refund),
    Delivery(Delivery),
    Message(Message),
    Acceptance(Acceptance),
}

/// Signing merchant and the merchant's own number.
type Key = (String, String);

/// All rows, and the journal they are written to.
#[derive(Default)]
pub(super) struct Store {
    pub(super) orders: BTreeMap<Key, Order>,
    pub(super) refunds: BTreeMap<Key, Refund>,
    pub(super) deliveries: BTreeMap<String, Delivery>,
    pub(super) messages: Vec<Message>,
    /// How often each user ever accepted each template, and how many messages that has paid for.
    accepted: BTreeMap<(String, String), (u64, u64)>,
    /// Refund numbers by order, in order of acceptance.
    refund_nos: BTreeMap<Key, Vec<String>>,
    journal: Option<File>,
}

impl Store {
    /// Opens the books at `path`, or empty ones in memory.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, SandboxError> {
        let mut store = Self::default();
        let Some(path) = path else { return Ok(store) };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(SandboxError::file(path, error)),
        };
        let mut lines = text.split_inclusive('\n').peekable();
        while let Some(line) = lines.next() {
            match serde_json::from_str(line) {
                Ok(row) => store.apply(row),
                Err(_) if lines.peek().is_none() => {
                    tracing::warn!("the last line of the sandbox journal was cut short and is left out");
                }
                Err(error) => {
                    return Err(SandboxError::Unreadable { path: path.to_owned(), why: error.to_string() });
                }
            }
        }
        store.journal = Some(store.rewrite(path).map_err(|error| SandboxError::file(path, error))?);
        Ok(store)
    }

    /// Writes the row down, then holds it.
    pub(super) fn put(&mut self, row: Row) -> io::Result<()> {
        if let Some(journal) = &mut self.journal {
            journal.write_all(&line(&row)?)?;
        }
        self.apply(row);
        Ok(())
    }

    fn apply(&mut self, row: Row) {
        match row {
            Row::Order(order) => {
                self.orders.insert((order.mchid.clone(), order.out_trade_no.clone()), order);
            }
            Row::Refund(refund) => {
                let order = (refund.mchid.clone(), refund.out_trade_no.clone());
                let key = (refund.mchid.clone(), refund.out_refund_no.clone());
                if self.refunds.insert(key.clone(), refund).is_none() {
                    self.refund_nos.entry(order).or_default().push(key.1);
                }
            }
            Row::Delivery(delivery) => {
                self.deliveries.insert(delivery.id.clone(), delivery);
            }
            Row::Message(message) => {
                let key = (message.touser.clone(), message.template_id.clone());
                self.accepted.entry(key).or_default().1 += 1;
                self.messages.push(message);
            }
            Row::Acceptance(Acceptance { openid, template_id, accepted_count }) => {
                self.accepted.entry((openid, template_id)).or_default().0 = accepted_count;
            }
        }
    }

    /// Replaces the journal by one line per row, all or nothing, and opens it for more.
    fn rewrite(&self, path: &Path) -> io::Result<File> {
        let mut new_path = path.as_os_str().to_owned();
        new_path.push(".new");
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut bytes = Vec::new();
        let orders = self.orders.values().cloned().map(Row::Order);
        let refunds = self.refunds.values().cloned().map(Row::Refund);
        let deliveries = self.deliveries.values().cloned().map(Row::Delivery);
        let messages = self.messages.iter().cloned().map(Row::Message);
        let acceptances = self.accepted.iter().map(|((openid, template_id), (accepted_count, _))| {
            let (openid, template_id) = (openid.clone(), template_id.clone());
            Row::Acceptance(Acceptance { openid, template_id, accepted_count: *accepted_count })
        });
        for row in orders.chain(refunds).chain(deliveries).chain(messages).chain(acceptances) {
            bytes.extend(line(&row)?);
        }
        let mut file = File::create(&new_path)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&new_path, path)?;
        OpenOptions::new().append(true).open(path)
    }

    /// How often a user ever accepted a template, and how many messages of it the user would still get.
    pub(super) fn acceptances(&self, openid: &str, template_id: &str) -> (u64, u64) {
        let key = (openid.to_owned(), template_id.to_owned());
        let (accepted_count, used_count) = self.accepted.get(&key).copied().unwrap_or_default();
        (accepted_count, accepted_count.saturating_sub(used_count))
    }

    /// A signing merchant's order.
    pub(super) fn order(&self, mchid: &str, out_trade_no: &str) -> Option<&Order> {
        self.orders.get(&(mchid.to_owned(), out_trade_no.to_owned()))
    }

    /// An order's refunds, in order of acceptance.
    pub(super) fn refunds_of(&self, order: &Order) -> Vec<&Refund> {
        let numbers = self.refund_nos.get(&(order.mchid.clone(), order.out_trade_no.clone()));
        let keys = numbers.into_iter().flatten().map(|number| (order.mchid.clone(), number.clone()));
        keys.filter_map(|key| self.refunds.get(&key)).collect()
    }
}

fn line(row: &Row) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(row)?;
    line.push(b'\n');
    Ok(line)
}
