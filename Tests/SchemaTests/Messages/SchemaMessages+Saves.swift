import EventLog
import Foundation
import SwiftProtobuf
import Trial

extension SchemaMessages {
    /// The structure part of a save.
    mutating func saved(_ save: FormSave, _ action: Action) -> Varde_V0_FormSaved {
        var message = common(Varde_V0_FormSaved.self, action)
        message.participant = data(save.participant)
        message.instances = save.instances.map { line($0) }
        message.changes = save.changes.map { change($0) }
        message.seen = runs(of: save.seen)
        return finished(message)
    }

    /// One item that a save writes, but for its value.
    mutating func change(_ change: Change) -> Varde_V0_Change {
        var message = Varde_V0_Change()
        message.instance = UInt64(change.instance)
        message.item = change.item.text
        message.replaces = change.replaces
        if let code = change.reasonCode { message.reasonCode = code }
        message.isCorrection = change.isCorrection
        message.isFreeText = change.isFreeText
        return finished(message)
    }

    /// Values seen: a run of values of one entry is one message.
    mutating func runs(of values: [ValueID]) -> [Varde_V0_SeenValues] {
        var runs: [Varde_V0_SeenValues] = []
        for value in values {
            if runs.last?.entry != data(value.entry) {
                var run = Varde_V0_SeenValues()
                run.entry = data(value.entry)
                runs.append(run)
            }
            runs[runs.count - 1].positions.append(value.position)
        }
        return runs.map { finished($0) }
    }

    /// A line of a table of instances.
    mutating func line(_ line: InstanceDeclaration) -> Varde_V0_InstanceDeclaration {
        var message = Varde_V0_InstanceDeclaration()
        message.kind = code(line.kind.rawValue)
        if let parent = line.parent { message.parent = UInt64(parent) + 1 }
        message.oid = line.oid
        switch line.identity {
        case .natural: break
        case .own: message.isOwn = true
        case .begun(let beginning): message.begunBy = self.beginning(beginning)
        case .response(let response):
            var inner = Varde_V0_ResponseInstance()
            inner.client = data(response.client)
            inner.system = response.identifier.system
            inner.value = response.identifier.value
            inner.row = response.row
            message.response = finished(inner)
        }
        message.beginsHere = line.beginsHere
        message.seenBeginnings = line.seenBeginnings.map { beginning($0) }
        if let key = line.repeatKey { message.repeatKey = key }
        message.isWhole = line.isWhole
        return finished(message)
    }

    private mutating func beginning(_ beginning: Beginning) -> Varde_V0_Beginning {
        var message = Varde_V0_Beginning()
        message.entry = data(beginning.entry)
        message.position = beginning.position
        return finished(message)
    }

    /// The content part of an operation that writes values, and its text parts in order; nil for any other operation.
    mutating func content(
        of operation: Trial.Operation
    ) -> (content: Varde_V0_FormContent, texts: [Varde_V0_FreeText])? {
        switch operation {
        case .formSaved(let save): content(of: save)
        case .conflictResolved(let resolution): content(of: resolution.save)
        case .responseReceived(let response):
            content(
                of: FormSave(
                    participant: response.participant, instances: response.instances, changes: response.changes),
                othersThatFollow: 1)
        default: nil
        }
    }

    /// The content part of a save, and its text parts in order. Free texts begin at part 2; where the 64 parts do not
    /// suffice the last text part holds all that are left.
    mutating func content(
        of save: FormSave, othersThatFollow others: Int = 0
    ) -> (content: Varde_V0_FormContent, texts: [Varde_V0_FreeText]) {
        let room = 64 - 2 - (save.comment == nil ? 0 : 1) - (save.reason == nil ? 0 : 1) - others
        var content = Varde_V0_FormContent()
        var texts: [Varde_V0_FreeText] = []
        for change in save.changes {
            guard let value = change.value else {
                content.values.append(finished(Varde_V0_Value()))
                continue
            }
            var message = self.value(value)
            if change.isFreeText {
                if texts.count < room { texts.append(Varde_V0_FreeText()) }
                message.textPart = UInt64(1 + texts.count)
                message.clearNormalised()
                message.typed = ""
                var datum = Varde_V0_TextDatum()
                datum.typed = value.typed
                if Array(value.normalised.utf8) != Array(value.typed.utf8) { datum.normalised = value.normalised }
                texts[texts.count - 1].data.append(finished(datum))
            }
            content.values.append(finished(message))
        }
        for prompt in save.prompts {
            var message = Varde_V0_CheckPrompt()
            message.item = prompt.item
            message.check = prompt.check
            message.isHard = prompt.isHard
            message.valueAtPrompt = prompt.valueAtPrompt
            message.answer = prompt.answer
            content.prompts.append(finished(message))
        }
        for value in save.calculated {
            var message = Varde_V0_CalculatedValue()
            message.item = value.item
            message.shown = value.shown
            content.calculated.append(finished(message))
        }
        return (finished(content), texts.map { finished($0) })
    }

    /// A value with its datum.
    private mutating func value(_ value: Trial.Value) -> Varde_V0_Value {
        var message = Varde_V0_Value()
        message.kind = code(value.kind.rawValue)
        message.typed = value.typed
        if Array(value.normalised.utf8) != Array(value.typed.utf8) { message.normalised = value.normalised }
        if let unit = value.unit { message.unit = unit }
        if let list = value.codeList { message.codeList = list }
        message.codes = value.codes
        if let reason = value.reason { message.reason = reason }
        if let file = value.file {
            var inner = Varde_V0_FileReference()
            inner.sha256 = file.sha256
            inner.mediaType = file.mediaType
            inner.byteCount = file.byteCount
            message.file = finished(inner)
        }
        return message
    }
}
