//! Strict JSON text.

/// Writes bytes as base64 (RFC 4648 §4, with padding).
///
/// # Errors
/// Those of the serializer.
pub fn b64<S: serde::Serializer>(bytes: &impl AsRef<[u8]>, out: S) -> Result<S::Ok, S::Error> {
    use base64::Engine;
    out.serialize_str(&base64::engine::general_purpose::STANDARD.encode(bytes))
}
