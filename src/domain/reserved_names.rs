//! Names that only the site's own staff may have. A stranger called "Administrator" or 客服 asks for a
//! password and gets it. Compared without case, width, accents, separators, final digits and letters
//! that look alike.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Names, and words of names, in Latin letters.
const WORDS: [&str; 22] = [
    "admin",
    "admins",
    "administrator",
    "administrators",
    "sysadmin",
    "webmaster",
    "moderator",
    "moderators",
    "mod",
    "mods",
    "staff",
    "official",
    "system",
    "support",
    "helpdesk",
    "operator",
    "customerservice",
    "owner",
    "security",
    "police",
    "verified",
    "reported",
];
/// Whole names: what this software is called, what its pages call the two who talk, and short words for those who
/// look after a place.
const OURS: [&str; 12] = [
    "miyu", "秘語", "秘语", "you", "partner", "你", "對方", "对方", "小編", "小编", "警察", "警方",
];
/// Parts of names in scripts that put no spaces between words.
const PARTS: [&str; 26] = [
    "管理員",
    "管理员",
    "管理者",
    "管理人",
    "管理团队",
    "管理團隊",
    "客服",
    "官方",
    "版主",
    "站長",
    "站长",
    "工作人員",
    "工作人员",
    "運営",
    "運營",
    "运营",
    "スタッフ",
    "관리자",
    "운영자",
    "고객센터",
    // Signs that are taken for those above at a glance.
    "菅理員",
    "管埋員",
    "祕語",
    "秘語團隊",
    "密語團隊",
    "板主",
];
/// What names begin with: within a name these words are ordinary ones.
const BEGINNINGS: [&str; 4] = ["系統", "系统", "システム", "시스템"];

/// The names of one site's staff.
#[derive(Clone, Debug, Default)]
pub struct StaffNames {
    /// As a whole.
    names: Vec<String>,
    words: Vec<String>,
    parts: Vec<String>,
    beginnings: Vec<String>,
}

impl StaffNames {
    /// The usual ones, with the site's own name and the words of it.
    pub fn of(site: &str) -> Self {
        let folded = |all: &[&str]| all.iter().map(|it| skeleton(it)).collect::<Vec<_>>();
        let mut names = folded(&OURS);
        names.push(skeleton(site));
        names.extend(split(site));
        names.retain(|name| !name.is_empty());
        Self {
            names,
            words: folded(&WORDS),
            parts: folded(&PARTS),
            beginnings: folded(&BEGINNINGS),
        }
    }

    /// Whether a name reads like one of theirs.
    pub fn covers(&self, name: &str) -> bool {
        let whole = skeleton(name);
        let wholly = |name: &String| self.names.contains(name) || self.words.contains(name);
        wholly(&whole)
            || without_digits(name).is_some_and(|name| wholly(&name))
            || split(name).any(|word| self.words.contains(&word))
            || self.parts.iter().any(|part| whole.contains(part))
            || self.beginnings.iter().any(|start| whole.starts_with(start))
    }
}

/// The words of a name: what separators and final digits leave.
fn split(name: &str) -> impl Iterator<Item = String> {
    let plain: String = name.nfkd().filter(|c| !is_combining_mark(*c)).collect();
    let words = plain.split(|c: char| !c.is_alphanumeric() && !is_symbol_letter(c));
    let words: Vec<String> = words
        .flat_map(humps)
        .flat_map(|word| [Some(skeleton(word)), without_digits(word)])
        .flatten()
        .filter(|word| !word.is_empty())
        .collect();
    words.into_iter()
}

/// The word itself, and the words that capitals within it begin.
fn humps(word: &str) -> Vec<&str> {
    let letters: Vec<(usize, char)> = word.char_indices().collect();
    let begins = |pair: &[(usize, char)]| pair[0].1.is_lowercase() && pair[1].1.is_uppercase();
    let cuts = letters
        .windows(2)
        .filter(|pair| begins(pair))
        .map(|pair| pair[1].0);
    let mut all = vec![word];
    let mut from = 0;
    for at in cuts.chain([word.len()]) {
        all.push(&word[from..at]);
        from = at;
    }
    all
}

/// The skeleton without final digits, if there are any.
fn without_digits(name: &str) -> Option<String> {
    let bare = name.trim_end_matches(|c: char| c.is_numeric());
    (bare.len() < name.len()).then(|| skeleton(bare))
}

/// What a name looks like: letters alone, those that look alike as one.
fn skeleton(text: &str) -> String {
    let letters = text.nfkd().filter(|c| !is_combining_mark(*c));
    let letters = letters.flat_map(char::to_lowercase).map(looks_like);
    let letters: String = letters.filter(|c| c.is_alphanumeric()).collect();
    letters.replace("rn", "m")
}

/// Signs that stand for letters.
fn is_symbol_letter(c: char) -> bool {
    matches!(c, '@' | '$' | '!' | '|') || letter_in_a_box(c).is_some()
}

fn letter_in_a_box(c: char) -> Option<char> {
    let from = |first: u32| char::from_u32(u32::from('a') + u32::from(c) - first);
    match c {
        '\u{1F150}'..='\u{1F169}' => from(0x1F150),
        '\u{1F170}'..='\u{1F189}' => from(0x1F170),
        '\u{1F1E6}'..='\u{1F1FF}' => from(0x1F1E6),
        _ => None,
    }
}

/// The letters of Lisu are Latin capitals to the eye (from U+A4D0 on).
fn lisu(c: char) -> Option<char> {
    const LIKE: &str = "bp.dt.gk.jc.zf.mnlsr..vh..wxy.a.e.iou";
    let at = u32::from(c).checked_sub(0xA4D0)?;
    let like = LIKE.as_bytes().get(at as usize)?;
    (*like != b'.').then_some(char::from(*like))
}

/// One letter for all that are drawn like it: digits, Cyrillic, Greek, small capitals.
fn looks_like(c: char) -> char {
    let c = letter_in_a_box(c).or_else(|| lisu(c)).unwrap_or(c);
    match c {
        '4' | '@' | 'а' | 'α' | 'ɑ' | 'ᴀ' => 'a',
        'в' | 'β' | 'ʙ' => 'b',
        'с' | 'ϲ' | 'ᴄ' => 'c',
        'ԁ' | 'ᴅ' => 'd',
        '3' | 'е' | 'ε' | 'ᴇ' => 'e',
        'ғ' | 'ꜰ' => 'f',
        'ɡ' | 'ɢ' => 'g',
        'н' | 'һ' | 'ʜ' => 'h',
        '1' | 'l' | '!' | '|' | 'і' | 'ι' | 'ɪ' | 'ı' | 'ʟ' | 'ӏ' => 'i',
        'ј' | 'ᴊ' => 'j',
        'к' | 'κ' | 'ᴋ' => 'k',
        'м' | 'μ' | 'ᴍ' => 'm',
        'ո' | 'η' | 'ɴ' => 'n',
        '0' | 'о' | 'ο' | 'ᴏ' | 'օ' => 'o',
        'р' | 'ρ' | 'ᴘ' => 'p',
        'ʀ' => 'r',
        '5' | '$' | 'ѕ' | 'ꜱ' => 's',
        '7' | 'т' | 'τ' | 'ᴛ' => 't',
        'υ' | 'ᴜ' | 'ս' => 'u',
        'ν' | 'ѵ' | 'ᴠ' => 'v',
        'ѡ' | 'ᴡ' | 'ω' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' | 'ʏ' => 'y',
        'ᴢ' => 'z',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_staff_is_not_played() {
        let names = StaffNames::of("秘語 Miyu");
        for name in [
            "admin",
            "Admin",
            "ＡＤＭＩＮ",
            "a d m i n",
            "a.d-m_i.n",
            "Admin01",
            "adm1n",
            "@dmin",
            "Аdmіn",
            "ádmin",
            "αdmin",
            "ⓐⓓⓜⓘⓝ",
            "𝐀𝐝𝐦𝐢𝐧",
            "ᴀᴅᴍɪɴ",
            "🅰🅳🅼🅸🅽",
            "adrnin",
            "Site Admin",
            "admin (real)",
            "Miyu",
            "miyu_2",
            "Miyu Support",
            "MODERATOR",
            "Moderat0r",
            "mod",
            "System",
            "ѕуѕtem",
            "OFFICIAL",
            "0fficial",
            "Officlal account",
            "Customer Service",
            "管理員",
            "管理员小王",
            "線上客服",
            "客 服",
            "客·服",
            "官方",
            "秘語官方",
            "系統",
            "系統訊息",
            "系统通知",
            "版主",
            "運営",
            "관리자",
            "스태프 운영자",
            "TheAdmin",
            "ꓮdmin",
            "菅理員",
            "管埋員",
            "祕語官網",
            "板主",
            "小編",
            "警察",
            "Owner",
            "Site Security",
            "✔ Verified",
            "(Reported)",
            "you",
            "對方",
        ] {
            assert!(names.covers(name), "{name}");
        }
        for name in [
            "安靜的月亮",
            "Calm Lantern",
            "badminton",
            "Modesty",
            "modern",
            "Ada Min",
            "Romina",
            "mody",
            "Rooted",
            "小明",
            "管理學生",
            "消化系統",
            "官網",
            "服務生",
            "王",
            "Анна",
            "Δημήτρης",
            "سلام",
            "සිංහල",
            "กานต์",
            "Robot9000",
            "Miyuki",
            "Root",
            "Systematic",
            "11",
            "1",
            "",
            "🙂",
            "匿名用戶",
            "小編織",
            "YoungMan",
            "McAdam",
            "想你",
        ] {
            assert!(!names.covers(name), "{name}");
        }
    }

    #[test]
    fn the_sites_own_name_is_the_staffs() {
        let names = StaffNames::of("Lantern House");
        for name in [
            "lantern",
            "Lantern House",
            "LanternHouse",
            "L4ntern-H0use 2",
        ] {
            assert!(names.covers(name), "{name}");
        }
        // Words of it within a name are ordinary ones.
        assert!(!names.covers("Calm Lantern"));
        assert!(!StaffNames::of("茶").covers("茶花"));
        assert!(StaffNames::of("茶").covers("茶"));
    }
}
