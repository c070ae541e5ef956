//! What `:help` says.

/// A command, for people.
pub struct Topic {
    /// Its name, without the colon.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// How it is written.
    pub usage: &'static str,
    /// One line.
    pub summary: &'static str,
    /// The rest.
    pub details: &'static str,
}

/// All commands, in the order of `:help`.
pub const TOPICS: &[Topic] = &[
    Topic {
        name: "train",
        aliases: &[],
        usage: ":train [N]",
        summary: "learn from the queries with a target for N epochs (default: `:set epochs`)",
        details: "Training goes on from the present weights; the best model met (the present one included) is kept.\n\
                  The optimiser begins anew each time. `:train 0` only evaluates. Targets come from labelled queries:\n\
                  those of loaded data, and those entered here: `?- 1.0 path(a,c).`",
    },
    Topic {
        name: "answers",
        aliases: &[],
        usage: ":answers",
        summary: "answer the queries of the loaded files (and labelled ones) with the present weights",
        details: "As `nlog run` prints them, with the table of errors.",
    },
    Topic {
        name: "weights",
        aliases: &["w"],
        usage: ":weights [NAME]",
        summary: "the present values of the learnable weights, or of one weight",
        details: "Weights without a name are called w0, w1, … in order of appearance; learnable facts by their atom.\n\
                  Added clauses leave learned values alone: a weight keeps its value as long as it is written at the\n\
                  same place with the same name and shape, and no metadata gives it another value. New weights get\n\
                  initial values. Before the first training all weights have the initial values of `nlog run` on\n\
                  the whole program.",
    },
    Topic {
        name: "reset",
        aliases: &[],
        usage: ":reset",
        summary: "put all weights back to their initial values (drawn with `:set seed`)",
        details: "",
    },
    Topic {
        name: "load",
        aliases: &["l"],
        usage: ":load FILE...",
        summary: "add templates (.lrnn, .txt) and data (.db)",
        details: "The suffix decides: `.lrnn` and `.txt` are templates with everything they import, `.db` is data. If\n\
                  one file has an error, none is added. A template is added once; data are added again: `:clear` first.\n\
                  A name with spaces stands between quotes.",
    },
    Topic {
        name: "facts",
        aliases: &[],
        usage: ":facts [PREDICATE]",
        summary: "how many facts each predicate has, or the facts of one (`edge` or `edge/2`)",
        details: "Facts of the shared world; those of examples are only counted.",
    },
    Topic {
        name: "rules",
        aliases: &[],
        usage: ":rules",
        summary: "rules, offsets and metadata of the program",
        details: "",
    },
    Topic {
        name: "plan",
        aliases: &[],
        usage: ":plan",
        summary: "in which order each rule's literals are joined",
        details: "As planned for the facts of the shared world.",
    },
    Topic {
        name: "set",
        aliases: &[],
        usage: ":set [KEY VALUE]",
        summary: "change a setting, or list all: names are those of the options of `nlog run`",
        details: "`:set lr 0.05`, `:set optimizer sgd`, `:set unprovable value:0`; `default` undoes lr, decay, clip-norm\n\
                  and clip-value. A new seed or initialiser shows after `:reset` if the weights are trained.",
    },
    Topic {
        name: "clear",
        aliases: &[],
        usage: ":clear [queries]",
        summary: "forget program, data and weights, or only the queries; settings stay",
        details: "",
    },
    Topic {
        name: "explain",
        aliases: &[],
        usage: ":explain [CODE]",
        summary: "what a message's code means, with a wrong and a right program, or all codes",
        details: "",
    },
    Topic {
        name: "help",
        aliases: &["h", "?"],
        usage: ":help [COMMAND]",
        summary: "this text, or more about one command",
        details: "",
    },
    Topic {
        name: "quit",
        aliases: &["q", "exit"],
        usage: ":quit",
        summary: "leave (or Ctrl-D)",
        details: "",
    },
];

/// The topic of a name or alias.
pub fn find(name: &str) -> Option<&'static Topic> {
    TOPICS.iter().find(|t| t.name == name || t.aliases.contains(&name))
}

/// The whole help.
pub fn all() -> String {
    let mut out = String::from(
        "Statements are entered as in a file and end with a full stop; they may go on over several lines.\n  \
         0.5 edge(a,b).                    a fact of the shared world\n  \
         path(X,Y) :- edge(X,Y).           a rule (its metadata [...] on the same line)\n  \
         path/2 [transformation=sigmoid]   offsets and metadata of predicates and weights\n  \
         ?- path(a,X).                     a question: answers, values of the present weights, substitutions\n  \
         ?- 1.0 path(a,c).                 a query to learn from\n\
         A statement with an error is not added. Added clauses keep what weights have learned (`:help weights`).\n\
         Values are as `nlog run` shows them: with loss softentropy a queried atom without a stated transformation\n\
         shows its logit.\n\nCommands:\n",
    );
    for topic in TOPICS {
        out += &format!("  {:<18} {}\n", topic.usage, topic.summary);
    }
    out
}

/// About one command.
pub fn about(topic: &Topic) -> String {
    let mut out = format!("{}: {}\n", topic.usage, topic.summary);
    if !topic.details.is_empty() {
        out += topic.details;
        out.push('\n');
    }
    if !topic.aliases.is_empty() {
        let names: Vec<String> = topic.aliases.iter().map(|a| format!(":{a}")).collect();
        out += &format!("Also {}.\n", names.join(", "));
    }
    out
}
