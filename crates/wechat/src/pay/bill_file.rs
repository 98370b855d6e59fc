//! The bills of a day as files: asked for, fetched, unpacked, held against the hash WeChat announced.
//!
//! The announcement is signed, the download is not; the hash over the unpacked bytes joins the two.

use std::io::Read as _;

use chrono::NaiveDate;
use flate2::read::GzDecoder;
use http::Method;
use reqwest::Url;
use serde::Deserialize;

use super::error::Effect;
use super::{Error, Mode, Pay};
use crate::crypto::bill_sha1;
use crate::http::{encode, target};

/// Longest bill read, in bytes, packed and unpacked.
const BILL_LIMIT: usize = 256 * 1024 * 1024;

/// Which bill of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BillKind {
    /// Payments and refunds, all kinds.
    Trade,
    /// What went in and out of the basic account.
    Fund,
}

/// A bill as WeChat announced it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillFile {
    /// SHA-1 of the unpacked bytes, lower-case hex; what WeChat announced and what was found.
    pub sha1: String,
    /// The unpacked text, byte for byte.
    pub text: String,
}

#[derive(Deserialize)]
struct BillAnswer {
    hash_type: String,
    hash_value: String,
    download_url: String,
}

impl Pay {
    /// Fetches a bill of one Beijing day. Available from 10:00 the next morning, for three months.
    ///
    /// Nothing when WeChat says that there was no trade that day. A partner's trade bill is narrowed to the sub-merchant; the fund-flow bill
    /// of a sub-merchant is its own to fetch, so a partner is given none.
    ///
    /// # Errors
    /// [`Error`]. `Final` with `STATEMENT_CREATING` means: not ready, come back in half an hour. `Unknown` when the bytes are not those WeChat
    /// announced.
    #[tracing::instrument(name = "wechat.pay.bill_file", skip_all, fields(?kind, %date))]
    pub async fn bill_file(&self, kind: BillKind, date: NaiveDate) -> Result<Option<BillFile>, Error> {
        let path = match (kind, self.merchant.mode()) {
            (BillKind::Trade, Mode::Direct { .. }) => {
                format!("/v3/bill/tradebill?bill_date={date}&bill_type=ALL&tar_type=GZIP")
            }
            (BillKind::Trade, Mode::Partner { sub_mchid, .. }) => {
                let payee = encode(sub_mchid);
                format!("/v3/bill/tradebill?bill_date={date}&bill_type=ALL&tar_type=GZIP&sub_mchid={payee}")
            }
            (BillKind::Fund, Mode::Direct { .. }) => {
                format!("/v3/bill/fundflowbill?bill_date={date}&account_type=BASIC&tar_type=GZIP")
            }
            (BillKind::Fund, Mode::Partner { .. }) => return Ok(None),
        };
        let answer = self.call_json::<BillAnswer>(Method::GET, &path, b"", Effect::Ordinary).await;
        let answer = match answer {
            Err(Error::Final { code, .. }) if code == "NO_STATEMENT_EXIST" => return Ok(None),
            answer => answer?,
        };
        if answer.hash_type != "SHA1" {
            return Err(unknown("the bill's hash is not SHA1"));
        }
        // The address comes from a verified answer, yet only its path is used: the bill is fetched from the host we know.
        let url = Url::parse(&answer.download_url).map_err(|_| unknown("the bill's address is no URL"))?;
        if url.path() != "/v3/billdownload/file" {
            return Err(unknown("the bill's address is not a bill download"));
        }
        let file = self.exchange(Method::GET, &target(&url), b"", BILL_LIMIT).await?;
        if file.status != http::StatusCode::OK {
            return Err(unknown(&format!("the bill download answered {}", file.status.as_u16())));
        }
        let bytes = unpacked(&file.body)?;
        let sha1 = bill_sha1(&bytes).to_ascii_lowercase();
        if sha1 != answer.hash_value.to_ascii_lowercase() {
            return Err(unknown("the bill is not the one announced"));
        }
        let text = String::from_utf8(bytes).map_err(|_| unknown("the bill is not UTF-8"))?;
        Ok(Some(BillFile { sha1, text }))
    }
}

/// Unpacks what is packed, within the limit.
fn unpacked(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes.to_vec());
    }
    let mut out = Vec::new();
    let limit = u64::try_from(BILL_LIMIT).unwrap_or(u64::MAX);
    let read = GzDecoder::new(bytes).take(limit.saturating_add(1)).read_to_end(&mut out);
    read.map_err(|_| unknown("the bill cannot be unpacked"))?;
    if out.len() > BILL_LIMIT {
        return Err(unknown("the bill is too large"));
    }
    Ok(out)
}

fn unknown(why: &str) -> Error {
    Error::Unknown { why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn packed_and_plain_bills_give_the_same_bytes_and_a_cut_one_none() {
        let text = "交易时间\n".repeat(50).into_bytes();
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&text).unwrap();
        let packed = encoder.finish().unwrap();

        assert_eq!(unpacked(&packed).unwrap(), text);
        assert_eq!(unpacked(&text).unwrap(), text);
        assert!(unpacked(&packed[..packed.len() / 2]).is_err());
    }
}
