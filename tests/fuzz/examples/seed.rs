//! Writes the seeds: `seed FOLDER` makes one folder per target in it.

use std::path::Path;
use std::{fs, io};

fn main() -> io::Result<()> {
    let folder = std::env::args().nth(1).expect("usage: seed FOLDER");
    for (target, seeds) in encl_fuzz::seeds::seeds() {
        write(&Path::new(&folder).join(target), &seeds)?;
    }
    Ok(())
}

fn write(folder: &Path, seeds: &[Vec<u8>]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for (number, seed) in seeds.iter().enumerate() {
        fs::write(folder.join(format!("seed-{number}")), seed)?;
    }
    Ok(())
}
