//! Signing against verifying, sealing against opening, and everything that must not pass.

use std::sync::OnceLock;

use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;

use super::*;
use crate::sandbox::SandboxConfig;

fn config() -> &'static SandboxConfig {
    static CONFIG: OnceLock<SandboxConfig> = OnceLock::new();
    CONFIG.get_or_init(|| SandboxConfig::generate().unwrap())
}

fn now() -> DateTime<Utc> {
    "2026-11-22T04:00:00Z".parse().unwrap()
}

/// WeChat's keys as a client holds them, both at once.
fn store() -> KeyStore {
    let mut store = KeyStore::new();
    for key in &config().platform_keys {
        store.add_pem(&key.serial, &key.public_key_pem).unwrap();
    }
    store
}

fn platform_key(index: usize) -> MerchantKey {
    let key = &config().platform_keys[index];
    MerchantKey::from_pem(&key.serial, &key.private_key_pem).unwrap()
}

/// Signs `body` the way WeChat does, at `now`.
fn signed(index: usize, body: &str) -> SignatureHeaders {
    let key = platform_key(index);
    let (timestamp, nonce) = (now().timestamp().to_string(), "5K8264ILTKCH16CQ2502SI8ZNMTM67VS".to_owned());
    let signature = key.sign(format!("{timestamp}\n{nonce}\n{body}\n").as_bytes()).unwrap();
    SignatureHeaders { timestamp, nonce, signature, serial: key.serial_no().to_owned() }
}

#[test]
fn each_of_several_keys_verifies_its_own_messages_and_no_other() {
    let store = store();
    for index in 0..2 {
        assert_eq!(store.verify(&signed(index, "{}"), b"{}", now()), Ok(()));
        let swapped = SignatureHeaders {
            serial: config().platform_keys[1 - index].serial.clone(),
            ..signed(index, "{}")
        };
        assert_eq!(store.verify(&swapped, b"{}", now()), Err(VerifyError::Signature));
    }
}

#[test]
fn an_empty_body_is_signed_like_any_other() {
    assert_eq!(store().verify(&signed(0, ""), b"", now()), Ok(()));
    assert_eq!(store().verify(&signed(0, ""), b" ", now()), Err(VerifyError::Signature));
}

#[test]
fn every_changed_part_breaks_the_signature() {
    let good = signed(0, "{\"a\":1}");
    let verify = |headers: &SignatureHeaders, body: &[u8]| store().verify(headers, body, now());

    assert_eq!(verify(&good, b"{\"a\":2}"), Err(VerifyError::Signature));
    assert_eq!(verify(&good, b"{\"a\": 1}"), Err(VerifyError::Signature));
    let nonce = SignatureHeaders { nonce: "other".to_owned(), ..good.clone() };
    assert_eq!(verify(&nonce, b"{\"a\":1}"), Err(VerifyError::Signature));
    let timestamp = SignatureHeaders { timestamp: (now().timestamp() + 1).to_string(), ..good.clone() };
    assert_eq!(verify(&timestamp, b"{\"a\":1}"), Err(VerifyError::Signature));
    let not_base64 = SignatureHeaders { signature: "***".to_owned(), ..good.clone() };
    assert_eq!(verify(&not_base64, b"{\"a\":1}"), Err(VerifyError::Signature));
    let unknown = SignatureHeaders { serial: "PUB_KEY_ID_0".to_owned(), ..good };
    assert_eq!(
        verify(&unknown, b"{\"a\":1}"),
        Err(VerifyError::UnknownSerial { serial: "PUB_KEY_ID_0".to_owned() })
    );
}

#[test]
fn the_window_is_five_minutes_both_ways_and_its_edge_is_inside() {
    let headers = signed(0, "{}");
    for (seconds, expected) in [
        (300, Ok(())),
        (-300, Ok(())),
        (301, Err(VerifyError::Skew { seconds: 301 })),
        (-301, Err(VerifyError::Skew { seconds: 301 })),
    ] {
        assert_eq!(store().verify(&headers, b"{}", now() + TimeDelta::seconds(seconds)), expected);
    }
}

#[test]
fn the_wildest_timestamps_are_survived() {
    for (timestamp, is_number) in [
        (i64::MIN.to_string(), true),
        (i64::MAX.to_string(), true),
        ("9223372036854775808".to_owned(), false),
        ("1e9".to_owned(), false),
        (" 1".to_owned(), false),
        ("".to_owned(), false),
    ] {
        let headers = SignatureHeaders { timestamp: timestamp.clone(), ..signed(0, "{}") };
        let refused = store().verify(&headers, b"{}", now()).unwrap_err();
        assert_eq!(matches!(refused, VerifyError::Skew { .. }), is_number, "{timestamp}");
        assert_eq!(refused == VerifyError::Timestamp, !is_number, "{timestamp}");
    }
}

#[test]
fn a_probe_is_told_apart_whatever_else_is_wrong_with_it() {
    let headers = SignatureHeaders {
        signature: format!("{PROBE_PREFIX}anything"),
        serial: "nobody".to_owned(),
        timestamp: "0".to_owned(),
        nonce: String::new(),
    };

    assert_eq!(store().verify(&headers, b"", now()), Err(VerifyError::Probe));
}

#[test]
fn a_missing_header_is_named() {
    let names = ["Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Signature", "Wechatpay-Serial"];
    for missing in names {
        let mut headers = http::HeaderMap::new();
        for name in names.iter().filter(|name| **name != missing) {
            headers.insert(*name, http::HeaderValue::from_static("x"));
        }
        assert_eq!(
            SignatureHeaders::from_headers(&headers),
            Err(VerifyError::MissingHeader { name: missing })
        );
    }
}

#[test]
fn the_previous_apiv3_key_still_opens_and_a_third_does_not() {
    let key = |letter: &str| ApiV3Key::new(&letter.repeat(32)).unwrap();
    let sealed = key("b").seal(b"{}", "transaction").unwrap();

    let opens = |keys: ApiV3Keys| keys.open(&sealed).map(|plain| plain.to_vec());

    assert_eq!(opens(ApiV3Keys::new(key("b"), None)), Ok(b"{}".to_vec()));
    assert_eq!(opens(ApiV3Keys::new(key("a"), Some(key("b")))), Ok(b"{}".to_vec()));
    assert_eq!(opens(ApiV3Keys::new(key("a"), None)), Err(OpenError));
    assert_eq!(opens(ApiV3Keys::new(key("a"), Some(key("c")))), Err(OpenError));
}

#[test]
fn every_changed_part_of_a_sealed_text_is_noticed() {
    let keys = ApiV3Keys::new(ApiV3Key::new(&"k".repeat(32)).unwrap(), None);
    let sealed = ApiV3Key::new(&"k".repeat(32)).unwrap().seal("课后".as_bytes(), "refund").unwrap();
    let mut bytes = STANDARD.decode(&sealed.ciphertext).unwrap();
    bytes[0] ^= 1;

    for changed in [
        Sealed { ciphertext: STANDARD.encode(bytes), ..sealed.clone() },
        Sealed { associated_data: String::new(), ..sealed.clone() },
        Sealed { nonce: "000000000000".to_owned(), ..sealed.clone() },
        Sealed { nonce: "short".to_owned(), ..sealed.clone() },
        Sealed { ciphertext: "AA==".to_owned(), ..sealed.clone() },
        Sealed { ciphertext: "*".to_owned(), ..sealed.clone() },
    ] {
        assert_eq!(keys.open(&changed), Err(OpenError), "{changed:?}");
    }
    assert_eq!(keys.open(&sealed).unwrap().as_slice(), "课后".as_bytes());
}

#[test]
fn an_encrypted_field_opens_with_wechats_private_key() {
    let serial = &config().platform_keys[0].serial;
    let cipher = STANDARD.decode(store().encrypt_field(serial, "张三".as_bytes()).unwrap()).unwrap();

    let der =
        PrivatePkcs8KeyDer::from_pem_slice(config().platform_keys[0].private_key_pem.as_bytes()).unwrap();
    let key = PrivateDecryptingKey::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    let key = OaepPrivateDecryptingKey::new(key).unwrap();
    let mut plain = vec![0; key.min_output_size()];

    assert_eq!(key.decrypt(&OAEP_SHA1_MGF1SHA1, &cipher, &mut plain, None).unwrap(), "张三".as_bytes());
    assert_eq!(store().encrypt_field("nobody", b"x"), Err(CryptoError));
    assert_eq!(store().encrypt_field(serial, &[0; 215]), Err(CryptoError));
}

#[test]
fn unusable_keys_are_refused_by_name() {
    let public = &config().platform_keys[0].public_key_pem;
    assert_eq!(MerchantKey::from_pem("AB12", public).unwrap_err(), KeyError::PrivateKey);
    assert_eq!(MerchantKey::from_pem("\"", public).unwrap_err(), KeyError::Serial);
    assert_eq!(ApiV3Key::new("short").unwrap_err(), KeyError::ApiV3KeyLength { len: 5 });
    let private = &config().platform_keys[0].private_key_pem;
    assert_eq!(KeyStore::new().add_pem("S", private), Err(KeyError::PublicKey { serial: "S".to_owned() }));

    let mut own = config().clone();
    own.platform_keys[0].public_key_pem = own.merchants[0].public_key_pem.clone();
    let serial = own.platform_keys[0].serial.clone();
    assert_eq!(own.direct_merchant().unwrap_err(), KeyError::OwnKey { serial });
}

#[test]
fn nothing_secret_is_printed() {
    let config = config();
    let merchant = config.direct_merchant().unwrap();
    let key = platform_key(0);
    let sheet = key.pay_sheet("wx1", "wx2", now()).unwrap();
    let printed = format!("{config:?} {merchant:?} {key:?} {sheet:?} {:?}", ApiV3Key::new(&"k".repeat(32)));

    for secret in [&config.secret, &config.merchants[0].apiv3_key, &sheet.pay_sign, &"kkkk".to_owned()] {
        assert!(!printed.contains(secret.as_str()), "{printed}");
    }
    assert!(!printed.contains("PRIVATE"), "{printed}");
}

/// The example of the three-letter text, from the SHA standard.
#[test]
fn a_bills_hash_is_sha1_in_lower_case_hex() {
    assert_eq!(bill_sha1(b"abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

#[test]
fn nonces_are_thirty_two_characters_and_do_not_repeat() {
    let nonces = (0..1000).map(|_| nonce().unwrap()).collect::<std::collections::HashSet<_>>();

    assert_eq!(nonces.len(), 1000);
    assert!(
        nonces
            .iter()
            .all(|nonce| nonce.len() == 32 && nonce.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    );
}

proptest! {
    #[test]
    fn no_headers_whatever_are_believed_without_a_signature(
        timestamp in "\\PC{0,24}", nonce in "\\PC{0,40}", signature in "[A-Za-z0-9+/=]{0,400}", body in "\\PC{0,80}",
    ) {
        let serial = config().platform_keys[0].serial.clone();
        let headers = SignatureHeaders { timestamp, nonce, signature, serial };
        prop_assert!(store().verify(&headers, body.as_bytes(), now()).is_err());
    }
}
