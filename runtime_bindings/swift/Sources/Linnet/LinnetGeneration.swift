import CLinnet

/// Text generation: what a decoder's file (text-generation) answers.
extension Linnet {
    /// Continue a text. `state`: a text of ``newText(capacity:)``, whose beginning that it shares with the prompt is not
    /// computed again.
    public func generate(
        _ prompt: String, options: GenerationOptions = GenerationOptions(), state: TextState? = nil
    ) throws -> Completion {
        try stream(prompt, options: options, state: state).complete()
    }

    /// Answer a conversation, by the file's chat template; as ``generate(_:options:state:)`` of a text.
    public func generate(
        _ messages: [Message], options: GenerationOptions = GenerationOptions(), state: TextState? = nil
    ) throws -> Completion {
        try stream(messages, options: options, state: state).complete()
    }

    /// Continue a text token by token.
    public func stream(
        _ prompt: String, options: GenerationOptions = GenerationOptions(), state: TextState? = nil
    ) throws -> TokenStream {
        try options.check()
        let text = try state ?? newText()
        let window = try window(capacity: text.capacity, options)
        return try TokenStream(self, text, prompt: self.prompt(of: prompt), options: options, window: window)
    }

    /// Answer a conversation token by token.
    public func stream(
        _ messages: [Message], options: GenerationOptions = GenerationOptions(), state: TextState? = nil
    ) throws -> TokenStream {
        try options.check()
        let text = try state ?? newText()
        let window = try window(of: messages, capacity: text.capacity, options)
        return try TokenStream(self, text, prompt: prompt(of: messages), options: options, window: window)
    }

    /// Begin a conversation. `system`: its system message; `options`: those of the answers.
    public func chat(system: String? = nil, options: GenerationOptions = GenerationOptions()) throws -> Chat {
        try Chat(self, system: system, options: options)
    }

    /// Make an empty text with room for `capacity` tokens; nil: as many as the file can.
    public func newText(capacity: Int? = nil) throws -> TextState {
        _ = try recommendedSampling()  // refuses a file that generates no text
        let most = try integer("max_length")
        if let capacity, !(1...most).contains(capacity) {
            throw refusal(
                "the capacity is \(capacity) tokens, expected 1 to \(most), or nil for the most; export the model with a "
                    + "larger --context"
            )
        }
        return TextState(self, capacity: capacity ?? most, chunk: max(1, try integer("chunk_length")))
    }

    /// Return the prompt of a conversation, as the model's chat template says; with `generation` the beginning of the
    /// assistant's next turn, too. Tokenize it without special tokens: it has them all. Throws `LINNET_UNKNOWN_FIELD` if the
    /// file has no chat template.
    public func chatPrompt(_ messages: [Message], generation: Bool = true) throws -> String {
        let bytes = messages.flatMap { [Array($0.role.utf8), Array($0.content.utf8)] }
        return try bytes.joined().map { CChar(bitPattern: $0) }.withUnsafeBufferPointer { all in
            var at = 0
            let texts = bytes.map { part in
                defer { at += part.count }
                return linnet_text(bytes: all.baseAddress.map { $0 + at }, size: part.count)
            }
            let native = stride(from: 0, to: texts.count, by: 2).map {
                linnet_message(role: texts[$0], content: texts[$0 + 1])
            }
            var size = 0
            try orThrow(linnet_task_chat_prompt(task, native, native.count, generation ? 1 : 0, nil, 0, &size))
            var prompt = [CChar](repeating: 0, count: size)
            try orThrow(linnet_task_chat_prompt(task, native, native.count, generation ? 1 : 0, &prompt, size, &size))
            return String(decoding: prompt.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// Open a stream that turns tokens into text one by one. `skipSpecial`: leave special tokens out.
    public func textStream(skipSpecial: Bool = true) throws -> TextStream { try TextStream(self, skipSpecial: skipSpecial) }

    func recommendedSampling() throws -> linnet_sampling {
        var sampling = linnet_sampling()
        try orThrow(linnet_task_sampling(task, &sampling))
        return sampling
    }

    func isEnd(_ id: Int64) -> Bool { linnet_task_is_end(task, id) != 0 }

    func prompt(of text: String) throws -> [Int64] { try tokenIds(text, specialTokens: true) }

    func prompt(of messages: [Message]) throws -> [Int64] {
        try tokenIds(chatPrompt(messages), specialTokens: false)
    }

    private func tokenIds(_ text: String, specialTokens: Bool) throws -> [Int64] {
        let windows = try tokenize(text, maxLength: 0, truncation: .never, specialTokens: specialTokens)
        return windows[0].tokens.map(\.id)
    }

    private func integer(_ name: String) throws -> Int {
        var value = linnet_value()
        try orThrow(linnet_task_value(task, name, &value))
        return Int(value.integer)
    }
}
