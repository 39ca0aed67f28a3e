//! Several real processes on one Redis and one PostgreSQL are one site: people at any node
//! meet, talk, come back and are counted as if there were one; and nothing acknowledged is lost,
//! whatever happens to the services, the nodes and what lies between them.

mod faults;
mod guarded_site;
mod meeting;
mod node_faults;
mod presence;
mod redis_faults;
mod sanctions;
mod seats;
mod store_faults;
mod talking;
