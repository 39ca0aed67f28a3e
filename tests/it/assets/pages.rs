//! Our own pages: their languages, what they say of the site, what they weigh and name.

use super::*;

#[tokio::test]
async fn the_operators_line_is_the_title_of_home() {
    let built_in = TestServer::start(|_| {}).await;
    let page = get(built_in.address, "/").await;
    assert!(page.text().contains(">跟一個陌生人，\n小聲說說話。</h1>"));
    assert!(page.text().contains("data-own=\"\""));
    built_in.stop().await;
    let own = TestServer::start(|config| config.site.tagline = "A & B".into()).await;
    let page = get(own.address, "/").await;
    assert!(
        page.text()
            .contains("data-own=\"A &amp; B\">A &amp; B</h1>"),
        "{}",
        page.text()
    );
    own.stop().await;
}

/// Whether a page says this to people, beside the words that it brings for its scripts.
fn says(page: &Answer, words: &str) -> bool {
    let text = page.text();
    let shown = text.split("<script type=\"application/json\"").next();
    shown.unwrap().contains(words)
}

#[tokio::test]
async fn pages_come_whole_in_the_language_that_is_asked_for() {
    let server = TestServer::start_dead(|_| {}).await;
    let start = |page: &Answer| {
        let of = [
            ("zh-TW", ">找個人聊聊</button>"),
            ("en", ">Find someone</button>"),
            ("ja", ">話し相手をさがす</button>"),
        ];
        let said = of.into_iter().filter(|(_, words)| says(page, words));
        said.map(|(tag, _)| tag.to_owned()).collect::<Vec<_>>()
    };
    for (headers, wanted) in [
        (&[][..], "zh-TW"),
        (&[("accept-language", "en-GB,en;q=0.9,zh;q=0.8")][..], "en"),
        (&[("accept-language", "ja-JP,en;q=0.5")][..], "ja"),
        (&[("accept-language", "de")][..], "en"),
        (
            &[
                ("accept-language", "en"),
                ("cookie", "a=b; miyu_language=zh-TW"),
            ][..],
            "zh-TW",
        ),
        (
            &[("accept-language", "en"), ("cookie", "miyu_language=\"><x")][..],
            "en",
        ),
    ] {
        let page = get_with(server.address, "/", headers).await;
        assert_eq!(start(&page), [wanted], "{headers:?}");
        assert_eq!(page.header("content-language"), Some(wanted));
        assert!(
            page.text()
                .contains(&format!("<html lang=\"{wanted}\" dir=\"ltr\">"))
        );
        for name in ["accept-encoding", "accept-language", "cookie"] {
            let named = ("vary".to_owned(), name.to_owned());
            assert!(page.headers.contains(&named), "{name}");
        }
    }
    let english = [("accept-language", "en"), ("accept", "text/html")];
    let chat = get_with(server.address, "/chat/", &english).await;
    assert!(says(
        &chat,
        "aria-label=\"Message\" placeholder=\"Say something…\""
    ));
    assert!(says(&chat, "Miyu needs JavaScript"));
    let nothing = get_with(server.address, "/nothing", &english).await;
    assert_eq!(nothing.status, 404);
    assert!(says(&nothing, "There is nothing here."));
    // One language is loaded.
    for page in [&chat, &nothing] {
        assert!(page.text().contains(r#""app.guide":"Guide""#));
        assert!(!page.text().contains("使用指南"), "{}", page.text());
    }
    // And of it what the page says.
    assert!(chat.text().contains("Unsend"));
    assert!(!nothing.text().contains("Unsend"), "{}", nothing.text());
    server.stop().await;
}

/// What a messenger shows of a link: words always, a picture only where its whole address is known.
#[tokio::test]
async fn a_link_has_a_picture_where_the_public_address_is_known() {
    let local = TestServer::start_dead(|_| {}).await;
    let answer = get(local.address, "/").await;
    let page = answer.text();
    assert!(
        page.contains("<meta property=\"og:title\" content=\"秘語 Miyu\">"),
        "{page}"
    );
    assert!(
        page.contains("og:description") && !page.contains("og:image"),
        "{page}"
    );
    assert!(
        !page.contains("og:url") && !page.contains("{{public"),
        "{page}"
    );
    local.stop().await;

    let public = |config: &mut Config| {
        config.server.public_url = Origin::parse("https://chat.example").ok();
    };
    let server = TestServer::start_dead(public).await;
    let answer = get(server.address, "/").await;
    let page = answer.text();
    let url = format!("https://chat.example{}/images/share.png", base(&answer));
    assert!(
        page.contains(&format!("<meta property=\"og:image\" content=\"{url}\">")),
        "{page}"
    );
    assert!(page.contains("content=\"summary_large_image\""), "{page}");
    let path = url.trim_start_matches("https://chat.example");
    let picture = get(server.address, path).await;
    assert_eq!(
        (picture.status, picture.header("content-type")),
        (200, Some("image/png"))
    );
    // Width and height, as the page says them.
    assert_eq!(
        picture.body[16..24],
        [1200_u32.to_be_bytes(), 630_u32.to_be_bytes()].concat()
    );
    assert!(picture.body.len() < 150_000, "{} bytes", picture.body.len());
    server.stop().await;
}

#[tokio::test]
async fn an_operators_words_lie_over_ours_and_a_language_is_one_file() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "words/en.json", r#"{"home.start":"Begin"}"#);
    let arabic = r#"{"home.start":"ابدأ","language.name":"عربي","language.direction":"rtl"}"#;
    write(dir.path(), "words/ar.json", arabic);
    let server = serve(&dir).await;
    let english = get_with(server.address, "/", &[("accept-language", "en")]).await;
    assert!(says(&english, ">Begin</button>"));
    assert!(says(&english, ">Guide</button>"), "what it lacks is ours");
    assert!(says(
        &english,
        "<option value=\"ar\" lang=\"ar\">عربي</option>"
    ));
    let page = get_with(
        server.address,
        "/",
        &[("accept-language", "ar-EG,en;q=0.1")],
    )
    .await;
    assert!(page.text().contains("<html lang=\"ar\" dir=\"rtl\">"));
    assert!(says(&page, ">ابدأ</button>"));
    assert!(says(&page, ">Guide</button>"), "what it lacks is English");
    let words = get(server.address, &format!("{}/words/ar.json", base(&page))).await;
    assert_eq!(words.header("content-type"), Some("application/json"));
    assert_eq!(words.json()["home.start"], "ابدأ");
    assert_eq!(words.json()["app.guide"], "Guide");
    let site = get(server.address, "/api/site").await.json();
    let languages = site["languages"].as_array().unwrap();
    assert_eq!(languages.last().unwrap(), "ar");
    server.stop().await;
}

#[tokio::test]
async fn contact_topics_and_colour_are_the_sites() {
    let none = TestServer::start_dead(|_| {}).await;
    let page = get(none.address, "/").await.text().to_owned();
    assert!(!page.contains("home-contact"), "{page}");
    assert!(
        page.contains("data-topics=\"[{&quot;tag&quot;:&quot;音樂&quot;},"),
        "{page}"
    );
    let site = get(none.address, "/api/site").await.json();
    assert_eq!(
        (&site["contact"], &site["hours"]),
        (&json!(""), &json!(null))
    );
    assert_eq!(site["topics"][8], json!({"tag": "藝術"}));
    none.stop().await;

    let own = |config: &mut Config| {
        let text = "[site]\ncontact = \"mail@chat.example\"\naccent = \"#ffcc00\"\n\
            topics = [\"期末考 | en: Finals\"]\nhours = \"00:00-24:00\"\n";
        config.site = config_of(text).site;
    };
    let server = TestServer::start_dead(own).await;
    let answer = get(server.address, "/").await;
    let page = answer.text();
    assert!(page.contains("href=\"mailto:mail@chat.example\""), "{page}");
    assert!(page.contains(">mail@chat.example</a>"), "{page}");
    assert!(page.contains("data-topics=\"[{&quot;tag&quot;:&quot;期末考&quot;,&quot;names&quot;:{&quot;en&quot;:&quot;Finals&quot;}}]\""), "{page}");
    let colours = get(server.address, &format!("{}/css/tokens.css", base(&answer))).await;
    assert!(colours.text().contains("--c-fog"), "our own come first");
    assert!(
        colours.text().contains("--c-jade: #ffcc00; --c-mine:"),
        "{}",
        colours.text()
    );
    let site = get(server.address, "/api/site").await.json();
    assert_eq!(
        site["topics"],
        json!([{"tag": "期末考", "names": {"en": "Finals"}}])
    );
    assert_eq!(site["contact"], "mail@chat.example");
    let [from, to] = ["from_ms", "to_ms"].map(|key| site["hours"][key].as_i64().unwrap());
    assert_eq!(to - from, 24 * 3600 * 1000);
    server.stop().await;
}

/// As `build.rs` compresses what a release embeds.
fn packed(plain: &[u8]) -> usize {
    let mut packed = Vec::new();
    let best = brotli::enc::BrotliEncoderParams {
        quality: 11,
        size_hint: plain.len(),
        ..Default::default()
    };
    brotli::BrotliCompress(&mut &plain[..], &mut packed, &best).unwrap();
    packed.len().min(plain.len())
}

#[tokio::test]
async fn our_own_pages_are_light() {
    let server = TestServer::start_dead(|_| {}).await;
    // Bytes of all bodies that a page names itself, as a browser receives them the first time.
    for (page, most) in [("/", 70_000), ("/chat/", 130_000)] {
        let br = [("accept-encoding", "br")];
        let mut weight = get_with(server.address, page, &br).await.body.len();
        let text = get(server.address, page).await.text().to_owned();
        let files = text.split('"').filter(|it| it.starts_with("/static/"));
        // Pictures that are only fetched for a link's preview, or by a phone that installs the page.
        for path in files.filter(|it| !it.ends_with(".png")) {
            let file = get(server.address, path).await;
            assert_eq!(file.status, 200, "{path}");
            weight += packed(&file.body);
        }
        assert!(weight <= most, "{page} weighs {weight} bytes");
        assert!(weight > most / 4, "{page} was not weighed: {weight} bytes");
    }
    server.stop().await;
}

/// It belongs to operators: no cookie of a visitor, no copy anywhere, two languages, as strict as the other pages.
#[tokio::test]
async fn the_console_is_a_page_of_its_own() {
    let server = TestServer::start_dead(|_| {}).await;
    let home = get(server.address, "/").await;
    for (asked, spoken, word) in [
        ("zh-TW", "zh-TW", "\"op.nav.queue\":\"待處理\""),
        ("en", "en", "\"op.nav.queue\":\"Queue\""),
        // It has no Japanese.
        ("ja", "en", "\"op.nav.queue\":\"Queue\""),
    ] {
        let page = get_with(server.address, "/admin/", &[("accept-language", asked)]).await;
        assert_eq!(page.status, 200, "{asked}");
        assert_eq!(page.header("content-language"), Some(spoken), "{asked}");
        assert!(page.text().contains(&format!("<html lang=\"{spoken}\"")));
        assert!(page.text().contains(word), "{asked}: {}", page.text());
        assert!(says(&page, "<option value=\"zh-TW\"") && !says(&page, "<option value=\"ja\""));
        for (name, value) in [
            ("cache-control", Some("no-store")),
            ("x-robots-tag", Some("noindex")),
            ("set-cookie", None),
            ("etag", None),
        ] {
            assert_eq!(page.header(name), value, "{name}");
        }
        assert_eq!(
            page.header("content-security-policy"),
            home.header("content-security-policy")
        );
    }
    assert!(
        !home.text().contains("op.nav.queue") && !home.text().contains("/admin/"),
        "home does not carry it"
    );
    let bare = get(server.address, "/admin").await;
    assert_eq!(bare.header("location"), Some("/admin/"));
    server.stop().await;
}

#[tokio::test]
async fn our_own_pages_name_files_that_exist() {
    let server = TestServer::start_dead(|_| {}).await;
    for page in [
        "/",
        "/chat/",
        "/offline/",
        "/privacy/",
        "/transparency/",
        "/admin/",
    ] {
        let answer = get(server.address, page).await;
        assert_eq!(answer.status, 200, "{page}");
        let text = answer.text().to_owned();
        let mut count = 0;
        for quoted in text.split('"').filter(|it| it.starts_with("/static/")) {
            let file = get(server.address, quoted).await;
            assert_eq!(file.status, 200, "{quoted}");
            let keep = file.header("cache-control").unwrap();
            assert!(keep.contains("immutable"), "{quoted}");
            count += 1;
        }
        assert!(count > 3, "{page} names {count} files");
    }
    let manifest = get(server.address, "/manifest.webmanifest").await;
    assert_eq!(
        manifest.header("content-type"),
        Some("application/manifest+json")
    );
    let manifest = manifest.json();
    let mut purposes = Vec::new();
    for icon in manifest["icons"].as_array().unwrap() {
        let path = icon["src"].as_str().unwrap();
        assert_eq!(get(server.address, path).await.status, 200, "{path}");
        let purpose = icon["purpose"].as_str().unwrap_or("any");
        purposes.push((icon["sizes"].as_str().unwrap(), purpose));
    }
    // What browsers ask for before they offer to install it.
    for wanted in [
        ("192x192", "any"),
        ("512x512", "any"),
        ("512x512", "maskable"),
    ] {
        assert!(purposes.contains(&wanted), "{wanted:?} of {purposes:?}");
    }
    for (key, value) in [
        ("id", "/"),
        ("start_url", "/"),
        ("scope", "/"),
        ("display", "standalone"),
    ] {
        assert_eq!(manifest[key], value, "{key}");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_manifest_has_the_sites_name_in_the_visitors_language() {
    let dir = overlay();
    let server = serve(&dir).await;
    for (accept, language) in [("zh-TW", "zh-TW"), ("en-GB", "en")] {
        let accept = [("accept-language", accept)];
        let manifest = get_with(server.address, "/manifest.webmanifest", &accept).await;
        let manifest = manifest.json();
        assert_eq!(manifest["name"], "A<B>\"&");
        assert_eq!(manifest["lang"], language);
    }
    server.stop().await;
}

/// Its text names the version, so that a browser notices a new one; and it says whether one is wanted.
#[tokio::test]
async fn the_worker_is_of_this_version_and_asked_about_each_time() {
    for (wanted, word) in [(true, "on"), (false, "off")] {
        let server =
            TestServer::start_dead(move |config| config.assets.service_worker = wanted).await;
        let page = get(server.address, "/").await;
        assert!(
            page.text()
                .contains(&format!("<meta name=\"worker\" content=\"{word}\">"))
        );
        let worker = get(server.address, "/sw.js").await;
        assert_eq!(worker.status, 200);
        assert_eq!(
            worker.header("content-type"),
            Some("text/javascript; charset=utf-8")
        );
        assert_eq!(worker.header("cache-control"), Some("no-cache"));
        assert_eq!(worker.header("set-cookie"), None);
        let base = base(&page);
        assert!(worker.text().contains(&format!("serve('{base}')")));
        assert!(worker.text().contains(&format!("'{word}' === 'on'")));
        let module = format!("{base}/js/worker/worker.js");
        assert!(worker.text().contains(&format!("from '{module}'")));
        assert_eq!(get(server.address, &module).await.status, 200);
        server.stop().await;
    }
}

#[tokio::test]
async fn the_privacy_page_says_what_is_configured_in_each_language() {
    let server = TestServer::start_dead(|config| {
        config.site.name = "A & B".into();
        config.store.retention = Duration::from_secs(48 * 3600);
        config.chat.reconnect_grace = Duration::from_secs(7 * 60);
        config.matching.repeat_patience = Duration::from_secs(95);
    })
    .await;
    for (tag, kept, open, grace, again, operator) in [
        (
            "zh-TW",
            "2 天後抹去",
            "24 小時後",
            "7 分鐘",
            "都找了 95 秒",
            "沒有提供聯絡方式",
        ),
        (
            "en",
            "erased 2 days after",
            "latest 24 hours",
            "7 minutes",
            "for 95 seconds",
            "no address here to write to",
        ),
        (
            "ja",
            "2 日後に消えます",
            "24 時間たつと",
            "7 分",
            "95 秒さがした",
            "連絡先はありません",
        ),
    ] {
        let page = get_with(server.address, "/privacy/", &[("accept-language", tag)]).await;
        assert_eq!((page.status, page.header("set-cookie")), (200, None));
        let text = page.text().replace('\u{a0}', " ");
        for words in [kept, open, grace, again, operator, "A &amp; B"] {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert!(says(
            &page,
            &format!("<article data-slot=\"privacy\" lang=\"{tag}\" dir=\"ltr\">")
        ));
        assert!(!page.text().contains("{{"), "{}", page.text());
        assert!(!says(&page, "href=\"\""), "a link that leads nowhere");
    }
    let bare = get(server.address, "/privacy").await;
    assert_eq!(bare.header("location"), Some("/privacy/"));
    let home = get(server.address, "/").await;
    assert!(says(&home, "href=\"/privacy/\""));
    let raw = get(server.address, &format!("{}/privacy/en.html", base(&home))).await;
    assert_eq!(raw.status, 404, "a part of a page is no file");
    server.stop().await;
}

#[tokio::test]
async fn an_operator_completes_the_privacy_page_or_writes_it() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        "words/ar.json",
        r#"{"language.direction":"rtl"}"#,
    );
    write(
        dir.path(),
        "privacy/ja.html",
        "<h1>{{site.name}}: {{kept.retention}} {{privacy}}</h1>",
    );
    let path = dir.path().to_owned();
    let server = TestServer::start_dead(move |config| {
        let text =
            "[site]\ncontact = \"mail@chat.example\"\nimprint = \"https://chat.example/imprint\"\n";
        config.site = config_of(text).site;
        config.assets.dir = Some(path);
        config.chat.longest = Duration::ZERO;
    })
    .await;
    let page = async |tag| get_with(server.address, "/privacy/", &[("accept-language", tag)]).await;
    let english = page("en").await;
    assert!(says(&english, "href=\"mailto:mail@chat.example\""));
    assert!(says(&english, "href=\"https://chat.example/imprint\""));
    for words in ["no address here", "At the latest"] {
        assert!(!says(&english, words), "{words}: {}", english.text());
    }
    let own = page("ja").await;
    assert!(says(&own, "<h1>秘語 Miyu: 24 時間 {{privacy}}</h1>"));
    let arabic = page("ar").await;
    assert!(arabic.text().contains("<html lang=\"ar\" dir=\"rtl\">"));
    assert!(
        says(&arabic, "lang=\"en\" dir=\"ltr\">"),
        "what it lacks is English, and says so"
    );
    let home = get(server.address, "/").await;
    assert!(says(&home, "href=\"https://chat.example/imprint\""));
    server.stop().await;
}
