//! Says what a licence is before anything is downloaded under it.

use std::io::{self, BufRead, Write};

use adit_models::PublishedModel;

/// What the licence is and what it means.
pub(crate) fn tell(model: &PublishedModel, out: &mut dyn Write) -> io::Result<()> {
    let name = &model.name;
    writeln!(
        out,
        "{name} is licensed under {} ({})",
        model.licence, model.licence_url
    )?;
    match &model.note {
        Some(note) => writeln!(out, "{note}"),
        None => Ok(()),
    }
}

/// Asks until there is an answer; nothing at all is a no.
pub(crate) fn ask(input: &mut dyn BufRead, out: &mut dyn Write) -> io::Result<bool> {
    loop {
        write!(out, "Do you accept this licence? [yes/no] ")?;
        out.flush()?;
        let mut answer = String::new();
        if input.read_line(&mut answer)? == 0 {
            return Ok(false);
        }
        match answer.trim().to_ascii_lowercase().as_str() {
            "yes" | "y" => return Ok(true),
            "no" | "n" | "" => return Ok(false),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_one() {
        for (typed, accepted) in [
            ("yes\n", true),
            ("perhaps\nY\n", true),
            ("no\nyes\n", false),
            ("\nyes\n", false),
            ("", false),
            ("perhaps\n", false),
        ] {
            let mut said = Vec::new();
            assert_eq!(
                ask(&mut typed.as_bytes(), &mut said).unwrap(),
                accepted,
                "{typed:?}"
            );
            assert!(String::from_utf8(said).unwrap().contains("accept"));
        }
    }
}
