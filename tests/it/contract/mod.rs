//! One suite per capability, generic over its backends: a backend is finished when its suite passes.

mod channel;
mod pool;
mod safety;
mod store;
