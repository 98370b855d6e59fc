//! Programs of the platform as processes of their own: started, waited for, ended by their own id, and never outliving the test.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

/// How long a program may take to come up, do its one thing, or go down.
const PATIENCE: Duration = Duration::from_secs(300);

/// A running program. Killed when it is let go.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    log: PathBuf,
}

/// What a program is started with.
#[derive(Clone, Debug)]
pub struct Start<'a> {
    /// The program's name: `kehou`, `billing`.
    pub name: &'a str,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its settings, `KEHOU_…`.
    pub variables: Vec<(String, String)>,
    /// Where its output is kept.
    pub folder: &'a Path,
}

/// The file of a program, as it was built beside this test.
///
/// # Errors
/// When it was not built.
pub fn program(name: &str) -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test.parent().and_then(Path::parent).context("a test lies in target/<profile>/deps")?;
    let path = folder.join(name);
    ensure!(path.exists(), "{} was not built: `cargo test --workspace` builds every program", path.display());
    Ok(path)
}

impl Start<'_> {
    fn command(&self) -> anyhow::Result<Command> {
        // Ends with the thread that started it, which is the test's, however that ends.
        let mut command = Command::new("setpriv");
        command
            .arg("--pdeathsig=KILL")
            .arg(program(self.name)?)
            .args(&self.arguments)
            .envs(self.variables.iter().cloned())
            .current_dir(crate::place::checkout())
            .stdin(Stdio::null());
        Ok(command)
    }

    /// Starts it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(&self) -> anyhow::Result<Program> {
        let log = self.folder.join(format!("{}.log", self.name));
        let output = File::options().create(true).append(true).open(&log)?;
        let child = self.command()?.stdout(output.try_clone()?).stderr(output).spawn()?;
        Ok(Program { name: self.name.to_owned(), child, log })
    }

    /// Runs it to its end; gives what it printed.
    ///
    /// # Errors
    /// When it fails, with what it said.
    pub async fn finish(&self) -> anyhow::Result<String> {
        let mut command = tokio::process::Command::from(self.command()?);
        let output = tokio::time::timeout(PATIENCE, command.kill_on_drop(true).output())
            .await
            .with_context(|| format!("{} does not end", self.name))??;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complained = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "{} {:?}: {}\n{said}{complained}",
            self.name,
            self.arguments,
            output.status
        );
        Ok(said)
    }
}

impl Program {
    /// Waits until an address answers with success; fails at once when the program has ended.
    ///
    /// # Errors
    /// When it does not, with the end of what the program wrote.
    pub async fn ready(&mut self, url: &str) -> anyhow::Result<()> {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?;
        let answers = async || http.get(url).send().await.is_ok_and(|answer| answer.status().is_success());
        self.until(&format!("answer at {url}"), answers).await
    }

    /// Waits until the program has written a file; fails at once when it has ended.
    ///
    /// # Errors
    /// When it does not, with the end of what the program said.
    pub async fn wrote(&mut self, file: &Path) -> anyhow::Result<()> {
        self.until(&format!("write {}", file.display()), async || file.exists()).await
    }

    async fn until(&mut self, what: &str, mut is_so: impl AsyncFnMut() -> bool) -> anyhow::Result<()> {
        let until = Instant::now() + PATIENCE;
        while !is_so().await {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended: {status}\n{}", self.name, self.said());
            }
            ensure!(Instant::now() < until, "{} does not {what}\n{}", self.name, self.said());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Kills it: no last word, nothing flushed.
    ///
    /// # Errors
    /// When there is no such process any more.
    pub fn kill(mut self) -> anyhow::Result<()> {
        ensure!(self.child.try_wait()?.is_none(), "{} had ended by itself:\n{}", self.name, self.said());
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to stop and waits for it.
    ///
    /// # Errors
    /// When it does not, or fails while it does.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let asked = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status()?;
        ensure!(asked.success(), "{} cannot be asked to stop", self.name);
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "{} ended with {status}\n{}", self.name, self.said());
                return Ok(());
            }
            ensure!(Instant::now() < until, "{} does not stop\n{}", self.name, self.said());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The end of what it wrote.
    fn said(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = text.lines().rev().take(30).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
