//! Entries from a terminal: prompts, history, continuation lines.

use super::engine::Engine;
use super::script::{in_comment, is_command};
use super::show;
use crate::console::{Console, Stop};
use crate::syntax::chunk::{Completeness, completeness};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;
use std::io::IsTerminal;
use std::path::PathBuf;

/// Entries remembered from one session to the next.
const REMEMBERED: usize = 1000;

/// Reads and executes entries until the user leaves.
pub fn talk(engine: &mut Engine, console: &Console) -> Result<(), Stop> {
    let config = rustyline::Config::builder()
        .max_history_size(REMEMBERED)
        .and_then(|c| c.history_ignore_dups(true))
        .map(rustyline::config::Builder::build);
    let editor = config.and_then(DefaultEditor::with_config);
    let mut editor = editor.map_err(|e| Stop::Write(std::io::Error::other(e)))?;
    let history = history_file();
    if let Some(path) = &history {
        // There is none the first time.
        let _ = editor.load_history(path);
    }
    console.note(&format!("nlog {}: `:help` for help, Ctrl-D to leave", env!("CARGO_PKG_VERSION")));
    if !console.quiet && std::io::stderr().is_terminal() {
        engine.watch = Some(progress());
    }
    let mut entry = String::new();
    loop {
        match editor.readline(if entry.is_empty() { "> " } else { "| " }) {
            Ok(line) => {
                if is_command(&line) && !entry.is_empty() && !in_comment(&entry) {
                    // What was begun cannot be meant any more.
                    let begun = std::mem::take(&mut entry);
                    show(&engine.enter(&begun), engine, console)?;
                }
                entry.push_str(&line);
                entry.push('\n');
                let ready = is_command(&entry) || completeness(&entry) == Completeness::Complete;
                if !ready && completeness(&entry) == Completeness::Incomplete {
                    continue;
                }
                let text = std::mem::take(&mut entry);
                let text = text.trim_end();
                if !text.is_empty() {
                    // A history that cannot be kept is not worth a message.
                    let _ = editor.add_history_entry(text);
                    if let Some(path) = &history {
                        let _ = editor.append_history(path);
                    }
                }
                if ready {
                    let reply = engine.enter(text);
                    show(&reply, engine, console)?;
                    if reply.quit {
                        return Ok(());
                    }
                }
            }
            Err(ReadlineError::Interrupted) => entry.clear(),
            Err(ReadlineError::Eof) => return Ok(()),
            Err(ReadlineError::Io(e)) => return Err(e.into()),
            // Signals, and bytes that are no text: the line is lost, nothing else.
            Err(e) => console.note(&format!("nlog: {e}")),
        }
    }
}

fn progress() -> super::engine::Watch {
    let mut bar = ProgressBar::hidden();
    Box::new(move |epoch, epochs| {
        if epoch.epoch == 1 {
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len} epochs, {eta} left, {msg}");
            bar = ProgressBar::with_draw_target(Some(epochs as u64), ProgressDrawTarget::stderr_with_hz(10))
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        }
        bar.inc(1);
        bar.set_message(format!("error {:.6}", epoch.train_error.unwrap_or(epoch.online_error)));
        if epoch.epoch == epochs {
            bar.finish_and_clear();
        }
    })
}

/// Where the history is kept: in the folder for the state of programs.
fn history_file() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let state = if cfg!(windows) {
        folder("LOCALAPPDATA")
    } else {
        let home = || folder("HOME");
        folder("XDG_STATE_HOME").filter(|p| p.is_absolute()).or_else(|| Some(home()?.join(".local/state")))
    }?;
    let dir = state.join("nlog");
    std::fs::create_dir_all(&dir).ok()?;
    Some(dir.join("history"))
}
