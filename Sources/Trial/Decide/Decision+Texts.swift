/// What a person or program may write as text beside values, whose own rules are in ``ValueNormaliser``.
///
/// A text that XML cannot hold would stand in the way of every later export, so it is refused where it is entered.
extension Decision {
    /// The most bytes of a label or repeat key: people read and write them.
    static let maximumKeyBytes = 200

    /// The most items and groups of one command. More than an entry can hold, and few enough to look at one by one.
    static let maximumLines = 16_384

    /// Refuses texts that could not be exported, and more lines than an entry can hold.
    static func requireUsableTexts(_ request: Request) throws(Refusal) {
        switch request {
        case .register(_, let labels):
            for label in labels where !label.text.isEmpty { try requireKey(label.text, "label") }
        case .assignLabel(let entry):
            if let text = entry.text, !text.isEmpty { try requireKey(text, "label") }
        case .save(let entry):
            try require(entry.event, entry.form)
            try requireUsable(entry.groups)
            try requireLegal(entry.comment, "comment")
            try requireLegal(entry.reason, "reason")
        case .respond(let entry):
            try require(entry.event)
            try requireUsable(entry.groups)
        case .resolve(let entry):
            try requireUsable(entry.outcome)
            try requireLegal(entry.reason, "reason")
        case .remove(let target), .restore(let target): try requireLegal(target.reason, "reason")
        case .decideInstances(let entry): try requireLegal(entry.reason, "reason")
        case .link(let target), .unlink(let target): try requireLegal(target.reason, "reason")
        case .status(_, _, _, let date, _): try requireLegal(date, "date")
        case .delegate(_, _, let name, _, let from, let to):
            try requireLegal(name, "name")
            try requireLegal(from, "date")
            try requireLegal(to, "date")
        default: break
        }
    }

    private static func requireUsable(_ groups: [EnteredGroup]) throws(Refusal) {
        let lines = groups.reduce(groups.count) { $0 + $1.items.count }
        guard lines <= maximumLines else {
            throw .badText("\(lines) groups and items are more than an entry can hold; save the form in steps")
        }
        for group in groups {
            try require(group.group)
            for item in group.items {
                switch item.value {
                case .datum: break
                case .missing(let reason), .cleared(let reason):
                    try requireLegal(reason, "reason of item \(item.item)")
                }
                try requireLegal(item.reasonCode, "reason code of item \(item.item)")
            }
        }
    }

    private static func require(_ selectors: InstanceSelector...) throws(Refusal) {
        for selector in selectors {
            if case .new(let key?) = selector.choice { try requireKey(key, "repeat key of \(selector.oid)") }
        }
    }

    /// Refuses a label or repeat key that people could not tell from another, or that could not be exported.
    private static func requireKey(_ text: String, _ what: String) throws(Refusal) {
        try requireLegal(text, what)
        guard text.utf8.count <= maximumKeyBytes else {
            throw .badText("the \(what) has \(text.utf8.count) bytes, more than \(maximumKeyBytes); shorten it")
        }
        guard let first = text.first, let last = text.last, !first.isWhitespace, !last.isWhitespace else {
            throw .badText("the \(what) begins or ends with white space; write it without")
        }
    }

    private static func requireLegal(_ text: String?, _ what: String) throws(Refusal) {
        guard text.map(ValueNormaliser.isLegal) ?? true else {
            throw .badText("the \(what) holds a control character, which no export could carry; write it without")
        }
    }
}
