//! What a test does to WeChat, and asks of it.

use anyhow::{Context as _, ensure};
use kehou::person::{Site, text};
use serde_json::{Value, json};

/// An order as WeChat has it.
///
/// # Errors
/// When there is none of that number.
pub async fn order(site: &Site, out_trade_no: &str) -> anyhow::Result<Value> {
    let orders = site.sandbox_get("/sandbox/orders").await?;
    let found = list(&orders, "orders").iter().find(|order| order["out_trade_no"] == out_trade_no).cloned();
    found.with_context(|| format!("WeChat has no order {out_trade_no}"))
}

/// How many orders WeChat has.
///
/// # Errors
/// When the sandbox is not reached.
pub async fn order_count(site: &Site) -> anyhow::Result<usize> {
    Ok(list(&site.sandbox_get("/sandbox/orders").await?, "orders").len())
}

/// The refunds of an order: amount and state.
///
/// # Errors
/// When the sandbox is not reached.
pub async fn refunds(site: &Site, out_trade_no: &str) -> anyhow::Result<Vec<(i64, String)>> {
    let refunds = site.sandbox_get("/sandbox/refunds").await?;
    let of_order = list(&refunds, "refunds").iter().filter(|refund| refund["out_trade_no"] == out_trade_no);
    Ok(of_order
        .map(|refund| (refund["refund_fen"].as_i64().unwrap_or_default(), text(refund, "status")))
        .collect())
}

/// Pays an order in full, as the family does.
///
/// # Errors
/// When WeChat does not take it.
pub async fn pay(site: &Site, out_trade_no: &str) -> anyhow::Result<Value> {
    site.sandbox_post(&format!("/sandbox/orders/{out_trade_no}/pay"), &json!({})).await
}

/// Pays an order that closed: the money was on its way.
///
/// # Errors
/// When WeChat does not take it.
pub async fn pay_late(site: &Site, out_trade_no: &str) -> anyhow::Result<Value> {
    site.sandbox_post(&format!("/sandbox/late-success/{out_trade_no}"), &json!({})).await
}

/// Lets something go wrong; gives the fault's number.
///
/// # Errors
/// When the fault is not possible.
pub async fn fault(site: &Site, fault: &Value) -> anyhow::Result<i64> {
    let answer = site.sandbox_post("/sandbox/faults", fault).await?;
    answer["id"].as_i64().context("a fault without a number")
}

/// How often a fault has struck.
///
/// # Errors
/// When there is none of that number.
pub async fn fired(site: &Site, fault: i64) -> anyhow::Result<i64> {
    let faults = site.sandbox_get("/sandbox/faults").await?;
    let found = faults.as_array().and_then(|faults| faults.iter().find(|one| one["id"] == fault));
    found.and_then(|one| one["fired_count"].as_i64()).with_context(|| format!("no fault {fault}"))
}

/// Ends all faults. They are forgotten: look at [`fired`] before.
///
/// # Errors
/// When the sandbox is not reached.
pub async fn heal(site: &Site) -> anyhow::Result<()> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let answer = http.delete(format!("{}/sandbox/faults", site.sandbox)).send().await?;
    ensure!(answer.status().is_success(), "the faults stay: {}", answer.status());
    Ok(())
}

/// Claims a payment that did not happen; gives how the platform answered.
///
/// # Errors
/// When the sandbox is not reached.
pub async fn forge(site: &Site, out_trade_no: &str, kind: &str) -> anyhow::Result<i64> {
    let body = json!({ "out_trade_no": out_trade_no, "kind": kind });
    let answer = site.sandbox_post("/sandbox/forge", &body).await?;
    answer["status"].as_i64().context("a forgery without an answer")
}

/// A list in a document; empty when it is missing.
#[must_use]
pub fn list<'a>(document: &'a Value, field: &str) -> &'a [Value] {
    document[field].as_array().map(Vec::as_slice).unwrap_or_default()
}
