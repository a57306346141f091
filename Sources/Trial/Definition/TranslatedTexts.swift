/// One text in one language (`TranslatedText`).
public struct TranslatedText: Hashable, Sendable, Codable {
    /// The language tag (BCP 47, `xml:lang`), nil where the file gives none: the text for every language.
    public let language: String?
    /// The text, without the white space around it.
    public let text: String

    /// States a text.
    public init(language: String?, text: String) {
        self.language = language
        self.text = text
    }
}

/// The same thing said in several languages.
public struct TranslatedTexts: Hashable, Sendable, Codable {
    /// The texts in the order of the file; empty ones are left out.
    public let all: [TranslatedText]

    /// Takes texts in their order and leaves out empty ones.
    public init(_ texts: [TranslatedText] = []) {
        all = texts.filter { !$0.text.isEmpty }
    }

    /// Whether nothing is said in any language.
    public var isEmpty: Bool { all.isEmpty }

    /// The text for a reader who prefers `languages`, best first.
    ///
    /// A tag matches a text of the same tag, else one of the same primary language (`nb` finds `nb-NO` and the other way
    /// round). Where no language matches, a text without a language is taken, else the first; nil where there is none.
    public func text(preferring languages: [String]) -> String? {
        for wanted in languages.map({ $0.lowercased() }) {
            if let exact = all.first(where: { $0.language?.lowercased() == wanted }) { return exact.text }
            let primary = TranslatedTexts.primaryLanguage(of: wanted)
            if let near = all.first(where: { TranslatedTexts.primaryLanguage(of: $0.language ?? "") == primary }) {
                return near.text
            }
        }
        return (all.first { $0.language == nil } ?? all.first)?.text
    }

    private static func primaryLanguage(of tag: String) -> String {
        String(tag.lowercased().prefix { $0 != "-" && $0 != "_" })
    }
}

/// Another name for the same thing in another context (`Alias`).
public struct Alias: Hashable, Sendable, Codable {
    /// Where the name is used, for example `SDTM`, `CDASH` or `VISITDY`.
    public let context: String
    /// The name there.
    public let name: String

    /// States an alias.
    public init(context: String, name: String) {
        self.context = context
        self.name = name
    }
}
