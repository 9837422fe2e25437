//! Targets that are the input under another name, or links: they are refused, and nothing is changed.

use std::fs;
use std::os::unix::fs::symlink;

use super::scene::{OLD, Scene, said};
use crate::support::process;

const WRAP: [&str; 6] = ["wrap", "in", "--to", "bob.card", "--keystore", "alice"];
const UNWRAP: [&str; 4] = ["unwrap", "in.encl", "--keystore", "bob"];

/// Runs a command with target `out`. It must be refused with and without `--force`, and change nothing.
fn refused(scene: &Scene, command: &[&str], out: &str) {
    let before: Vec<_> = scene
        .files()
        .iter()
        .map(|path| (path.clone(), fs::read(path).ok()))
        .collect();
    for force in [&[][..], &["--force"]] {
        let output = scene.run(&[command, &["-o", out], force].concat());
        assert_eq!(
            output.status.code(),
            Some(8),
            "{command:?} {out} {force:?}: {}",
            said(&output)
        );
        let now = scene.files().into_iter().map(|path| {
            let bytes = fs::read(&path).ok();
            (path, bytes)
        });
        let keystores = ["alice", "bob"].map(|name| scene.at(name));
        let ours =
            |path: &std::path::Path| !keystores.iter().any(|keystore| path.starts_with(keystore));
        let sorted = |files: Vec<(std::path::PathBuf, Option<Vec<u8>>)>| {
            let mut files: Vec<_> = files.into_iter().filter(|(path, _)| ours(path)).collect();
            files.sort();
            files
        };
        assert_eq!(sorted(before.clone()), sorted(now.collect()));
    }
}

#[test]
fn a_target_that_is_the_input_is_refused() {
    for (command, input) in [(&WRAP[..], "in"), (&UNWRAP[..], "in.encl")] {
        let scene = Scene::new();
        fs::hard_link(scene.at(input), scene.at("hard")).unwrap();
        symlink(input, scene.at("soft")).unwrap();
        symlink("soft", scene.at("softer")).unwrap();
        for out in [
            input,
            "hard",
            "soft",
            "softer",
            &format!("./{input}"),
            &format!("bob/../{input}"),
        ] {
            refused(&scene, command, out);
        }
    }
}

#[test]
fn a_target_that_is_any_link_is_refused() {
    for command in [&WRAP[..], &UNWRAP[..]] {
        let scene = Scene::new();
        scene.write("precious", OLD);
        symlink("precious", scene.at("elsewhere")).unwrap();
        symlink("nothing", scene.at("dangling")).unwrap();
        refused(&scene, command, "elsewhere");
        refused(&scene, command, "dangling");
        assert!(
            fs::symlink_metadata(scene.at("dangling"))
                .unwrap()
                .is_symlink()
        );
    }
}

#[test]
fn standard_output_that_is_the_input_is_refused() {
    let scene = Scene::new();
    for (command, input) in [(&WRAP[..], "in"), (&UNWRAP[..], "in.encl")] {
        let before = scene.read(input);
        let script = format!("\"$ENCL\" \"$@\" -o - >> {input}");
        let output = process::output(&mut scene.shell(&script, command));
        assert_eq!(output.status.code(), Some(8), "{}", said(&output));
        assert_eq!(scene.read(input), before);
    }
}

#[test]
fn a_folder_as_target_is_an_error() {
    let scene = Scene::new();
    for force in [&[][..], &["--force"]] {
        let output = scene.run(&[&WRAP[..], &["-o", "bob"], force].concat());
        assert!(
            matches!(output.status.code(), Some(1 | 2 | 8)),
            "{}",
            said(&output)
        );
        assert!(scene.at("bob/identities").is_dir());
    }
}
