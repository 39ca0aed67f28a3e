//! What the process keeps from the machine around it: its memory holds messages, keys and addresses.

use rustix::process::{Resource, Rlimit, setrlimit};

/// No core files, and no other process of the same user may read this one's memory. To be called before
/// anything else: what is read later is covered from its first byte on. Root may look all the same.
pub fn close_memory() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    // Neither can fail: a limit may always be lowered, and the attribute is the process's own.
    let _ = setrlimit(Resource::Core, none);
    // A handler that the system pipes core files to heeds no limit, but this.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
