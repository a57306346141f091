/// Events ordered by time, those of the same time in the order in which they were put in: a binary heap.
struct EventQueue<Event> {
    private var items: [(time: UInt64, number: UInt64, event: Event)] = []
    private var counter: UInt64 = 0

    var nextTime: UInt64? { items.first?.time }

    mutating func push(_ event: Event, at time: UInt64) {
        counter += 1
        items.append((time, counter, event))
        var child = items.count - 1
        while child > 0, isBefore(child, (child - 1) / 2) {
            items.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop() -> (time: UInt64, event: Event)? {
        guard let first = items.first else { return nil }
        let last = items.removeLast()
        guard !items.isEmpty else { return (first.time, first.event) }
        items[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < items.count && isBefore(child, least) {
                least = child
            }
            if least == parent { break }
            items.swapAt(parent, least)
            parent = least
        }
        return (first.time, first.event)
    }

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        (items[left].time, items[left].number) < (items[right].time, items[right].number)
    }
}
