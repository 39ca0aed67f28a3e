//! The JSON that pages and programs ask for over HTTP. The only place that knows its shapes.

pub mod blocks;
pub mod forget;
pub mod notices;
pub mod reports;
pub mod rooms;
pub mod schema;
pub mod site;
pub mod transparency;
