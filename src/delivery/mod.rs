//! From a commit to the connections that hear of it: publishing, comparing positions, and ending the
//! connections of a group.

pub mod calls;
pub mod closing;
pub mod online;
pub mod positions;
pub mod publish;
