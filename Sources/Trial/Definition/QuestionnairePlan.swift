/// The canonical URL of a FHIR `Questionnaire`, with the version where one is named (`url|version`).
public struct QuestionnaireCanonical: Hashable, Sendable, CustomStringConvertible {
    /// The URL.
    public let url: String
    /// The business version; nil where none is named.
    public let version: String?

    /// Reads `url` or `url|version`; nil where either is empty, or holds white space or a further bar.
    public init?(_ text: String) {
        let parts = text.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let isRight = parts.allSatisfy { part in
            !part.isEmpty && part.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != 0x7C }
        }
        guard isRight, let url = parts.first else { return nil }
        self.url = url
        version = parts.count == 2 ? parts[1] : nil
    }

    /// `url` or `url|version`.
    public var description: String { version.map { "\(url)|\($0)" } ?? url }
}

/// Who answers a questionnaire.
public enum QuestionnaireRespondent: String, Sendable, Codable, CaseIterable {
    /// The participant.
    case patient
    /// Someone close to the participant.
    case relatedPerson
    /// Staff.
    case practitioner
}

/// What a `linkId` of a questionnaire is in the form.
public enum QuestionnaireLink: Hashable, Sendable {
    /// An item, in a group; answers that are codings are of the code system, where one is named.
    case item(ItemOID, group: ItemGroupOID, codeSystem: String?)
    /// An item group: each repetition is a row where the group repeats.
    case group(ItemGroupOID)
    /// A heading or a text to read: has no answer of its own.
    case heading
}

/// Which form a questionnaire fills in, in which events, and what its questions are (Protocols/trial-plan.md).
public struct QuestionnairePlan: Hashable, Sendable {
    /// An item that a `linkId` stands for.
    public struct ItemLink: Hashable, Sendable {
        /// The item; nil where the `linkId` stands for the group.
        public let item: ItemOID?
        /// The group; nil where the form has the item in one group only.
        public let group: ItemGroupOID?
        /// The code system that codings are of; nil where any is taken.
        public let codeSystem: String?

        /// States a link.
        public init(item: ItemOID?, group: ItemGroupOID? = nil, codeSystem: String? = nil) {
            self.item = item
            self.group = group
            self.codeSystem = codeSystem
        }
    }

    /// The questionnaire; without a version, every version is meant.
    public let canonical: QuestionnaireCanonical
    /// The form.
    public let form: FormOID
    /// The events in which it is answered; not empty.
    public let events: [StudyEventOID]
    /// Who answers.
    public let respondent: QuestionnaireRespondent
    /// Items and groups whose `linkId` is not their OID.
    public let items: [String: ItemLink]
    /// `linkId`s of headings and texts.
    public let headings: Set<String>

    /// States a plan.
    public init(
        canonical: QuestionnaireCanonical, form: FormOID, events: [StudyEventOID], respondent: QuestionnaireRespondent,
        items: [String: ItemLink] = [:], headings: Set<String> = []
    ) {
        self.canonical = canonical
        self.form = form
        self.events = events
        self.respondent = respondent
        self.items = items
        self.headings = headings
    }

    /// What every known `linkId` is: those the plan names, and for the form's other items and groups their OIDs.
    ///
    /// An item that stands in several groups of the form, and for which the plan names none, has no link.
    public func links(in definition: StudyDefinition) -> [String: QuestionnaireLink] {
        let groups = (definition.forms[form]?.itemGroups ?? OIDTable()).compactMap { definition.itemGroups[$0.oid] }
        let namedItems = Set(items.values.compactMap(\.item))
        let namedGroups = Set(items.values.filter { $0.item == nil }.compactMap(\.group))
        func onlyGroup(of item: ItemOID) -> ItemGroupOID? {
            let holding = groups.filter { $0.items.contains(oid: item) }
            return holding.count == 1 ? holding[0].oid : nil
        }
        var links: [String: QuestionnaireLink] = [:]
        for group in groups {
            if !namedGroups.contains(group.oid) { links[group.oid.text] = .group(group.oid) }
            for item in group.items where !namedItems.contains(item.oid) {
                if let only = onlyGroup(of: item.oid) {
                    links[item.oid.text] = .item(item.oid, group: only, codeSystem: nil)
                }
            }
        }
        for heading in headings { links[heading] = .heading }
        for (linkID, link) in items {
            if let item = link.item {
                links[linkID] = (link.group ?? onlyGroup(of: item)).map {
                    .item(item, group: $0, codeSystem: link.codeSystem)
                }
            } else {
                links[linkID] = link.group.map { .group($0) }
            }
        }
        return links
    }
}

extension TrialPlan {
    /// The questionnaire that a response names: the one of that very version, else the one that is for every version.
    public func questionnaire(named canonical: QuestionnaireCanonical) -> QuestionnairePlan? {
        questionnaires.first { $0.canonical == canonical }
            ?? questionnaires.first { $0.canonical.url == canonical.url && $0.canonical.version == nil }
    }
}
