public import EventLog
public import Interchange
import Store
import StoreCore
public import Trial

extension NodeAccess {
    /// Takes in a batch of answers to questionnaires; answers each in its order, once all of them are durable.
    ///
    /// An answer that was taken in before is answered as then, before anything else is judged: its command is derived from
    /// client, identifier and bytes (`merge.md`, M40), and the receipt from the same, so every node gives the same one.
    ///
    /// - Parameters:
    ///   - sender: the registered client system.
    ///   - isOpen: which studies its token opens.
    /// - Throws: what keeps the node from writing; the batch is then to be sent again as it is.
    public func submit(
        _ batch: FHIRBatch, from sender: Sender, authentication: Authentication,
        opening isOpen: @escaping @Sendable (StudyID) -> Bool
    ) async throws -> [FHIREntryAnswer] {
        let submissions = batch.entries
        let prepared = try await store.read { core, state in
            let modes = state.folds.mapValues { $0.authority.founding?.payload.mode }
            var preparation = SubmissionPreparation(
                sender: sender, core: core, isOpen: isOpen,
                // Before its founding is here nobody knows whether a study is live.
                isLive: { authentication == .localToken && (modes[$0] ?? nil) ?? .live == .live })
            return try preparation.prepare(submissions, &state)
        }
        let sent = prepared.compactMap { entry -> SentCommand? in
            guard case .command(let command, _, _) = entry else { return nil }
            // The id says all that makes the answer the same one; what this node adds, as the event, is no part of that.
            return SentCommand(
                command: command, digest: .sha256(command.id.bytes), authentication: authentication)
        }
        var outcomes = (sent.isEmpty ? [] : try await perform(sent))[...]
        let settled = prepared.map { entry -> SettledSubmission in
            switch entry {
            case .answered(let answer): .answered(answer)
            case .recorded(let recording): .recorded(recording, warnings: [])
            case .command(_, let response, let warnings):
                switch outcomes.popFirst() {
                case .recorded(let receipt)?:
                    .recorded(
                        SubmissionRecording(
                            study: receipt.study, location: response.location, participant: response.participant,
                            entry: receipt.entry, submission: response.submission), warnings: warnings)
                case .refused(let refusal)?: .answered(.refused(FHIRRefusal(refusal)))
                case nil: .answered(.refused(FHIRRefusal(.noSuchAnswer)))
                }
            }
        }
        return try await store.read { _, state in settled.map { state.answer($0, to: sender) } }
    }
}

/// Where an answer was recorded.
private struct SubmissionRecording {
    let study: StudyID
    let location: LocationID
    let participant: EntryID
    let entry: EntryID
    let submission: QuestionnaireResponseSubmission
}

/// What is to be done with one entry of a batch.
private enum PreparedSubmission {
    /// Nothing more: it is refused.
    case answered(FHIREntryAnswer)
    /// Nothing more: it was recorded before.
    case recorded(SubmissionRecording)
    /// To record it.
    case command(Command, PlacedSubmission, warnings: [OperationOutcomeIssue])
}

/// An answer whose participant is found.
private struct PlacedSubmission {
    let location: LocationID
    let participant: EntryID
    let submission: QuestionnaireResponseSubmission
}

private enum SettledSubmission {
    case answered(FHIREntryAnswer)
    case recorded(SubmissionRecording, warnings: [OperationOutcomeIssue])
}

/// A study that takes answers in: its plan names questionnaires.
private struct AnsweredStudy {
    let study: StudyID
    let plan: TrialPlan
    let definition: StudyDefinition
    /// Participants by the labels that the batch names; several under one label are none.
    let participants: [String: [ParticipantState]]
}

/// Finds study, participant, form and visit of every answer, on the store's thread.
private struct SubmissionPreparation {
    let sender: Sender
    let core: StoreCore
    let isOpen: @Sendable (StudyID) -> Bool
    /// Whether a study is one in which a token does not say well enough who answers.
    let isLive: @Sendable (StudyID) -> Bool
    private var studies: [AnsweredStudy] = []

    init(
        sender: Sender, core: StoreCore, isOpen: @escaping @Sendable (StudyID) -> Bool,
        isLive: @escaping @Sendable (StudyID) -> Bool
    ) {
        self.sender = sender
        self.core = core
        self.isOpen = isOpen
        self.isLive = isLive
    }

    mutating func prepare(
        _ entries: [Result<QuestionnaireResponseSubmission, FHIRRefusal>], _ state: inout NodeState
    ) throws -> [PreparedSubmission] {
        let subjects = Set(entries.compactMap { try? $0.get().subject.value })
        studies = try state.folds.keys.sorted().filter(isOpen).compactMap { study in
            guard let plan = state.plan(of: study)?.plan, !plan.questionnaires.isEmpty,
                let definition = try state.definition(of: study, core: core)?.study
            else { return nil }
            return AnsweredStudy(
                study: study, plan: plan, definition: definition,
                participants: state.participants(of: study, labelled: subjects))
        }
        return try entries.map { entry in
            switch entry {
            case .failure(let refusal): return .answered(.refused(refusal))
            case .success(let submission): return try prepare(submission)
            }
        }
    }

    private func prepare(_ submission: QuestionnaireResponseSubmission) throws -> PreparedSubmission {
        let identifier = submission.identifier
        let id = ResponseIdentity.command(
            client: sender.actor, identifier: identifier, documentSHA256: submission.documentSHA256)
        if let recording = try recorded(id, submission) { return .recorded(recording) }
        do throws(FHIRRefusal) {
            let study = try study(of: submission)
            let mapped = try QuestionnaireMapping.map(submission, plan: study.plan, definition: study.definition)
            let participant = try participant(submission.subject, in: study)
            let event = try event(of: mapped, participant, study)
            var provenance = Provenance(source: .patient)
            provenance.externalIdentifier = "\(identifier.system)|\(identifier.value)"
            provenance.occurred = "\(mapped.day)"
            let entry = ResponseEntry(
                location: participant.location, participant: .registration(participant.id), event: event,
                form: mapped.questionnaire.form, identifier: identifier, status: submission.status,
                authored: submission.authored, groups: mapped.groups, document: submission.document,
                documentSHA256: submission.documentSHA256)
            return .command(
                Command(
                    id: id, sender: sender, study: study.study, provenance: provenance, request: .respond(entry)),
                PlacedSubmission(
                    location: participant.location, participant: participant.id, submission: submission),
                warnings: mapped.warnings)
        } catch {
            return .answered(.refused(error))
        }
    }

    /// Where an answer stands that was taken in before.
    private func recorded(
        _ id: CommandID, _ submission: QuestionnaireResponseSubmission
    ) throws -> SubmissionRecording? {
        guard let receipt = try core.receipt(actor: sender.actor, command: id),
            let name = try core.log(receipt.address.log)?.name, let location = name.stream.location,
            let stored = try core.entry(at: receipt.address),
            let participant = StoredEntries.written(stored, in: name).action?.operation.participant
        else { return nil }
        return SubmissionRecording(
            study: name.stream.study, location: location, participant: participant, entry: receipt.id,
            submission: submission)
    }

    private func study(of submission: QuestionnaireResponseSubmission) throws(FHIRRefusal) -> AnsweredStudy {
        let asking = studies.filter { $0.plan.questionnaire(named: submission.questionnaire) != nil }
        guard let first = asking.first else {
            // Said by the mapping, which knows what there is, where there is only one study it could be of.
            if studies.count == 1, !isLive(studies[0].study) { return studies[0] }
            throw FHIRRefusal(.noSuchQuestionnaire)
        }
        guard asking.count == 1 else { throw FHIRRefusal(.severalStudies) }
        guard !isLive(first.study) else { throw FHIRRefusal(.liveStudy) }
        return first
    }

    private func participant(
        _ subject: SubjectPseudonym, in study: AnsweredStudy
    ) throws(FHIRRefusal) -> ParticipantState {
        let found = study.participants[subject.value] ?? []
        guard let first = found.first else { throw FHIRRefusal(.noSuchSubject) }
        guard found.count == 1 else { throw FHIRRefusal(.severalSubjects) }
        return first
    }

    /// The visit, as the schedule finds it: never by what else was answered, which another node need not hold.
    private func event(
        of mapped: MappedResponse, _ participant: ParticipantState, _ study: AnsweredStudy
    ) throws(FHIRRefusal) -> InstanceSelector {
        switch QuestionnaireSchedule.event(
            for: mapped.questionnaire, day: mapped.day, participant: participant, plan: study.plan,
            definition: study.definition)
        {
        case .event(let selector): return selector
        case .notScheduledYet: throw FHIRRefusal(.notScheduled)
        }
    }
}

extension NodeState {
    /// Participants of a study by those of their labels that are asked for, in one pass over all of them.
    fileprivate func participants(of study: StudyID, labelled wanted: Set<String>) -> [String: [ParticipantState]] {
        var found: [String: [ParticipantState]] = [:]
        for location in folds[study]?.locations.values.map(\.records) ?? [] {
            for record in location.values {
                for text in Set(record.labels.map(\.text)) where wanted.contains(text) {
                    found[text, default: []].append(record)
                }
            }
        }
        return found
    }

    /// What a client system is told; the same however often it asks.
    fileprivate func answer(_ settled: SettledSubmission, to sender: Sender) -> FHIREntryAnswer {
        guard case .recorded(let recording, let warnings) = settled else {
            guard case .answered(let answer) = settled else { return .refused(FHIRRefusal(.noSuchAnswer)) }
            return answer
        }
        let submission = recording.submission
        let receipt = ResponseIdentity.receipt(
            client: sender.actor,
            identifier: submission.identifier,
            documentSHA256: submission.documentSHA256)
        let outcome = folds[recording.study]?.locations[recording.location]?.participant(recording.participant)?
            .responseOutcome(of: recording.entry)
        return switch outcome {
        case .recordedAsVersion: .version(receipt: receipt, issues: warnings)
        case .anotherCompleted: .anotherCompleted(receipt: receipt, issues: warnings)
        case .recorded, nil: .created(receipt: receipt, issues: warnings)
        }
    }
}

/// What the node itself has against an answer.
private enum SubmissionFault {
    case noSuchQuestionnaire, severalStudies, noSuchSubject, severalSubjects, notScheduled, noSuchAnswer, liveStudy
}

extension FHIRRefusal {
    fileprivate init(_ fault: SubmissionFault) {
        let issue: OperationOutcomeIssue
        var status = FHIRStatus.unprocessable
        switch fault {
        case .noSuchQuestionnaire:
            issue = OperationOutcomeIssue(
                .error, .notFound, "no study that the token opens has this questionnaire",
                advice: "the plan of the study names its questionnaires", at: "QuestionnaireResponse.questionnaire")
        case .severalStudies:
            issue = OperationOutcomeIssue(
                .error, .businessRule, "several studies that the token opens have this questionnaire",
                advice: "use a token that opens one study", at: "QuestionnaireResponse.questionnaire")
        case .noSuchSubject:
            // Who was registered at another node is known here as soon as that has been heard.
            status = .unavailable
            issue = OperationOutcomeIssue(
                .error, .notFound, "nobody has this pseudonym at this node yet",
                advice:
                    "send it again as it is, or to the node of the participant's location; where it is still not known "
                    + "after a day, find out whether the pseudonym is right", at: "QuestionnaireResponse.subject")
        case .severalSubjects:
            issue = OperationOutcomeIssue(
                .error, .conflict, "several participants have this pseudonym",
                advice: "staff of the study site put the labels right; send it again then",
                at: "QuestionnaireResponse.subject")
        case .notScheduled:
            status = .unavailable
            issue = OperationOutcomeIssue(
                .error, .businessRule, "the visit it belongs to is not known yet",
                advice: "send it again when the participant has been included", at: "QuestionnaireResponse.authored")
        case .liveStudy:
            status = .forbidden
            issue = OperationOutcomeIssue(
                .error, .suppressed, "the study is live, and a local token does not say well enough who answers",
                advice: "live studies take answers once client systems have accounts",
                at: "QuestionnaireResponse.questionnaire")
        case .noSuchAnswer:
            status = .unavailable
            issue = OperationOutcomeIssue(
                .error, .businessRule, "the node did not say what became of it", advice: "send it again as it is",
                at: nil)
        }
        self.init(status, OperationOutcome([issue]))
    }

    /// What the node's decision has against an answer.
    fileprivate init(_ refusal: Refusal) {
        let (status, code): (FHIRStatus, OperationOutcomeCode) =
            switch refusal {
            case .roleMayNot, .notDelegated, .tokenInLiveStudy, .locationNotOpen: (.forbidden, .suppressed)
            case .tooLarge, .responseTooLarge: (.contentTooLarge, .tooLong)
            case .commandUsedOtherwise: (.conflict, .conflict)
            default: (.unprocessable, .businessRule)
            }
        self.init(
            status,
            OperationOutcome([OperationOutcomeIssue(.error, code, refusal.explanation, advice: nil, at: nil)]))
    }
}
