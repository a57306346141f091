import EventLog
import StoreCore
import Trial

extension NodeState {
    /// Drops from the store what orders drop that came into effect, in the transaction of what brought that about: from then
    /// on nothing of it is stored, sent or shown.
    mutating func carryOutOrders(_ core: StoreCore) throws {
        for study in Array(folds.keys) {
            for order in withFold(study, { $0.takeOrders() }) { try order.carryOut(core) }
        }
    }
}

extension OrderInEffect {
    /// Drops from the store what the order drops; nothing where that was done before.
    func carryOut(_ core: StoreCore) throws {
        guard try !core.isCarriedOut(address) else { return }
        do {
            try core.carryOut(order: address, action)
        } catch StoreError.orderInOtherStream {
            // It names an entry that is none of its stream, so it takes nothing from anything, here or in the fold.
            return
        }
    }

    /// The order as the store keeps it.
    var action: OrderAction {
        switch order.target {
        case .participant(_, let subject): .erase(subject)
        case .parts(let parts, let entry, let address): .redact(address, entry: entry, parts: parts)
        }
    }
}
