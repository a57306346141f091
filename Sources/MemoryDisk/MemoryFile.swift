import Glibc

/// One file: its bytes, and how to undo what was done to it since it was last synced.
final class MemoryFile {
    /// What the process sees.
    var bytes: [UInt8]
    /// The directory entry was deleted, or the machine started anew: nothing can be done with this file.
    var isGone = false
    /// The write-ahead log's index, in regions; not on the disk.
    private(set) var regions: [UnsafeMutableRawPointer] = []
    /// Who holds the eight locks of the index: the number of sharers, -1 for one who holds it alone.
    var indexLocks = [Int](repeating: 0, count: 8)
    private var pending: [Change] = []

    /// A write (`old` shorter than `new` where the file grew) or a truncation (`new` empty, `sizeAfter` smaller).
    private struct Change {
        var offset: Int
        var old: [UInt8]
        var new: [UInt8]
        var sizeBefore: Int
        var sizeAfter: Int
    }

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    deinit {
        for region in regions { free(region) }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) -> Bool {
        let available = max(0, min(buffer.count, bytes.count - offset))
        if available > 0 {
            bytes.withUnsafeBytes {
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + available]))
            }
        }
        // SQLite asks for zeros beyond the end.
        for place in available..<buffer.count { buffer[place] = 0 }
        return available == buffer.count
    }

    func write(_ new: [UInt8], at offset: Int) {
        let before = bytes.count
        if offset + new.count > before {
            bytes.append(contentsOf: repeatElement(0, count: offset + new.count - before))
        }
        let old = Array(bytes[offset..<max(offset, min(before, offset + new.count))])
        bytes.withUnsafeMutableBytes { target in
            new.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(rebasing: target[offset..<offset + new.count]).copyMemory(from: $0)
            }
        }
        pending.append(Change(offset: offset, old: old, new: new, sizeBefore: before, sizeAfter: bytes.count))
    }

    func truncate(to size: Int) {
        guard size < bytes.count else { return }
        pending.append(
            Change(offset: size, old: Array(bytes[size...]), new: [], sizeBefore: bytes.count, sizeAfter: size))
        bytes.removeLast(bytes.count - size)
    }

    func sync() {
        pending.removeAll(keepingCapacity: true)
    }

    /// What is found after a loss of power: the file as it was synced, with any of the changes since.
    func afterLossOfPower(using generator: inout some RandomNumberGenerator) -> [UInt8] {
        var found = bytes
        for change in pending.reversed() {
            found.replaceSubrange(
                min(
                    change.offset, found.count)..<min(
                        change.offset + max(change.new.count, change.old.count), found.count), with: change.old)
            if found.count > change.sizeBefore { found.removeLast(found.count - change.sizeBefore) }
        }
        for change in pending {
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: continue
            case 1: MemoryFile.apply(change, change.new.count, to: &found)
            default:
                let sectors = change.new.count / 512
                MemoryFile.apply(change, 512 * Int.random(in: 0...sectors, using: &generator), to: &found)
            }
        }
        return found
    }

    private static func apply(_ change: Change, _ count: Int, to found: inout [UInt8]) {
        if change.sizeAfter < change.sizeBefore {
            if found.count > change.sizeAfter { found.removeLast(found.count - change.sizeAfter) }
            return
        }
        guard count > 0 else { return }
        let end = change.offset + count
        if found.count < end { found.append(contentsOf: repeatElement(0, count: end - found.count)) }
        found.replaceSubrange(change.offset..<end, with: change.new.prefix(count))
    }

    /// A region of the write-ahead log's index; nil where it is not there and not to be made.
    func region(_ number: Int, byteCount: Int, isMade: Bool) -> UnsafeMutableRawPointer? {
        while regions.count <= number {
            guard isMade, let region = calloc(1, byteCount) else { return nil }
            regions.append(region)
        }
        return regions[number]
    }
}
