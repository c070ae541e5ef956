//! Weights: names, members of families, values.

use super::{Builder, G, P};
use crate::base::span::{Span, Spanned};
use crate::diag::codes;
use crate::syntax::ast::{MetaValue, Term, Weight, WeightValue};
use crate::syntax::cursor::{Cursor, Fault, fault};
use crate::syntax::value::{self, Form};

impl Builder {
    pub(super) fn weight_name(&self, pair: &P<'_>) -> Spanned<String> {
        let name = pair.clone().into_inner().next().expect("`$` is followed by a name");
        Spanned::new(name.as_str().to_string(), self.span(pair))
    }

    /// A weight from the text that the grammar recognised; its meaning is [`value`]'s.
    pub(super) fn weight(&mut self, pair: &P<'_>) -> Result<Weight, Fault> {
        let start = pair.as_span().start();
        let mut cursor = Cursor::new(self.source, pair.as_str(), self.shift + start);
        let w = value::weight(&mut cursor, &mut self.buffer)?;
        let name = w.name.map(|(n, span)| Spanned::new(n.to_string(), span));
        let (fixed, value) = match w.form {
            Form::Scalar => (w.fixed, WeightValue::Scalar(self.buffer.values[0])),
            Form::Dense => {
                let values = self.buffer.values.clone();
                (w.fixed, WeightValue::Dense { rows: w.rows, cols: w.cols, values })
            }
            Form::Dims => (w.fixed, WeightValue::Dims { rows: w.rows, cols: w.cols }),
            Form::Reference => {
                let (name, _) = w.name.expect("a reference has a name");
                let known = self.known.get(name).cloned();
                self.unvalued |= known.is_none();
                known.ok_or_else(|| no_value(name, w.span))?
            }
        };
        if let (Some(name), true) = (&name, w.form != Form::Reference)
            && !self.known.contains_key(&name.node)
        {
            self.known.insert(name.node.clone(), (fixed, value.clone()));
        }
        let mut member = None;
        for p in pair.clone().into_inner().filter(|p| p.as_rule() == G::member) {
            let terms = p.into_inner().filter(|p| p.as_rule() == G::term);
            member = Some(terms.map(|t| self.member_term(t)).collect::<Result<Vec<_>, Fault>>()?);
        }
        Ok(Weight { name, member, fixed, value: Spanned::new(value, w.value_span), span: w.span })
    }

    /// A variable or constant that picks the member of a family.
    fn member_term(&mut self, pair: P<'_>) -> Result<Term, Fault> {
        let term = self.term(pair)?;
        match &term.ty {
            None => Ok(term),
            Some(ty) => {
                let mut d = fault(
                    codes::NOT_ALLOWED_HERE,
                    "a type between the brackets of a weight",
                    ty.span,
                    "types stand at arguments of atoms",
                );
                d.help = Some("a constant is the same with and without its type: leave the type out".into());
                Err(d)
            }
        }
    }

    pub(super) fn meta_weight(&mut self, pair: P<'_>) -> Result<MetaValue, Fault> {
        let mut inner = pair.clone().into_inner();
        if let (Some(first), None) = (inner.next(), inner.next())
            && first.as_rule() == G::weight_name
        {
            return Ok(MetaValue::Reference(self.weight_name(&first).node));
        }
        Ok(MetaValue::Weight(self.weight(&pair)?))
    }
}

/// A shared weight that was mentioned without a value, and no earlier mention has one.
pub(in crate::syntax) fn no_value(name: &str, span: Span) -> Fault {
    let mut d = fault(
        codes::BAD_VALUE,
        format!("the shared weight `${name}` needs a value at its first use"),
        span,
        "no value here, and none before",
    );
    d.help = Some(format!("write `${name}=0.5`, or `${name}={{3,2}}` to have it initialised"));
    d
}
