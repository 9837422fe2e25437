//! Strict JSON text.
