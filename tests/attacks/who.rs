//! Somebody wants to be taken for another, where people are named on a command line: by a name that is another's fingerprint or
//! address, by a file that has the name of a contact.

use crate::scene::{Author, Scene};

/// Alice, with Bob, the team R/D and Mallory as contacts, and Bob in a group.
struct Known {
    scene: Scene,
    bob: Author,
    team: Author,
    mallory: Author,
}

impl Known {
    fn new() -> Self {
        let scene = Scene::with_alice();
        let bob = Author::new("Bob", &["bob@example.org"]);
        let team = Author::new("R/D", &["team@example.org"]);
        let mallory = Author::new("Mallory", &["m@evil.example"]);
        for author in [&bob, &team, &mallory] {
            scene.add("alice", &author.card);
        }
        let list = ["--address", "board@lists.example.org"];
        let new = ["group", "new", "board", "bob@example.org"];
        scene.ok("alice", &[&new[..], &list[..]].concat());
        scene.write("cards/bob.card", bob.card.to_text());
        scene.write("bob", bob.card.to_text());
        Self {
            scene,
            bob,
            team,
            mallory,
        }
    }

    /// Whom `--to` encrypts for, beside Alice.
    fn meant(&self, who: &str) -> Option<String> {
        let line = [
            "wrap",
            "note",
            "--json",
            "--to",
            who,
            "-o",
            "meant.encl",
            "--force",
        ];
        let answer = self.scene.run("alice", &line);
        if answer.exit != 0 {
            assert_eq!(answer.exit, 7, "{who}: {}", answer.stderr);
            return None;
        }
        let all = answer.stdout + &answer.stderr;
        let line = all
            .lines()
            .find(|line| line.contains("encl.wrap/1"))
            .unwrap();
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        Some(object["recipients"][0]["id"].as_str().unwrap().to_owned())
    }

    /// An envelope of somebody for Alice.
    fn letter(&self, author: &Author, person: &str) -> String {
        self.scene.own(person, author);
        self.scene
            .ok("alice", &["key", "card", "-o", "alice.card", "--force"]);
        let sealed = format!("{person}.encl");
        let line = ["wrap", "note", "--to", "./alice.card", "-o", &sealed];
        self.scene.ok(person, &line);
        sealed
    }
}

#[test]
fn a_fingerprint_means_a_key_and_nobody_who_is_called_so() {
    let known = Known::new();
    let fingerprint = known.bob.id();
    let impostor = Author::new(&fingerprint, &["impostor@evil.example"]);
    known.scene.leave("alice", &impostor.card, "added");
    let (real, forged) = (
        known.letter(&known.bob, "bob"),
        known.letter(&impostor, "impostor"),
    );
    let scene = &known.scene;
    assert_eq!(known.meant(&fingerprint), Some(known.bob.id()));
    scene.ok("alice", &["verify", &real, "--signed-by", &fingerprint]);
    scene.fails(
        "alice",
        &["verify", &forged, "--signed-by", &fingerprint],
        4,
    );
    let shown = scene.ok("alice", &["contact", "show", &fingerprint]).stdout;
    assert!(shown.contains("name: Bob\n"), "{shown}");
    scene.ok("alice", &["contact", "block", &fingerprint]);
    let list = scene.ok("alice", &["contact", "list"]).stdout;
    let blocked: Vec<&str> = list
        .lines()
        .filter(|line| line.contains("blocked"))
        .collect();
    assert!(
        blocked.len() == 1 && blocked[0].starts_with("Bob <bob@example.org>"),
        "{list}"
    );
}

#[test]
fn an_address_means_nobody_who_is_called_so() {
    let known = Known::new();
    let impostor = Author::new("cfo@corp.example", &["impostor@evil.example"]);
    known.scene.leave("alice", &impostor.card, "added");
    let forged = known.letter(&impostor, "impostor");
    let scene = &known.scene;
    assert_eq!(known.meant("cfo@corp.example"), None);
    assert_eq!(known.meant("cfo\u{ff20}corp.example"), None);
    scene.fails(
        "alice",
        &["verify", &forged, "--signed-by", "cfo@corp.example"],
        7,
    );
    let cfo = Author::new("Carol", &["cfo@corp.example"]);
    scene.add("alice", &cfo.card);
    assert_eq!(known.meant("cfo@corp.example"), Some(cfo.id()));
    scene.fails(
        "alice",
        &["verify", &forged, "--signed-by", "cfo@corp.example"],
        4,
    );
}

#[test]
fn each_form_of_who_means_one_thing() {
    let known = Known::new();
    let (bob, team, mallory) = (known.bob.id(), known.team.id(), known.mallory.id());
    let grouped = bob.as_bytes().chunks(4);
    let grouped: Vec<&str> = grouped
        .map(|four| std::str::from_utf8(four).unwrap())
        .collect();
    let card = known.bob.card.to_text().to_owned();
    for (who, meant) in [
        ("@board", Some(&bob)),
        (&*card, Some(&bob)),
        (&*bob, Some(&bob)),
        (&bob.to_uppercase(), Some(&bob)),
        (&grouped.join(" "), Some(&bob)),
        (&grouped.join(":"), Some(&bob)),
        (&grouped.join("-"), Some(&bob)),
        (&bob[..63], None),
        (&bob[..16], None),
        ("./bob", Some(&bob)),
        ("../here/bob", Some(&bob)),
        ("cards/bob.card", Some(&bob)),
        ("./cards/nobody", None),
        ("bob@example.org", Some(&bob)),
        ("BOB@Example.org", Some(&bob)),
        ("bob+list@example.org", Some(&bob)),
        ("board@lists.example.org", Some(&bob)),
        ("Mallory <bob@example.org>", Some(&bob)),
        ("bob@example.org <m@evil.example>", Some(&mallory)),
        ("\"bob@example.org\" <m@evil.example>", Some(&mallory)),
        ("mailto:bob@example.org", Some(&bob)),
        ("Bob <Mallory>", None),
        ("bob@example.org, m@evil.example", None),
        ("R/D", Some(&team)),
        ("r/d", Some(&team)),
        ("nobody/here", None),
        ("Bob", Some(&bob)),
        ("BOB", Some(&bob)),
        ("\u{ff22}ob", Some(&bob)),
        ("Bo", None),
        ("bo\u{431}", None),
    ] {
        assert_eq!(known.meant(who).as_ref(), meant, "{who}");
    }
    known.scene.write("absolute", known.bob.card.to_text());
    let absolute = known.scene.work().join("absolute");
    assert_eq!(known.meant(absolute.to_str().unwrap()), Some(bob));
}

#[test]
fn a_planted_file_does_not_come_before_a_contact() {
    let known = Known::new();
    let impostor = Author::new("Robert", &["robert@evil.example"]);
    for name in [
        "R/D",
        "bob@example.org",
        "Bob",
        "@board",
        "mailto:bob@example.org",
    ] {
        known.scene.write(name, impostor.card.to_text());
    }
    assert_eq!(known.meant("R/D"), Some(known.team.id()));
    for who in ["bob@example.org", "Bob", "@board", "mailto:bob@example.org"] {
        assert_eq!(known.meant(who), Some(known.bob.id()), "{who}");
    }
    assert_eq!(known.meant("./R/D"), Some(impostor.id()));
}

#[test]
fn each_option_accepts_its_forms_of_who() {
    let known = Known::new();
    let scene = &known.scene;
    let letter = known.letter(&known.bob, "bob");
    let id = known.bob.id();
    let card = known.bob.card.to_text().to_owned();
    scene.ok(
        "alice",
        &[
            "wrap", "note", "--to", "Bob", "--to", "@board", "-o", "n.encl",
        ],
    );
    let forms = [
        &*id,
        "bob@example.org",
        "Bob",
        "@board",
        &*card,
        "cards/bob.card",
    ];
    let to = |line: &[&str], who: &str| -> Vec<String> {
        let quorum = format!("1:{who}");
        let word = |word: &&str| match *word {
            "WHO" => who.to_owned(),
            "1:WHO" => quorum.clone(),
            other => other.to_owned(),
        };
        line.iter().map(word).collect()
    };
    // Fingerprint, address, name, group, card, card file.
    for (line, exits) in [
        (
            &["wrap", "note", "--to", "WHO", "-o", "x.encl", "--force"][..],
            [0; 6],
        ),
        (
            &[
                "wrap", "note", "--quorum", "1:WHO", "-o", "x.encl", "--force",
            ],
            [0; 6],
        ),
        (&["grant", "n.encl", "--to", "WHO", "--dry-run"], [0; 6]),
        (
            &["backup", "--to", "WHO", "-o", "x.backup", "--force"],
            [0; 6],
        ),
        (
            &["revoke", "n.encl", "--from", "WHO", "--dry-run"],
            [0, 0, 0, 0, 2, 2],
        ),
        (
            &["drop", "n.encl", "--from", "WHO", "--dry-run"],
            [0, 0, 0, 0, 2, 2],
        ),
        (&["verify", &letter, "--signed-by", "WHO"], [0; 6]),
        (&["group", "add", "board", "WHO"], [0, 0, 0, 2, 2, 2]),
        (&["group", "remove", "board", "WHO"], [0, 7, 7, 2, 2, 2]),
        (&["contact", "show", "WHO"], [0, 0, 0, 2, 2, 2]),
        (
            &["contact", "verify", "WHO", "--code", "1"],
            [7, 7, 7, 2, 2, 2],
        ),
        (&["contact", "block", "WHO"], [0, 0, 0, 2, 2, 2]),
        (&["contact", "unblock", "WHO"], [0, 7, 7, 2, 2, 2]),
        (&["contact", "remove", "WHO", "--yes"], [0, 7, 7, 2, 2, 2]),
    ] {
        for (who, exit) in forms.iter().zip(exits) {
            let line = to(line, who);
            let line: Vec<&str> = line.iter().map(String::as_str).collect();
            scene.fails("alice", &line, exit);
        }
    }
}

#[test]
fn an_identity_of_mine_is_no_group_and_no_card() {
    let known = Known::new();
    let scene = &known.scene;
    let me = scene.ok("alice", &["key", "list", "--json"]).stdout;
    let me: serde_json::Value = serde_json::from_str(me.lines().next().unwrap()).unwrap();
    let id = me["id"].as_str().unwrap();
    let card = scene.ok("alice", &["key", "card"]).stdout;
    scene.write("alice.card", &card);
    for (who, exit) in [
        (id, 0),
        ("alice@example.org", 0),
        ("Alice <alice@example.org>", 0),
        ("Alice", 0),
        ("bob@example.org", 7),
        (&*known.bob.id(), 7),
        ("@board", 2),
        (card.trim_end(), 2),
        ("alice.card", 2),
    ] {
        let line = [
            "wrap", "note", "--to", "Bob", "--as", who, "-o", "a.encl", "--force",
        ];
        scene.fails("alice", &line, exit);
        scene.fails("alice", &["key", "show", who], exit);
    }
}

#[test]
fn headers_name_people_by_address_only() {
    let known = Known::new();
    let scene = &known.scene;
    for (to, exit) in [
        ("bob@example.org", 0),
        ("Mallory <bob@example.org>", 0),
        ("board@lists.example.org", 0),
        ("Bob", 7),
        ("cards/bob.card", 7),
        ("nobody@example.org", 7),
    ] {
        scene.write("a.eml", format!("From: alice@example.org\nTo: {to}\n\nx\n"));
        let line = ["mail", "wrap", "a.eml", "-o", "b.eml", "--force"];
        let answer = scene.run("alice", &line);
        assert_eq!(answer.exit, exit, "{to}: {}", answer.stderr);
    }
}

#[test]
fn what_a_server_hands_on_is_no_path_and_no_name() {
    let known = Known::new();
    let scene = &known.scene;
    let card = known.bob.card.to_text().to_owned();
    let absolute = scene.work().join("bob");
    let deliver = |words: &[&str]| {
        let line = [&["mail", "deliver"][..], words].concat();
        scene.run_with("alice", &line, "Subject: x\n\nx\n").exit
    };
    for (who, exit) in [
        (&*known.bob.id(), 0),
        ("bob@example.org", 0),
        ("bob+list@example.org", 0),
        ("@board", 0),
        ("Bob", 67),
        ("R/D", 67),
        ("./bob", 67),
        ("cards/bob.card", 67),
        (absolute.to_str().unwrap(), 67),
        (&*card, 67),
        ("-x", 67),
        ("nobody@example.org", 67),
        ("bob@example.org,m@evil.example", 67),
    ] {
        assert_eq!(deliver(&["--for", who]), exit, "{who}");
    }
    assert_eq!(deliver(&["--for-card", "bob"]), 0);
    assert_eq!(
        deliver(&["--for-card", "cards/bob.card", "--for", "m@evil.example"]),
        0
    );
    // It may be there when the server tries again.
    assert_eq!(deliver(&["--for-card", "gone.card"]), 75);
    assert_eq!(deliver(&[]), 64);
}
