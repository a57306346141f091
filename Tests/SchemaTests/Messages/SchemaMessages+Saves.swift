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
        for change in save.changes {
            var inner = Varde_V0_Change()
            inner.instance = UInt64(change.instance)
            inner.item = change.item.text
            inner.replaces = change.replaces
            if let code = change.reasonCode { inner.reasonCode = code }
            inner.isCorrection = change.isCorrection
            inner.isFreeText = change.isFreeText
            message.changes.append(finished(inner))
        }
        // "A run of values of one entry is one message."
        var runs: [Varde_V0_SeenValues] = []
        for value in save.seen {
            if runs.last?.entry != data(value.entry) {
                var run = Varde_V0_SeenValues()
                run.entry = data(value.entry)
                runs.append(run)
            }
            runs[runs.count - 1].positions.append(value.position)
        }
        message.seen = runs.map { finished($0) }
        return finished(message)
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

    /// The content part of a save, and its text parts in order. Free texts begin at part 2; where the 64 parts do not
    /// suffice the last text part holds all that are left.
    mutating func content(of save: FormSave) -> (content: Varde_V0_FormContent, texts: [Varde_V0_FreeText]) {
        let room = 64 - 2 - (save.comment == nil ? 0 : 1) - (save.reason == nil ? 0 : 1)
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
