//! Augmentation as text: `shift=2,rotate=10,flip`, `digits`, `photos,cutout=4`, `none`.

use super::{Augment, NUMBERS};
use std::fmt;
use std::str::FromStr;

/// Names that stand for settings.
pub const SETS: [&str; 3] = ["none", "digits", "photos"];

impl FromStr for Augment {
    type Err = String;

    /// Reads settings, each a name with its number or the name of a set; a later one overrules an earlier one.
    ///
    /// ```
    /// use foveal_data::Augment;
    /// let augment: Augment = "digits,rotate=15,flip".parse()?;
    /// assert_eq!(augment, Augment { rotate: 15.0, flip: true, ..Augment::digits() });
    /// assert_eq!(augment.to_string().parse(), Ok(augment));
    /// # Ok::<(), String>(())
    /// ```
    fn from_str(text: &str) -> Result<Self, String> {
        let mut augment = Self::default();
        for setting in text.split(',').map(str::trim) {
            match setting.split_once('=') {
                Some((name, value)) => augment.set(name.trim(), value.trim())?,
                None => augment.take(setting)?,
            }
        }
        augment.check().map_err(|error| error.to_string())?;
        Ok(augment)
    }
}

impl Augment {
    /// A word without a number: a set, or `flip`.
    fn take(&mut self, word: &str) -> Result<(), String> {
        match word {
            "none" => *self = Self::default(),
            "digits" => *self = Self::digits(),
            "photos" => *self = Self::photos(),
            "flip" => self.flip = true,
            "" => return Err("a setting is missing: nothing stands between two commas or at an end".into()),
            _ if NUMBERS.iter().any(|(name, _)| *name == word) => {
                return Err(format!("{word} needs a number, such as {word}={}", example(word)));
            }
            _ => return Err(unknown(word)),
        }
        Ok(())
    }

    fn set(&mut self, name: &str, text: &str) -> Result<(), String> {
        if name == "flip" {
            return Err("flip stands alone, without a number".into());
        }
        if SETS.contains(&name) {
            return Err(format!("{name} is a set of settings and stands alone, without a number"));
        }
        let number = || text.parse::<f32>().map_err(|_| format!("{name} needs a number, got `{text}`"));
        let place = match name {
            "shift" => &mut self.shift,
            "rotate" => &mut self.rotate,
            "scale" => &mut self.scale,
            "shear" => &mut self.shear,
            "crop" => &mut self.crop,
            "brightness" => &mut self.brightness,
            "contrast" => &mut self.contrast,
            "mixup" => &mut self.mixup,
            "cutout" => {
                let whole = text.parse().map_err(|_| {
                    format!("cutout needs a whole number of pixels, from 0 to 4096, got `{text}`")
                });
                self.cutout = whole?;
                return Ok(());
            }
            _ => return Err(unknown(name)),
        };
        *place = number()?;
        Ok(())
    }
}

/// A number that suits small pictures.
fn example(name: &str) -> f32 {
    match name {
        "shift" => 2.0,
        "rotate" => 10.0,
        "shear" => 5.0,
        "cutout" => 4.0,
        "scale" => 0.1,
        _ => 0.2,
    }
}

fn unknown(word: &str) -> String {
    let names = NUMBERS.map(|(name, _)| name).join(", ");
    format!("there is no augmentation `{word}`; there are {names}, flip, and the sets {}", SETS.join(", "))
}

impl fmt::Display for Augment {
    /// All settings that are not 0, in the form that [`FromStr`] reads; `none` if there are none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = NUMBERS.iter().zip(self.numbers()).filter(|(_, value)| *value != 0.0);
        let mut words: Vec<String> = numbers.map(|((name, _), value)| format!("{name}={value}")).collect();
        if self.flip {
            words.push("flip".into());
        }
        f.write_str(if words.is_empty() { "none".into() } else { words.join(",") }.as_str())
    }
}

impl TryFrom<String> for Augment {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Augment> for String {
    fn from(augment: Augment) -> Self {
        augment.to_string()
    }
}
