//! For each mutation, seeds of worlds that catch it. Written by `cargo x sim --record`.

use sync_core::mutation::Mutation;

use crate::oracle::What;

/// What is shown by a scripted world: its rule matters where the state and what lies beside it were put back together, which is
/// beyond what is promised.
pub const BY_TRACE: &[Mutation] = &[Mutation::AdoptedNotRead];

/// Each mutation with seeds that catch it, and what goes wrong there.
#[rustfmt::skip]
pub const RECORDED: &[(Mutation, &[(u64, What)])] = &[
    (Mutation::TwoReaders, &[(50000, What::Unbalanced)]),
    (Mutation::WishNotWithdrawn, &[(190, What::NotRight)]),
    (Mutation::ComparedWithLink, &[(190, What::NotRight)]),
    (Mutation::UnknownIsEqual, &[(0, What::NotRight)]),
    (Mutation::PositionFirst, &[(1419, What::NotRight)]),
    (Mutation::MarksForgottenFirst, &[(102, What::NotRight)]),
    (Mutation::NewerMarksForgotten, &[(169, What::NotRight)]),
    (Mutation::OldAnswerSettlesNewer, &[(70, What::NotRight)]),
    (Mutation::RefusalOutlivesWish, &[(0, What::StateFailed)]),
    (Mutation::DifferenceOnlyMarked, &[(600, What::NotRight)]),
    (Mutation::CandidateNotAsked, &[(3, What::UnwantedDelete)]),
    (Mutation::KeptUnlinked, &[(507, What::Twins)]),
    (Mutation::AdoptedDeleted, &[(54, What::ForeignDelete)]),
    (Mutation::DeletesUnguarded, &[(77, What::TooManyDeletes)]),
    (Mutation::EventSkipped, &[(23, What::NotRight)]),
    (Mutation::StreamPositionFirst, &[(167, What::NotRight)]),
    (Mutation::UnansweredForgotten, &[(421, What::NotRight)]),
    (Mutation::ServerErrorAnswers, &[(7, What::Twins)]),
    (Mutation::GarbledAnswers, &[(7, What::Twins)]),
    (Mutation::OneLook, &[(26, What::Twins)]),
    (Mutation::LooksAtOnce, &[(7, What::Twins)]),
    (Mutation::NoControl, &[(72, What::Twins)]),
    (Mutation::UnnamedRepeated, &[(13, What::Twins)]),
    (Mutation::UnansweredRepeated, &[(7, What::Twins)]),
    (Mutation::AnyoneSettles, &[(379, What::ForeignDelete)]),
    (Mutation::NoSecondLook, &[(27, What::Ghost)]),
    (Mutation::TwinsStay, &[(92, What::Twins)]),
    (Mutation::OldStateBelieved, &[(96, What::NotRight)]),
    (Mutation::OldStateCreatesAtOnce, &[(238, What::Twins)]),
    (Mutation::LockForAll, &[(18, What::TwoHolders)]),
    (Mutation::TokenUnchecked, &[(18, What::TwoHolders)]),
    (Mutation::PositionKept, &[(150, What::NotRight)]),
    (Mutation::CreatesForgotten, &[(309, What::Twins)]),
    (Mutation::RefusedBisectedBlind, &[(0, What::Twins)]),
    (Mutation::BisectDropsRow, &[(0, What::Quarantine)]),
    (Mutation::RefusedForgotten, &[(0, What::Quarantine)]),
    (Mutation::GateOff, &[(0, What::TooFast)]),
    (Mutation::NoOverlap, &[(10, What::NotRight)]),
    (Mutation::KeyChangeAccepted, &[(17, What::KeyChangeAccepted)]),
    (Mutation::MissingForgotten, &[(63, What::NotRight)]),
    (Mutation::StructureUncached, &[(148, What::WastedCall)]),
    (Mutation::GoneAtOnce, &[(10003, What::UnwantedDelete)]),
    (Mutation::BelievedWhileSent, &[(10040, What::NotRight)]),
    (Mutation::MarkedWithoutSync, &[(10040, What::NotRight)]),
    (Mutation::LeftBehindForgotten, &[(10059, What::NotRight)]),
    (Mutation::CountedFromMark, &[(10159, What::Twins)]),
    (Mutation::DefinitionIgnored, &[(10010, What::NotRight)]),
    (Mutation::FieldChangeIgnored, &[(10038, What::Twins)]),
    (Mutation::GateStaysOpen, &[(10018, What::TooFast)]),
    (Mutation::DepartureKept, &[(10018, What::TooFast)]),
    (Mutation::SupersededUncounted, &[(10360, What::Unbalanced)]),
    (Mutation::NoAudit, &[(10000, What::Twins)]),
    (Mutation::KnownKeyIgnored, &[(10000, What::NotRight)]),
    (Mutation::DraftBelieved, &[(10004, What::NotRight)]),
    (Mutation::DeletesCopies, &[(10013, What::ForeignDelete)]),
    (Mutation::MissingCreatedBlind, &[(10030, What::Twins)]),
    (Mutation::LastWriterOnly, &[(50463, What::ForeignDelete)]),
    (Mutation::OneRowACall, &[(50052, What::TooCostly)]),
];
