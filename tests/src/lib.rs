//! Shared support of the proof.
