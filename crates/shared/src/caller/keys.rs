//! Pairs of Ed25519 keys in PEM files: `<issuer>.key.pem` (PKCS #8, for its owner's eyes) and `<issuer>.pub.pem`.
//!
//! In production the operator makes them; the local platform and tests make their own here.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Keys could not be made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The issuer's name would leave the folder or hide the file's kind.
    #[error("an issuer's name has lower-case letters, digits and hyphens only: {0:?}")]
    Name(String),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The crypto library would not do it, or the private key on disk is none.
    #[error("the private key of {0:?} cannot be made or read")]
    Crypto(String),
}

/// Makes sure that `folder` has a pair of keys for `issuer`, and gives the path of the private one.
///
/// A private key that is there is kept, and its public key written anew beside it. The private file is readable by its
/// owner alone.
///
/// # Errors
/// See [`KeyError`].
pub fn generate(folder: &Path, issuer: &str) -> Result<PathBuf, KeyError> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if issuer.is_empty() || !issuer.chars().all(is_plain) {
        return Err(KeyError::Name(issuer.to_owned()));
    }
    let crypto = |_| KeyError::Crypto(issuer.to_owned());
    let private_path = folder.join(format!("{issuer}.key.pem"));
    let public_path = folder.join(format!("{issuer}.pub.pem"));
    fs::create_dir_all(folder).map_err(file(folder))?;

    let made = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).map_err(crypto)?;
    let made = Zeroizing::new(pem("PRIVATE KEY", made.as_ref()));
    let text = if create_private(&private_path, &made).map_err(file(&private_path))? {
        made
    } else {
        Zeroizing::new(fs::read_to_string(&private_path).map_err(file(&private_path))?)
    };

    let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    let pkcs8 = Zeroizing::new(STANDARD.decode(body).map_err(|_| KeyError::Crypto(issuer.to_owned()))?);
    let pair = Ed25519KeyPair::from_pkcs8(&pkcs8).map_err(|_| KeyError::Crypto(issuer.to_owned()))?;
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(crypto)?;
    fs::write(&public_path, pem("PUBLIC KEY", public.as_ref())).map_err(file(&public_path))?;
    Ok(private_path)
}

/// Writes a file only its owner may read. Gives false, and writes nothing, when it is there already.
fn create_private(path: &Path, text: &str) -> std::io::Result<bool> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map(|()| true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Writes DER as PEM: base64 in lines of 64 between two rulers (RFC 7468).
fn pem(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for (index, c) in body.chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            text.push('\n');
        }
        text.push(c);
    }
    text.push_str(&format!("\n-----END {label}-----\n"));
    text
}

fn file(path: &Path) -> impl FnOnce(std::io::Error) -> KeyError {
    let path = path.to_owned();
    move |source| KeyError::File { path, source }
}
