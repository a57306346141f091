/// A head that a document names: a charter, of a log that counts no further; the opening of a log, of an earlier one.
public struct StatedHead: Hashable, Sendable {
    /// The log.
    public let log: LogID
    /// Its number of entries, as far as the document's writer knows or lets count.
    public let size: UInt64
    /// Root of the tree over them.
    public let root: Hash

    /// States a head.
    public init(log: LogID, size: UInt64, root: Hash) {
        self.log = log
        self.size = size
        self.root = root
    }
}

extension StatedHead {
    /// Writes what is `AcceptedHead` in `Protocols/charter.proto` and `EarlierHead` in `Protocols/entry.proto`: the same fields.
    func write(into writer: inout WireWriter) {
        writer.identifier(1, log)
        writer.unsigned(2, size)
        writer.hash(3, root)
    }

    /// Reads what ``write(into:)`` wrote.
    init(from reader: inout WireReader) throws(WireError) {
        var log: LogID?
        var size: UInt64 = 0
        var root: Hash?
        while let field = try reader.next() {
            switch field {
            case 1: log = try reader.identifier()
            case 2: size = try reader.unsigned()
            case 3: root = try reader.hash()
            default: try reader.skip()
            }
        }
        guard let log else { throw .missing(field: 1) }
        guard let root else { throw .missing(field: 3) }
        self.init(log: log, size: size, root: root)
    }
}
