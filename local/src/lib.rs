//! AWS on a laptop, and the digital twin of the tests.
