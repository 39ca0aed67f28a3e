//! How much memory this process may use: what the machine has, what its control group allows, and the
//! limit on its address space. Read at the start only.

use std::path::{Path, PathBuf};

use rustix::process::{Resource, getrlimit};

use crate::admission::memory_budget::LEAST;

/// What is taken where the system does not say.
const UNKNOWN: u64 = 1 << 30;
/// The budget for bytes in flight is this part of what there is.
const IN_FLIGHT: u64 = 8;
/// Connections may have so many eighths of what there is.
const CONNECTIONS: u64 = 3;

/// The memory that the machine and its limits leave to this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostMemory {
    /// How much it is, in bytes.
    pub bytes: u64,
    /// What says so, for the log.
    pub said_by: &'static str,
}

impl HostMemory {
    /// Asks the system: the least of what the machine has, its control group (both versions, with the
    /// groups around it) and `ulimit -v` allow.
    pub fn read() -> Self {
        let limits = [
            (installed(), "machine"),
            (control_group(Path::new("/")), "control group"),
            (getrlimit(Resource::As).current, "address space"),
        ];
        let known = limits
            .into_iter()
            .filter_map(|(limit, said_by)| Some((limit.filter(|it| *it > 0)?, said_by)));
        let (bytes, said_by) = known.min_by_key(|it| it.0).unwrap_or((UNKNOWN, "guess"));
        Self { bytes, said_by }
    }

    /// The budget for bytes in flight when `limits.memory` is this: itself, or for 0 an eighth of the
    /// memory, at least 64 MiB.
    pub fn budget(self, configured: u64) -> u64 {
        match configured {
            0 => (self.bytes / IN_FLIGHT).max(LEAST),
            set => set,
        }
    }

    /// How many connections fit into three eighths of the memory, each with the most that it can hold without a
    /// reservation.
    pub fn connections(self) -> usize {
        let most = self.bytes / 8 * CONNECTIONS / crate::admission::bounds::CONNECTION;
        usize::try_from(most).unwrap_or(usize::MAX)
    }
}

#[cfg(target_os = "linux")]
fn installed() -> Option<u64> {
    // A call, not /proc/meminfo: systemd's ProcSubset=pid hides that.
    let info = rustix::system::sysinfo();
    #[expect(
        clippy::useless_conversion,
        reason = "these are 32 bits wide on some processors"
    )]
    u64::from(info.totalram).checked_mul(info.mem_unit.into())
}

#[cfg(not(target_os = "linux"))]
fn installed() -> Option<u64> {
    None
}

/// The least limit of the groups that this process is in, below this root.
fn control_group(root: &Path) -> Option<u64> {
    let groups = std::fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let files = groups.lines().filter_map(|line| {
        // NUMBER:CONTROLLERS:PATH; version 2 has no controllers here.
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        let (mount, file) = match controllers {
            "" => ("sys/fs/cgroup", "memory.max"),
            _ if controllers.split(',').any(|it| it == "memory") => {
                ("sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => return None,
        };
        Some((root.join(mount), path.to_owned(), file))
    });
    files
        .flat_map(|(mount, path, file)| around(&mount, &path, file))
        .filter_map(|file| std::fs::read_to_string(file).ok()?.trim().parse().ok())
        .min()
}

/// This file of a group's folder and of those of the groups around it. In a container the path may be
/// that of the outside, of which there is only the top here: files that are not there say nothing.
fn around(mount: &Path, path: &str, file: &str) -> Vec<PathBuf> {
    let inner = mount.join(path.trim_start_matches('/'));
    let folders = inner.ancestors();
    let folders = folders.take_while(|folder| folder.starts_with(mount));
    folders.map(|folder| folder.join(file)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A root with these files.
    fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn a_group_of_version_2_has_the_least_limit_on_its_way_up() {
        let root = root(&[
            ("proc/self/cgroup", "0::/system.slice/miyu.service\n"),
            ("sys/fs/cgroup/system.slice/memory.max", "536870912\n"),
            (
                "sys/fs/cgroup/system.slice/miyu.service/memory.max",
                "max\n",
            ),
        ]);
        assert_eq!(control_group(root.path()), Some(512 << 20));
    }

    #[test]
    fn a_container_sees_the_top_of_its_own_group() {
        let files = [
            ("proc/self/cgroup", "0::/../../docker/0123\n"),
            ("sys/fs/cgroup/memory.max", "1073741824\n"),
        ];
        assert_eq!(control_group(root(&files).path()), Some(1 << 30));
        let files = [
            (
                "proc/self/cgroup",
                "5:cpu:/docker/0\n4:memory:/docker/0\n0::/\n",
            ),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "268435456\n"),
        ];
        assert_eq!(control_group(root(&files).path()), Some(256 << 20));
    }

    #[test]
    fn no_group_and_no_limit_say_nothing() {
        assert_eq!(control_group(root(&[]).path()), None);
        let files = [
            ("proc/self/cgroup", "0::/\n"),
            ("sys/fs/cgroup/memory.max", "max\n"),
        ];
        assert_eq!(control_group(root(&files).path()), None);
    }

    #[test]
    fn the_budget_is_an_eighth_and_at_least_64_mib() {
        let of = |bytes: u64| HostMemory {
            bytes,
            said_by: "test",
        };
        assert_eq!(of(2 << 30).budget(0), 256 << 20);
        assert_eq!(of(256 << 20).budget(0), 64 << 20);
        assert_eq!(of(2 << 30).budget(10 << 20), 10 << 20);
        assert!(of(512 << 20).connections() > 3000);
        assert!(HostMemory::read().bytes > 0);
    }
}
