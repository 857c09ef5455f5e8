//! The client survives what an API server does to it.
