//! A small disk of its own: a tmpfs in a mount namespace that one child process holds. Needs no
//! root where users may make namespaces; nothing is mounted outside, nothing stays mounted.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What the disk cannot be had without.
const NEEDS: &str = "this test needs a small tmpfs: run it as root, or where users may make \
    namespaces (`unshare -Urm true` succeeds; on Ubuntu: sysctl \
    kernel.apparmor_restrict_unprivileged_userns=0; in a container: --privileged)";

/// A mounted disk; dropping it unmounts it.
pub struct Tmpfs {
    holder: Child,
    at: PathBuf,
    as_root: bool,
}

impl Tmpfs {
    /// Mounts `size` (such as `8m`) at a new folder `disk` in `home`.
    pub fn mount(home: &Path, size: &str) -> Self {
        let at = home.join("disk");
        std::fs::create_dir(&at).expect("the test's folder can be written");
        let as_root = rustix::process::geteuid().is_root();
        // `cat` ends with our end of its pipe, so that the disk cannot outlive the test.
        let script = "mount -t tmpfs -o size=$1,mode=700 tmpfs \"$2\" && echo mounted && exec cat";
        let mut command = Command::new("unshare");
        command
            .arg(if as_root { "-m" } else { "-Urm" })
            .args(["sh", "-c", script, "sh", size])
            .arg(&at)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut holder = command
            .spawn()
            .unwrap_or_else(|error| panic!("{NEEDS}; unshare: {error}"));
        let mut said = [0; 8];
        let stdout = holder.stdout.as_mut().expect("it is piped");
        let mounted = stdout.read_exact(&mut said).is_ok() && &said == b"mounted\n";
        assert!(mounted, "{NEEDS}");
        Self {
            holder,
            at,
            as_root,
        }
    }

    /// Where it is, as seen by whatever is started [`Tmpfs::through`] it.
    pub fn path(&self) -> &Path {
        &self.at
    }

    /// What a program is started with to see it.
    pub fn through(&self) -> Vec<String> {
        let pid = self.holder.id().to_string();
        let mut words = vec!["nsenter", "-t", &pid, "-m"];
        if !self.as_root {
            words.extend(["-U", "--preserve-credentials"]);
        }
        words.into_iter().map(str::to_owned).collect()
    }

    /// The same files as seen by the test.
    pub fn outside(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        root.join(self.at.strip_prefix("/").expect("an absolute path"))
    }

    /// Uses up all space.
    pub fn fill(&self) {
        let path = self.outside().join("filler");
        let mut options = File::options();
        let file = options.create(true).append(true).open(path);
        let mut file = file.expect("a name needs no space");
        for size in [65_536, 4096, 1] {
            let block = vec![b'x'; size];
            let error = loop {
                if let Err(error) = file.write_all(&block) {
                    break error;
                }
            };
            assert_eq!(error.kind(), ErrorKind::StorageFull);
        }
    }

    /// Gives it back.
    pub fn free(&self) {
        std::fs::remove_file(self.outside().join("filler")).expect("it was filled");
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
