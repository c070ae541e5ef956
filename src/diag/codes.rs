//! The one table of diagnostic codes.
//!
//! `E` errors, `W` warnings; the first two digits name the phase:
//! 01 syntax, 02 names, 03 safety and strata, 04 shapes, 05 data, 06 grounding, 07 graph, 08 training, 09 model,
//! 10 command line and files.

use super::Severity;

/// A diagnostic code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub &'static str);

impl Code {
    /// The severity that the code's letter stands for.
    pub fn severity(self) -> Severity {
        match self.0.as_bytes().first() {
            Some(b'E') => Severity::Error,
            Some(b'W') => Severity::Warning,
            _ => Severity::Note,
        }
    }
    /// The one-line meaning.
    pub fn summary(self) -> &'static str {
        ALL.iter().find(|(c, _)| *c == self).map_or("", |(_, s)| s)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

macro_rules! codes {
    ($($(#[$attr:meta])* $name:ident = $code:literal, $summary:literal;)*) => {
        $(#[doc = $summary] pub const $name: Code = Code($code);)*
        /// Every code with its one-line meaning, in order.
        pub const ALL: &[(Code, &str)] = &[$((Code($code), $summary)),*];
    };
}

codes! {
    // 01 syntax
    UNEXPECTED = "E0101", "the text does not fit the grammar";
    UNCLOSED = "E0102", "a bracket is never closed";
    UNOPENED = "E0103", "a closing bracket without an opening one";
    UNKNOWN_CHARACTER = "E0104", "a character that starts no token";
    UNCLOSED_COMMENT = "E0105", "a block comment is never closed";
    UNCLOSED_QUOTE = "E0106", "a quoted constant is never closed";
    MISSING_STOP = "E0107", "a statement without its final full stop";
    BAD_NUMBER = "E0108", "a number out of range or badly written";
    BAD_VALUE = "E0109", "a malformed weight value";
    NESTED_TOO_DEEP = "E0110", "brackets nested too deeply";
    NOT_ALLOWED_HERE = "E0111", "a construct that this kind of file does not allow";
    // 02 names
    UNKNOWN_FUNCTION = "E0201", "an unknown function name";
    UNKNOWN_KEY = "E0202", "an unknown metadata key";
    BAD_METADATA = "E0203", "a metadata value that its key does not take";
    UNKNOWN_SPECIAL = "E0204", "an unknown special predicate";
    SPECIAL_ARITY = "E0205", "a special predicate with the wrong number of arguments";
    UNKNOWN_PREDICATE = "E0206", "a predicate that no rule and no fact defines";
    WRONG_ARITY = "E0207", "a predicate used with a number of arguments that nothing defines";
    STATED_ARITY = "E0208", "an arity stated after the name that is not the number of arguments";
    UNKNOWN_WEIGHT = "E0209", "weight metadata for a name that no weight has";
    WEIGHT_REDEFINED = "W0210", "a shared weight is given a second, different value";
    UNUSED_METADATA = "W0211", "metadata for a predicate that no rule derives";
    SPECIAL_IN_HEAD = "E0212", "a special predicate cannot be derived";
    TOO_MANY_ARGUMENTS = "E0213", "a predicate with more arguments than can be indexed";
    TOO_MANY_LITERALS = "E0214", "a rule with more literals than can be joined";
    FROZEN_ELSEWHERE = "W0215", "a rule freezes a weight that others share";
    UNKNOWN_MODULE = "E0216", "an unknown module";
    MODULE_ARGUMENTS = "E0217", "arguments that do not fit the parameters of a module";
    ARGUMENT_KIND = "E0218", "an argument of another kind than its parameter";
    MODULE_CYCLE = "E0219", "a module that uses itself";
    NOT_A_PARAMETER = "E0220", "a predicate of a module that is no parameter and never derived";
    MODULE_TWICE = "E0221", "a module or parameter whose name is taken";
    FORMULA = "E0222", "an expression of a module or loop without a usable value";
    EXPANSION_LIMIT = "E0223", "modules and loops that expand to too much";
    UNUSED_PARAMETER = "W0224", "a parameter that its module never uses";
    FAMILY_USE = "E0228", "a family of weights that is also something else";
    FAMILY_TERM = "E0229", "a term that picks no member of a family of weights";
    WEIGHT_GROUP = "E0230", "a group of weights that cannot be trained as it is stated";
    IDLE_GROUP = "W0231", "a group of weights that changes nothing in training";
    NO_CHOICE = "E0232", "an argument that is none of the choices of its parameter";
    REFUSED = "E0233", "a use that its module refuses";
    // 03 safety and strata
    NEGATIVE_CYCLE = "E0301", "a predicate depends on its own negation";
    UNSAFE_VARIABLE = "W0302", "a variable that no positive literal binds ranges over all constants";
    NEGATED_HEAD = "E0303", "a rule's head cannot be negated";
    HIDDEN_HEAD = "W0304", "a star in a rule's head has no meaning";
    NEVER_FIRES = "W0305", "a rule that can never fire";
    DUPLICATE_RULE = "W0306", "a rule identical to an earlier one";
    IDLE_WEIGHT = "W0307", "a weight or `~` on a literal whose value does not enter";
    LONE_VARIABLE = "W0308", "a variable that stands only once in a rule";
    WITHOUT_EFFECT = "W0309", "an offset or function of a rule that takes no part";
    STATED_TWICE = "W0310", "an offset, function or draw is stated twice";
    UNUSED_PREDICATE = "W0311", "a predicate that is derived but never used";
    BAD_OPERAND = "E0312", "a calculation with what has no value or is no number";
    CALCULATION_CYCLE = "E0313", "variables whose values are calculated from each other";
    MINUS_IN_NAME = "E0314", "a variable whose name was meant to be a difference";
    OPEN_FACT = "W0315", "a fact with variables holds for all constants";
    UNREACHED_WEIGHT = "W0316", "a weight that no query reaches";
    UNDEFINED_QUESTION = "W0317", "a question about a predicate that nothing defines";
    ACTIVATED_TWICE = "W0318", "a rule's stated activation has the default of its head's atoms on top";
    IMPORTED_DEFAULTS = "W0319", "an import that changes the defaults of the template";
    ADDED_UP = "W0320", "two modules with one result, whose values are added up";
    // 04 shapes
    SHAPE_MISMATCH = "E0401", "a weight or value of the wrong shape";
    TARGET_SHAPE = "E0402", "a target whose shape is not the query's";
    FUNCTION_SHAPE = "E0403", "a function that cannot take values of this shape";
    FORGOTTEN_STAR = "W0404", "facts without values are added to vectors";
    ONLY_SCALAR = "W0405", "weights that only a scalar can satisfy";
    SPREAD_SCALAR = "W0406", "a scalar is added to every element of a vector";
    MIXED_SHAPES = "W0407", "a rule that gives a labelled predicate values of another shape than its target";
    // 05 data
    NO_FACTS = "E0501", "there is no fact";
    NO_QUERIES = "E0502", "there is no query";
    UNPROVABLE = "E0503", "a query that cannot be derived";
    NOT_TEXT = "E0504", "a file that is not text";
    UNKNOWN_EXAMPLE_ID = "E0505", "queries for an example that does not exist";
    QUERY_COUNT = "E0506", "the numbers of examples and of query lines differ";
    NEGATED_FACT = "E0507", "a fact cannot be negated";
    DUPLICATE_FACT = "W0508", "a fact is stated twice with different values";
    RULE_IN_DATA = "E0509", "a rule where only facts and examples are expected";
    LEFT_OUT = "W0510", "queries that cannot be derived are left out or given a value";
    LEARNED_DATA = "W0511", "values of facts in the data are learned";
    CONFLICTING_TARGETS = "W0512", "one atom of one world has several targets";
    LABELS_AND_QUERIES = "W0513", "examples have both labels and a queries file";
    SHARED_VARIABLE = "W0514", "queries of one statement share a variable";
    UNREAD_FACTS = "W0515", "facts that no rule reads, with a name that is nearly read";
    NUMBER_OR_NAME = "W0516", "a quoted number where the facts have a number, or the reverse";
    TABLE_HEADER = "E0517", "a table whose header does not say what its columns are";
    TABLE_ROW = "E0518", "a row of a table that is no fact";
    TABLE_NAME = "E0519", "a table whose name cannot name a predicate";
    UNFIT_FACTS = "E0520", "facts that cannot be points, edges or what else is made of them";
    DRAW = "E0521", "facts that cannot be drawn";
    UNLEARNED_MEMBERS = "W0522", "members of a family that no training example reads";
    // 06 grounding
    BUDGET = "E0601", "grounding exceeds its budget";
    // 07 graph
    CYCLES_CUT = "W0701", "ground rules inside a cycle were left out";
    VALUE_LOST = "W0702", "a value given by a rule without valued literals does not count";
    CYCLE = "E0703", "atoms depend on each other in a cycle";
    ENDLESS_COUNT = "W0704", "more derivations than can be counted";
    NO_READING = "E0705", "a program that has no value in the asked-for semiring";
    LOSSY_BOUND = "E0706", "lossy lifting that may change an answer too much";
    TORN_GROUP = "E0707", "a normalisation over a group inside a cycle";
    // 08 training
    NOT_FINITE = "E0801", "a value that is not finite";
    TARGET_RANGE = "E0802", "a target that the loss cannot take";
    NO_PARAMETERS = "W0803", "a template without learnable weights";
    NO_PROGRESS = "W0804", "training never improved on the initial model";
    SQUASHED_TWICE = "W0805", "an output that the template and the error function both squash";
    LONE_CLASS = "W0806", "a group of classes with one member only";
    TARGET_OUTSIDE = "W0807", "targets that the loss could not take";
    INFINITE_ANSWER = "W0808", "an answer that is no finite number";
    // 10 command line and files
    USAGE = "E1001", "a wrong command line";
    CANNOT_READ = "E1002", "a file that cannot be read";
    CANNOT_WRITE = "E1003", "a file that cannot be written";
    IMPORT_CYCLE = "E1004", "a template that imports itself";
    NOT_READ = "W1005", "files of a folder that are not read";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::hash::HashSet;

    #[test]
    fn codes_are_unique_ordered_by_number_and_have_a_summary() {
        let mut seen = HashSet::default();
        let mut last = 0;
        for (code, summary) in ALL {
            assert!(seen.insert(&code.0[1..]), "{code} is given twice");
            assert!(matches!(code.0.as_bytes()[0], b'E' | b'W'));
            let number: u32 = code.0[1..].parse().expect("four digits");
            assert!(number > last, "{code} is out of order");
            last = number;
            assert!(summary.len() > 10);
            assert_eq!(code.summary(), *summary);
        }
    }
}
