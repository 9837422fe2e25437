//! A moment as the format writes it.
