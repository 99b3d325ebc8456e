use sha2::{Digest, Sha256};

/// The name of a prompt in records of sybils: the first 16 hexadecimal digits of its SHA-256.
///
/// ```
/// use adit_scoring::inference::sybil::prompt_digest;
///
/// assert_eq!(prompt_digest("abc"), "ba7816bf8f01cfea");
/// ```
pub fn prompt_digest(prompt: &str) -> String {
    let digest = Sha256::digest(prompt.as_bytes());
    digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
