//! Signing with the merchant's private key.

use std::fmt;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use zeroize::Zeroize as _;

use super::{CryptoError, KeyError, nonce};

/// The authentication scheme and signature type of APIv3.
pub const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";

/// A merchant's API private key together with the serial number of its certificate.
///
/// Key and serial travel as one value because a request signed with one and labelled with the other is refused.
pub struct MerchantKey {
    serial_no: String,
    pair: KeyPair,
}

/// What the mini-program hands to `wx.requestPayment`. Serialises with the names it expects there.
///
/// Good for one attempt to pay; the `prepay_id` inside lives two hours.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaySheet {
    /// Seconds since 1970, as text.
    pub time_stamp: String,
    /// 32 characters.
    pub nonce_str: String,
    /// `prepay_id=` and the id.
    pub package: String,
    /// Always `RSA`.
    pub sign_type: String,
    /// The merchant's signature, base64.
    pub pay_sign: String,
}

impl fmt::Debug for PaySheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaySheet").field("time_stamp", &self.time_stamp).finish_non_exhaustive()
    }
}

impl MerchantKey {
    /// Reads `apiclient_key.pem` (PKCS#8). `serial_no` is that of the merchant's API certificate, upper-case hex.
    ///
    /// # Errors
    /// [`KeyError::PrivateKey`] when the PEM is not an RSA key, [`KeyError::Serial`] when the serial is unusable.
    pub fn from_pem(serial_no: &str, pem: &str) -> Result<Self, KeyError> {
        let serial_usable = !serial_no.is_empty()
            && serial_no.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !serial_usable {
            return Err(KeyError::Serial);
        }
        let mut der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| KeyError::PrivateKey)?;
        let pair = KeyPair::from_pkcs8(der.secret_pkcs8_der());
        der.zeroize();
        Ok(Self { serial_no: serial_no.to_owned(), pair: pair.map_err(|_| KeyError::PrivateKey)? })
    }

    /// Serial number of the merchant's API certificate.
    #[must_use]
    pub fn serial_no(&self) -> &str {
        &self.serial_no
    }

    /// The public half as SubjectPublicKeyInfo DER.
    pub(crate) fn public_der(&self) -> Result<Vec<u8>, CryptoError> {
        Ok(self.pair.public_key().as_der()?.as_ref().to_vec())
    }

    /// Signs `message` and gives the signature in base64.
    ///
    /// # Errors
    /// [`CryptoError`] when the library fails.
    pub fn sign(&self, message: &[u8]) -> Result<String, CryptoError> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)?;
        Ok(STANDARD.encode(signature))
    }

    /// Gives the `Authorization` header of one request.
    ///
    /// `target` is path and query exactly as they go over the wire; `body` is the exact bytes sent, empty for GET.
    /// WeChat takes it for 5 minutes around `now`.
    ///
    /// # Errors
    /// [`CryptoError`] when the library fails.
    pub fn authorization(
        &self,
        mchid: &str,
        method: &str,
        target: &str,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<String, CryptoError> {
        let nonce = nonce()?;
        let timestamp = now.timestamp();
        let mut message = format!("{method}\n{target}\n{timestamp}\n{nonce}\n").into_bytes();
        message.extend_from_slice(body);
        message.push(b'\n');
        let signature = self.sign(&message)?;
        let serial_no = &self.serial_no;
        Ok(format!(
            "{SCHEME} mchid=\"{mchid}\",nonce_str=\"{nonce}\",timestamp=\"{timestamp}\",\
             serial_no=\"{serial_no}\",signature=\"{signature}\""
        ))
    }

    /// Signs what `wx.requestPayment` needs to pay the order behind `prepay_id`.
    ///
    /// `appid` is the mini-program that shows the sheet.
    ///
    /// # Errors
    /// [`CryptoError`] when the library fails.
    pub fn pay_sheet(
        &self,
        appid: &str,
        prepay_id: &str,
        now: DateTime<Utc>,
    ) -> Result<PaySheet, CryptoError> {
        let nonce_str = nonce()?;
        let time_stamp = now.timestamp().to_string();
        let package = format!("prepay_id={prepay_id}");
        let pay_sign = self.sign(format!("{appid}\n{time_stamp}\n{nonce_str}\n{package}\n").as_bytes())?;
        Ok(PaySheet { time_stamp, nonce_str, package, sign_type: "RSA".to_owned(), pay_sign })
    }
}

impl fmt::Debug for MerchantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MerchantKey").field("serial_no", &self.serial_no).finish_non_exhaustive()
    }
}
