//! Parts of a seating plan for the wire, where names stay names.

use anyhow::bail;
use usher_proto::v1;

use crate::plan::usher_json::{FeaturePlan, RowPlan, RunPlan, SeatsPlan, SectionPlan};

pub(super) fn section(plan: SectionPlan) -> anyhow::Result<v1::Section> {
    let kind = match (plan.rows, plan.capacity, plan.category) {
        (Some(rows), None, None) => {
            let rows = rows.into_iter().map(row).collect::<anyhow::Result<_>>()?;
            v1::section::Kind::Reserved(v1::ReservedSection { rows })
        }
        (None, Some(capacity), Some(category)) => {
            v1::section::Kind::GeneralAdmission(v1::GeneralAdmission { capacity, category })
        }
        _ => bail!("section {:?} must have \"rows\", or \"capacity\" and \"category\"", plan.name),
    };
    Ok(v1::Section { name: plan.name, kind: Some(kind) })
}

pub(super) fn row(plan: RowPlan) -> anyhow::Result<v1::Row> {
    let runs = match (plan.category, plan.seats, plan.runs) {
        (Some(category), Some(seats), None) => vec![RunPlan { category, seats, features: plan.features }],
        (None, None, Some(runs)) => runs,
        _ => bail!("row {:?} must have \"category\" and \"seats\", or \"runs\"", plan.name),
    };
    Ok(v1::Row { name: plan.name, runs: runs.into_iter().map(run).collect(), rank: plan.rank, added: 0 })
}

fn run(plan: RunPlan) -> v1::SeatRun {
    let names = match plan.seats {
        SeatsPlan::Numbered(rule) => {
            let (first, count, step) = (rule.first, rule.count, rule.step);
            v1::seat_run::Names::Numbered(v1::NumberedSeats { first, count, step })
        }
        SeatsPlan::Named(names) => v1::seat_run::Names::Named(v1::NamedSeats { names }),
    };
    let feature = |feature: &FeaturePlan| match feature {
        FeaturePlan::Wheelchair => v1::SeatFeature::Wheelchair.into(),
        FeaturePlan::Companion => v1::SeatFeature::Companion.into(),
        FeaturePlan::RestrictedView => v1::SeatFeature::RestrictedView.into(),
    };
    v1::SeatRun { category: plan.category, names: Some(names), features: plan.features.iter().map(feature).collect() }
}
